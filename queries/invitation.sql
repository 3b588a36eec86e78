--- Invitations to organizations, and to a team of them.

--: Invitation(role?, team_id?)
--: InvitationWithOrganizationAndInviter(role?, team_id?, organization_logo?, organization_metadata?, inviter_image?, inviter_role?, inviter_banned?, inviter_ban_reason?, inviter_ban_expires?)

--! insert(role?, team_id?) : Invitation
INSERT INTO invitation (id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id)
VALUES (
    :id, :organization_id, :email, :role, :team_id, 'pending', :expires_at, now() AT TIME ZONE 'UTC', :inviter_id
)
RETURNING id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id;

--! get : Invitation
SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id
FROM invitation
WHERE id = :id;

--! get_with_organization_and_inviter : InvitationWithOrganizationAndInviter
SELECT i.id, i.organization_id, i.email, i.role, i.team_id, i.status, i.expires_at, i.created_at, i.inviter_id,
    o.name AS organization_name, o.slug AS organization_slug, o.logo AS organization_logo,
    o.created_at AS organization_created_at, o.metadata AS organization_metadata,
    u.name AS inviter_name, u.email AS inviter_email, u.email_verified AS inviter_email_verified,
    u.image AS inviter_image, u.role AS inviter_role, u.banned AS inviter_banned,
    u.ban_reason AS inviter_ban_reason, u.ban_expires AS inviter_ban_expires,
    u.created_at AS inviter_created_at, u.updated_at AS inviter_updated_at
FROM invitation i
JOIN organization o ON o.id = i.organization_id
JOIN "user" u ON u.id = i.inviter_id
WHERE i.id = :id;

--! list(after?) : Invitation
--- In the order of their keys, those behind `after`.
SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id
FROM invitation
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_pending_by_email : Invitation
--- Those that can still be accepted.
SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id
FROM invitation
WHERE email = :email AND status = 'pending' AND expires_at > now() AT TIME ZONE 'UTC'
ORDER BY id;

--! list_by_organization : Invitation
SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id
FROM invitation
WHERE organization_id = :organization_id
ORDER BY id;

--! list_by_organizations : Invitation
SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id
FROM invitation
WHERE organization_id = ANY(:organization_ids)
ORDER BY organization_id, id;

--! list_by_inviter : Invitation
SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id
FROM invitation
WHERE inviter_id = :inviter_id
ORDER BY id;

--! list_by_inviters : Invitation
SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id
FROM invitation
WHERE inviter_id = ANY(:inviter_ids)
ORDER BY inviter_id, id;

--! update(role?, team_id?) : Invitation
--- Sends it once more, as what it is to be now.
UPDATE invitation SET role = :role, team_id = :team_id, expires_at = :expires_at
WHERE id = :id
RETURNING id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id;

--! set_status : Invitation
--- Accepted, rejected or canceled: one answer counts. None where the invitation is no longer pending.
UPDATE invitation SET status = :status
WHERE id = :id AND status = 'pending'
RETURNING id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id;

--! delete : Invitation
DELETE FROM invitation WHERE id = :id
RETURNING id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id;
