--- Ways to sign in: a password, or an account at an identity provider.

--: Account(access_token?, refresh_token?, id_token?, access_token_expires_at?, refresh_token_expires_at?, scope?, password?)
--: AccountWithUser(access_token?, refresh_token?, id_token?, access_token_expires_at?, refresh_token_expires_at?, scope?, password?, user_image?, user_role?, user_banned?, user_ban_reason?, user_ban_expires?)

--! insert(access_token?, refresh_token?, id_token?, access_token_expires_at?, refresh_token_expires_at?, scope?, password?) : Account
INSERT INTO account (
    id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at
)
VALUES (
    :id, :account_id, :provider_id, :user_id, :access_token, :refresh_token, :id_token,
    :access_token_expires_at, :refresh_token_expires_at, :scope, :password,
    now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
)
RETURNING id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at;

--! get : Account
SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at
FROM account
WHERE id = :id;

--! get_by_provider : Account
--- By the name that the provider has for it; the oldest, for the schema does not rule out two.
SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at
FROM account
WHERE provider_id = :provider_id AND account_id = :account_id
ORDER BY created_at, id
LIMIT 1;

--! get_by_provider_with_user : AccountWithUser
--- Whom a provider has just vouched for.
SELECT a.id, a.account_id, a.provider_id, a.user_id, a.access_token, a.refresh_token, a.id_token,
    a.access_token_expires_at, a.refresh_token_expires_at, a.scope, a.password, a.created_at, a.updated_at,
    u.name AS user_name, u.email AS user_email, u.email_verified AS user_email_verified, u.image AS user_image,
    u.role AS user_role, u.banned AS user_banned, u.ban_reason AS user_ban_reason,
    u.ban_expires AS user_ban_expires, u.created_at AS user_created_at, u.updated_at AS user_updated_at
FROM account a
JOIN "user" u ON u.id = a.user_id
WHERE a.provider_id = :provider_id AND a.account_id = :account_id
ORDER BY a.created_at, a.id
LIMIT 1;

--! list(after?) : Account
--- In the order of their keys, those behind `after`.
SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at
FROM account
WHERE id > coalesce(:after, '')
ORDER BY id
LIMIT :count;

--! list_by_user : Account
SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at
FROM account
WHERE user_id = :user_id
ORDER BY id;

--! list_by_users : Account
SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at
FROM account
WHERE user_id = ANY(:user_ids)
ORDER BY user_id, id;

--! update(access_token?, refresh_token?, id_token?, access_token_expires_at?, refresh_token_expires_at?, scope?) : Account
--- What a provider has just handed out. The password stays.
UPDATE account
SET access_token = :access_token, refresh_token = :refresh_token, id_token = :id_token,
    access_token_expires_at = :access_token_expires_at, refresh_token_expires_at = :refresh_token_expires_at,
    scope = :scope, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at;

--! set_password(password?) : Account
--- A hash, made by the app.
UPDATE account SET password = :password, updated_at = now() AT TIME ZONE 'UTC'
WHERE id = :id
RETURNING id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at;

--! delete : Account
DELETE FROM account WHERE id = :id
RETURNING id, account_id, provider_id, user_id, access_token, refresh_token, id_token,
    access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at;
