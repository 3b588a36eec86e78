--- People.

--: User(image?, role?, banned?, ban_reason?, ban_expires?)

--! insert(image?, role?) : User
INSERT INTO "user" (id, name, email, email_verified, image, role, created_at, updated_at)
VALUES (:id, :name, :email, :email_verified, :image, :role, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at;

--! get : User
SELECT id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at
FROM "user"
WHERE id = :id;

--! get_by_email : User
SELECT id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at
FROM "user"
WHERE email = :email;

--! list(after?) : User
--- In the order of their keys, those behind `after`.
SELECT id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at
FROM "user"
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_by_ids : User
--- The users of sessions, accounts, members, team members, or invitations (their inviters), by the keys in those.
SELECT id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at
FROM "user"
WHERE id = ANY(:ids)
ORDER BY id;

--! update(image?) : User
--- What users may change of themselves. None where there is no such user.
UPDATE "user" SET name = :name, image = :image, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at;

--! set_email : User
--- Address and whether it is confirmed change together, or a new address would inherit the old one's proof.
UPDATE "user" SET email = :email, email_verified = :email_verified, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at;

--! set_role(role?) : User
UPDATE "user" SET role = :role, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at;

--! ban(ban_reason?, ban_expires?) : User
--- Ends their sessions too. Without `ban_expires` it has no end.
WITH ended AS (DELETE FROM session WHERE user_id = :id)
UPDATE "user"
SET banned = true, ban_reason = :ban_reason, ban_expires = :ban_expires, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at;

--! unban : User
UPDATE "user" SET banned = false, ban_reason = NULL, ban_expires = NULL, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at;

--! delete : User
--- With their sessions, accounts, memberships, and the invitations that they sent.
DELETE FROM "user" WHERE id = :id
RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at;
