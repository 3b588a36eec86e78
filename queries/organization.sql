--- Organizations.

--: Organization(logo?, metadata?)

--! insert(logo?, metadata?) : Organization
INSERT INTO organization (id, name, slug, logo, created_at, metadata)
VALUES (:id, :name, :slug, :logo, now() AT TIME ZONE 'UTC', :metadata)
RETURNING id, name, slug, logo, created_at, metadata;

--! get : Organization
SELECT id, name, slug, logo, created_at, metadata
FROM organization
WHERE id = :id;

--! get_by_slug : Organization
SELECT id, name, slug, logo, created_at, metadata
FROM organization
WHERE slug = :slug;

--! list(after?) : Organization
--- In the order of their keys, those behind `after`.
SELECT id, name, slug, logo, created_at, metadata
FROM organization
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_by_ids : Organization
--- The organizations of teams, members, or invitations, by the keys in those.
SELECT id, name, slug, logo, created_at, metadata
FROM organization
WHERE id = ANY(:ids)
ORDER BY id;

--! update(logo?, metadata?) : Organization
UPDATE organization SET name = :name, slug = :slug, logo = :logo, metadata = :metadata
WHERE id = :id
RETURNING id, name, slug, logo, created_at, metadata;

--! delete : Organization
--- With its teams and their members, its members, and its invitations. Sessions in which it is active keep its key.
DELETE FROM organization WHERE id = :id
RETURNING id, name, slug, logo, created_at, metadata;
