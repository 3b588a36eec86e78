--- Teams of organizations.

--: Team(updated_at?)
--: TeamWithOrganization(updated_at?, organization_logo?, organization_metadata?)

--! insert : Team
INSERT INTO team (id, name, organization_id, created_at, updated_at)
VALUES (:id, :name, :organization_id, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
RETURNING id, name, organization_id, created_at, updated_at;

--! get : Team
SELECT id, name, organization_id, created_at, updated_at
FROM team
WHERE id = :id;

--! get_with_organization : TeamWithOrganization
SELECT t.id, t.name, t.organization_id, t.created_at, t.updated_at,
    o.name AS organization_name, o.slug AS organization_slug, o.logo AS organization_logo,
    o.created_at AS organization_created_at, o.metadata AS organization_metadata
FROM team t
JOIN organization o ON o.id = t.organization_id
WHERE t.id = :id;

--! list(after?) : Team
--- In the order of their keys, those behind `after`.
SELECT id, name, organization_id, created_at, updated_at
FROM team
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_by_ids : Team
--- The teams of team members, by the keys in those.
SELECT id, name, organization_id, created_at, updated_at
FROM team
WHERE id = ANY(:ids)
ORDER BY id;

--! list_by_organization : Team
SELECT id, name, organization_id, created_at, updated_at
FROM team
WHERE organization_id = :organization_id
ORDER BY id;

--! list_by_organizations : Team
SELECT id, name, organization_id, created_at, updated_at
FROM team
WHERE organization_id = ANY(:organization_ids)
ORDER BY organization_id, id;

--! update : Team
UPDATE team SET name = :name, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, name, organization_id, created_at, updated_at;

--! delete : Team
--- With its members. Sessions in which it is active keep its key.
DELETE FROM team WHERE id = :id
RETURNING id, name, organization_id, created_at, updated_at;
