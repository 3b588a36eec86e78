--- Signed-in browsers.

--: Session(ip_address?, user_agent?, active_organization_id?, active_team_id?, impersonated_by?)
--: SessionWithUser(ip_address?, user_agent?, active_organization_id?, active_team_id?, impersonated_by?, user_image?, user_role?, user_banned?, user_ban_reason?, user_ban_expires?)

--! insert(ip_address?, user_agent?, active_organization_id?, active_team_id?, impersonated_by?) : Session
INSERT INTO session (
    id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by
)
VALUES (
    :id, :expires_at, :token, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', :ip_address, :user_agent, :user_id,
    :active_organization_id, :active_team_id, :impersonated_by
)
RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by;

--! get : Session
SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by
FROM session
WHERE id = :id;

--! get_by_token : Session
--- Expired ones too.
SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by
FROM session
WHERE token = :token;

--! get_live_with_user : SessionWithUser
--- Who is signed in with this token. None where the session has expired.
SELECT s.id, s.expires_at, s.token, s.created_at, s.updated_at, s.ip_address, s.user_agent, s.user_id,
    s.active_organization_id, s.active_team_id, s.impersonated_by,
    u.name AS user_name, u.email AS user_email, u.email_verified AS user_email_verified, u.image AS user_image,
    u.role AS user_role, u.banned AS user_banned, u.ban_reason AS user_ban_reason,
    u.ban_expires AS user_ban_expires, u.created_at AS user_created_at, u.updated_at AS user_updated_at
FROM session s
JOIN "user" u ON u.id = s.user_id
WHERE s.token = :token AND s.expires_at > now() AT TIME ZONE 'UTC';

--! list(after?) : Session
--- In the order of their keys, those behind `after`.
SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by
FROM session
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_by_user : Session
SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by
FROM session
WHERE user_id = :user_id
ORDER BY id;

--! list_by_users : Session
SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by
FROM session
WHERE user_id = ANY(:user_ids)
ORDER BY user_id, id;

--! update(ip_address?, user_agent?) : Session
--- Keeps it alive until `expires_at`.
UPDATE session
SET expires_at = :expires_at, ip_address = :ip_address, user_agent = :user_agent,
    updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by;

--! set_active_organization(active_organization_id?) : Session
--- No team is active afterwards: the one that was belongs to another organization.
UPDATE session
SET active_organization_id = :active_organization_id, active_team_id = NULL, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by;

--! set_active_team(active_team_id?) : Session
UPDATE session SET active_team_id = :active_team_id, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by;

--! delete : Session
DELETE FROM session WHERE id = :id
RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by;

--! delete_by_token : Session
--- Signs out.
DELETE FROM session WHERE token = :token
RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id,
    active_organization_id, active_team_id, impersonated_by;

--! delete_by_user(but_id?)
--- Signs a user out everywhere, or everywhere else: `but_id` stays.
DELETE FROM session WHERE user_id = :user_id AND id IS DISTINCT FROM :but_id;

--! delete_expired
--- At most `count`: again until there are none. Copies that do it at the same time do not wait for each other.
DELETE FROM session
WHERE id IN (
    SELECT id FROM session
    WHERE expires_at <= now() AT TIME ZONE 'UTC'
    LIMIT :count
    FOR UPDATE SKIP LOCKED
);
