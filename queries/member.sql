--- Who belongs to which organization, and as what.

--: Member()
--: MemberWithOrganization(organization_logo?, organization_metadata?)
--: MemberWithUser(user_image?, user_role?, user_banned?, user_ban_reason?, user_ban_expires?)

--! insert : Member
INSERT INTO member (id, organization_id, user_id, role, created_at)
VALUES (:id, :organization_id, :user_id, :role, now() AT TIME ZONE 'UTC')
RETURNING id, organization_id, user_id, role, created_at;

--! get : Member
SELECT id, organization_id, user_id, role, created_at
FROM member
WHERE id = :id;

--! get_by_organization_and_user : Member
--- As what a user belongs to an organization; the first key, for the schema does not rule out two.
SELECT id, organization_id, user_id, role, created_at
FROM member
WHERE organization_id = :organization_id AND user_id = :user_id
ORDER BY id
LIMIT 1;

--! list(after?) : Member
--- In the order of their keys, those behind `after`.
SELECT id, organization_id, user_id, role, created_at
FROM member
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_by_user : Member
SELECT id, organization_id, user_id, role, created_at
FROM member
WHERE user_id = :user_id
ORDER BY id;

--! list_by_users : Member
SELECT id, organization_id, user_id, role, created_at
FROM member
WHERE user_id = ANY(:user_ids)
ORDER BY user_id, id;

--! list_by_user_with_organization : MemberWithOrganization
SELECT m.id, m.organization_id, m.user_id, m.role, m.created_at,
    o.name AS organization_name, o.slug AS organization_slug, o.logo AS organization_logo,
    o.created_at AS organization_created_at, o.metadata AS organization_metadata
FROM member m
JOIN organization o ON o.id = m.organization_id
WHERE m.user_id = :user_id
ORDER BY m.id;

--! list_by_organization : Member
SELECT id, organization_id, user_id, role, created_at
FROM member
WHERE organization_id = :organization_id
ORDER BY id;

--! list_by_organizations : Member
SELECT id, organization_id, user_id, role, created_at
FROM member
WHERE organization_id = ANY(:organization_ids)
ORDER BY organization_id, id;

--! list_by_organization_with_user : MemberWithUser
SELECT m.id, m.organization_id, m.user_id, m.role, m.created_at,
    u.name AS user_name, u.email AS user_email, u.email_verified AS user_email_verified, u.image AS user_image,
    u.role AS user_role, u.banned AS user_banned, u.ban_reason AS user_ban_reason,
    u.ban_expires AS user_ban_expires, u.created_at AS user_created_at, u.updated_at AS user_updated_at
FROM member m
JOIN "user" u ON u.id = m.user_id
WHERE m.organization_id = :organization_id
ORDER BY m.id;

--! update : Member
UPDATE member SET role = :role
WHERE id = :id
RETURNING id, organization_id, user_id, role, created_at;

--! delete : Member
DELETE FROM member WHERE id = :id
RETURNING id, organization_id, user_id, role, created_at;
