--- Pending proofs, such as the link in a confirmation mail.

--: Verification()

--! insert : Verification
INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at)
VALUES (:id, :identifier, :value, :expires_at, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
RETURNING id, identifier, value, expires_at, created_at, updated_at;

--! get : Verification
SELECT id, identifier, value, expires_at, created_at, updated_at
FROM verification
WHERE id = :id;

--! get_by_identifier : Verification
--- The newest.
SELECT id, identifier, value, expires_at, created_at, updated_at
FROM verification
WHERE identifier = :identifier
ORDER BY created_at DESC, id DESC
LIMIT 1;

--! list(after?) : Verification
--- In the order of their keys, those behind `after`.
SELECT id, identifier, value, expires_at, created_at, updated_at
FROM verification
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_by_identifier : Verification
--- The newest first.
SELECT id, identifier, value, expires_at, created_at, updated_at
FROM verification
WHERE identifier = :identifier
ORDER BY created_at DESC, id DESC;

--! update : Verification
UPDATE verification SET value = :value, expires_at = :expires_at, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, identifier, value, expires_at, created_at, updated_at;

--! consume : Verification
--- Takes a proof, so that it counts once. None where it has expired or was taken.
DELETE FROM verification
WHERE id = :id AND value = :value AND expires_at > now() AT TIME ZONE 'UTC'
RETURNING id, identifier, value, expires_at, created_at, updated_at;

--! delete : Verification
DELETE FROM verification WHERE id = :id
RETURNING id, identifier, value, expires_at, created_at, updated_at;

--! delete_by_identifier
DELETE FROM verification WHERE identifier = :identifier;

--! delete_expired
--- At most `count`: again until there are none. Copies that do it at the same time do not wait for each other.
DELETE FROM verification
WHERE id IN (
    SELECT id FROM verification
    WHERE expires_at <= now() AT TIME ZONE 'UTC'
    LIMIT :count
    FOR UPDATE SKIP LOCKED
);
