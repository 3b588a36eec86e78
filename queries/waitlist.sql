--- People who asked to be told when the product opens.

--: Waitlist()

--! insert : Waitlist
INSERT INTO waitlist (id, email, created_at)
VALUES (:id, :email, now() AT TIME ZONE 'UTC')
RETURNING id, email, created_at;

--! join
--- Puts an address on the list. 0 where it was there already.
INSERT INTO waitlist (id, email, created_at)
VALUES (:id, :email, now() AT TIME ZONE 'UTC')
ON CONFLICT (email) DO NOTHING;

--! count
SELECT count(*) AS total FROM waitlist;

--! get : Waitlist
SELECT id, email, created_at
FROM waitlist
WHERE id = :id;

--! get_by_email : Waitlist
SELECT id, email, created_at
FROM waitlist
WHERE email = :email;

--! list(after?) : Waitlist
--- In the order of their keys, those behind `after`.
SELECT id, email, created_at
FROM waitlist
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! delete : Waitlist
DELETE FROM waitlist WHERE id = :id
RETURNING id, email, created_at;
