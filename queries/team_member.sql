--- Who belongs to which team.

--: TeamMember(created_at?)
--: TeamMemberWithTeam(created_at?, team_updated_at?)
--: TeamMemberWithUser(created_at?, user_image?, user_role?, user_banned?, user_ban_reason?, user_ban_expires?)

--! insert : TeamMember
INSERT INTO team_member (id, team_id, user_id, created_at)
VALUES (:id, :team_id, :user_id, now() AT TIME ZONE 'UTC')
RETURNING id, team_id, user_id, created_at;

--! get : TeamMember
SELECT id, team_id, user_id, created_at
FROM team_member
WHERE id = :id;

--! get_by_team_and_user : TeamMember
--- Whether a user belongs to a team; the first key, for the schema does not rule out two.
SELECT id, team_id, user_id, created_at
FROM team_member
WHERE team_id = :team_id AND user_id = :user_id
ORDER BY id
LIMIT 1;

--! list(after?) : TeamMember
--- In the order of their keys, those behind `after`.
SELECT id, team_id, user_id, created_at
FROM team_member
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_by_user : TeamMember
SELECT id, team_id, user_id, created_at
FROM team_member
WHERE user_id = :user_id
ORDER BY id;

--! list_by_users : TeamMember
SELECT id, team_id, user_id, created_at
FROM team_member
WHERE user_id = ANY(:user_ids)
ORDER BY user_id, id;

--! list_by_user_with_team : TeamMemberWithTeam
SELECT m.id, m.team_id, m.user_id, m.created_at,
    t.name AS team_name, t.organization_id AS team_organization_id, t.created_at AS team_created_at,
    t.updated_at AS team_updated_at
FROM team_member m
JOIN team t ON t.id = m.team_id
WHERE m.user_id = :user_id
ORDER BY m.id;

--! list_by_team : TeamMember
SELECT id, team_id, user_id, created_at
FROM team_member
WHERE team_id = :team_id
ORDER BY id;

--! list_by_teams : TeamMember
SELECT id, team_id, user_id, created_at
FROM team_member
WHERE team_id = ANY(:team_ids)
ORDER BY team_id, id;

--! list_by_team_with_user : TeamMemberWithUser
SELECT m.id, m.team_id, m.user_id, m.created_at,
    u.name AS user_name, u.email AS user_email, u.email_verified AS user_email_verified, u.image AS user_image,
    u.role AS user_role, u.banned AS user_banned, u.ban_reason AS user_ban_reason,
    u.ban_expires AS user_ban_expires, u.created_at AS user_created_at, u.updated_at AS user_updated_at
FROM team_member m
JOIN "user" u ON u.id = m.user_id
WHERE m.team_id = :team_id
ORDER BY m.id;

--! delete : TeamMember
DELETE FROM team_member WHERE id = :id
RETURNING id, team_id, user_id, created_at;
