// This file was generated with `cornucopia`. Do not modify.

pub struct InsertParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
    T6: crate::StringSql,
    T7: crate::StringSql,
    T8: crate::StringSql,
    T9: crate::StringSql,
> {
    pub id: T1,
    pub account_id: T2,
    pub provider_id: T3,
    pub user_id: T4,
    pub access_token: Option<T5>,
    pub refresh_token: Option<T6>,
    pub id_token: Option<T7>,
    pub access_token_expires_at: Option<chrono::NaiveDateTime>,
    pub refresh_token_expires_at: Option<chrono::NaiveDateTime>,
    pub scope: Option<T8>,
    pub password: Option<T9>,
}
impl<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
    T6: crate::StringSql,
    T7: crate::StringSql,
    T8: crate::StringSql,
    T9: crate::StringSql,
> std::fmt::Debug for InsertParams<T1, T2, T3, T4, T5, T6, T7, T8, T9>
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InsertParams").finish_non_exhaustive()
    }
}
#[derive(Debug)]
pub struct GetByProviderParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub provider_id: T1,
    pub account_id: T2,
}
#[derive(Debug)]
pub struct GetByProviderWithUserParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub provider_id: T1,
    pub account_id: T2,
}
#[derive(Debug)]
pub struct ListParams<T1: crate::StringSql> {
    pub after: Option<T1>,
    pub count: i64,
}
pub struct UpdateParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
> {
    pub access_token: Option<T1>,
    pub refresh_token: Option<T2>,
    pub id_token: Option<T3>,
    pub access_token_expires_at: Option<chrono::NaiveDateTime>,
    pub refresh_token_expires_at: Option<chrono::NaiveDateTime>,
    pub scope: Option<T4>,
    pub id: T5,
}
impl<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
> std::fmt::Debug for UpdateParams<T1, T2, T3, T4, T5>
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpdateParams").finish_non_exhaustive()
    }
}
pub struct SetPasswordParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub password: Option<T1>,
    pub id: T2,
}
impl<T1: crate::StringSql, T2: crate::StringSql> std::fmt::Debug for SetPasswordParams<T1, T2> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetPasswordParams").finish_non_exhaustive()
    }
}
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub account_id: String,
    pub provider_id: String,
    pub user_id: String,
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
    pub access_token_expires_at: Option<chrono::NaiveDateTime>,
    pub refresh_token_expires_at: Option<chrono::NaiveDateTime>,
    pub scope: Option<String>,
    pub password: Option<String>,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
}
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}
pub struct AccountBorrowed<'a> {
    pub id: &'a str,
    pub account_id: &'a str,
    pub provider_id: &'a str,
    pub user_id: &'a str,
    pub access_token: Option<&'a str>,
    pub refresh_token: Option<&'a str>,
    pub id_token: Option<&'a str>,
    pub access_token_expires_at: Option<chrono::NaiveDateTime>,
    pub refresh_token_expires_at: Option<chrono::NaiveDateTime>,
    pub scope: Option<&'a str>,
    pub password: Option<&'a str>,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
}
impl<'a> From<AccountBorrowed<'a>> for Account {
    fn from(
        AccountBorrowed {
            id,
            account_id,
            provider_id,
            user_id,
            access_token,
            refresh_token,
            id_token,
            access_token_expires_at,
            refresh_token_expires_at,
            scope,
            password,
            created_at,
            updated_at,
        }: AccountBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            account_id: account_id.into(),
            provider_id: provider_id.into(),
            user_id: user_id.into(),
            access_token: access_token.map(|v| v.into()),
            refresh_token: refresh_token.map(|v| v.into()),
            id_token: id_token.map(|v| v.into()),
            access_token_expires_at,
            refresh_token_expires_at,
            scope: scope.map(|v| v.into()),
            password: password.map(|v| v.into()),
            created_at,
            updated_at,
        }
    }
}
#[derive(Clone, PartialEq, Eq)]
pub struct AccountWithUser {
    pub id: String,
    pub account_id: String,
    pub provider_id: String,
    pub user_id: String,
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
    pub access_token_expires_at: Option<chrono::NaiveDateTime>,
    pub refresh_token_expires_at: Option<chrono::NaiveDateTime>,
    pub scope: Option<String>,
    pub password: Option<String>,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
    pub user_name: String,
    pub user_email: String,
    pub user_email_verified: bool,
    pub user_image: Option<String>,
    pub user_role: Option<String>,
    pub user_banned: Option<bool>,
    pub user_ban_reason: Option<String>,
    pub user_ban_expires: Option<chrono::NaiveDateTime>,
    pub user_created_at: chrono::NaiveDateTime,
    pub user_updated_at: chrono::NaiveDateTime,
}
impl std::fmt::Debug for AccountWithUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountWithUser").finish_non_exhaustive()
    }
}
pub struct AccountWithUserBorrowed<'a> {
    pub id: &'a str,
    pub account_id: &'a str,
    pub provider_id: &'a str,
    pub user_id: &'a str,
    pub access_token: Option<&'a str>,
    pub refresh_token: Option<&'a str>,
    pub id_token: Option<&'a str>,
    pub access_token_expires_at: Option<chrono::NaiveDateTime>,
    pub refresh_token_expires_at: Option<chrono::NaiveDateTime>,
    pub scope: Option<&'a str>,
    pub password: Option<&'a str>,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
    pub user_name: &'a str,
    pub user_email: &'a str,
    pub user_email_verified: bool,
    pub user_image: Option<&'a str>,
    pub user_role: Option<&'a str>,
    pub user_banned: Option<bool>,
    pub user_ban_reason: Option<&'a str>,
    pub user_ban_expires: Option<chrono::NaiveDateTime>,
    pub user_created_at: chrono::NaiveDateTime,
    pub user_updated_at: chrono::NaiveDateTime,
}
impl<'a> From<AccountWithUserBorrowed<'a>> for AccountWithUser {
    fn from(
        AccountWithUserBorrowed {
            id,
            account_id,
            provider_id,
            user_id,
            access_token,
            refresh_token,
            id_token,
            access_token_expires_at,
            refresh_token_expires_at,
            scope,
            password,
            created_at,
            updated_at,
            user_name,
            user_email,
            user_email_verified,
            user_image,
            user_role,
            user_banned,
            user_ban_reason,
            user_ban_expires,
            user_created_at,
            user_updated_at,
        }: AccountWithUserBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            account_id: account_id.into(),
            provider_id: provider_id.into(),
            user_id: user_id.into(),
            access_token: access_token.map(|v| v.into()),
            refresh_token: refresh_token.map(|v| v.into()),
            id_token: id_token.map(|v| v.into()),
            access_token_expires_at,
            refresh_token_expires_at,
            scope: scope.map(|v| v.into()),
            password: password.map(|v| v.into()),
            created_at,
            updated_at,
            user_name: user_name.into(),
            user_email: user_email.into(),
            user_email_verified,
            user_image: user_image.map(|v| v.into()),
            user_role: user_role.map(|v| v.into()),
            user_banned,
            user_ban_reason: user_ban_reason.map(|v| v.into()),
            user_ban_expires,
            user_created_at,
            user_updated_at,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct AccountQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AccountBorrowed, tokio_postgres::Error>,
    mapper: fn(AccountBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccountQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(AccountBorrowed) -> R) -> AccountQuery<'c, 'a, 's, C, R, N> {
        AccountQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row = crate::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row = crate::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<impl futures::Stream<Item = Result<T, tokio_postgres::Error>> + 'c, tokio_postgres::Error>
    {
        let stream = crate::client::async_::raw(
            self.client,
            self.query,
            crate::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct AccountWithUserQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<AccountWithUserBorrowed, tokio_postgres::Error>,
    mapper: fn(AccountWithUserBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> AccountWithUserQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(AccountWithUserBorrowed) -> R,
    ) -> AccountWithUserQuery<'c, 'a, 's, C, R, N> {
        AccountWithUserQuery {
            client: self.client,
            params: self.params,
            query: self.query,
            cached: self.cached,
            extractor: self.extractor,
            mapper,
        }
    }
    pub async fn one(self) -> Result<T, tokio_postgres::Error> {
        let row = crate::client::async_::one(self.client, self.query, &self.params, self.cached).await?;
        Ok((self.mapper)((self.extractor)(&row)?))
    }
    pub async fn all(self) -> Result<Vec<T>, tokio_postgres::Error> {
        self.iter().await?.try_collect().await
    }
    pub async fn opt(self) -> Result<Option<T>, tokio_postgres::Error> {
        let opt_row = crate::client::async_::opt(self.client, self.query, &self.params, self.cached).await?;
        Ok(opt_row
            .map(|row| {
                let extracted = (self.extractor)(&row)?;
                Ok((self.mapper)(extracted))
            })
            .transpose()?)
    }
    pub async fn iter(
        self,
    ) -> Result<impl futures::Stream<Item = Result<T, tokio_postgres::Error>> + 'c, tokio_postgres::Error>
    {
        let stream = crate::client::async_::raw(
            self.client,
            self.query,
            crate::slice_iter(&self.params),
            self.cached,
        )
        .await?;
        let mapped = stream
            .map(move |res| {
                res.and_then(|row| {
                    let extracted = (self.extractor)(&row)?;
                    Ok((self.mapper)(extracted))
                })
            })
            .into_stream();
        Ok(mapped)
    }
}
pub struct InsertStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn insert() -> InsertStmt {
    InsertStmt(
        "INSERT INTO account ( id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at ) VALUES ( $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC' ) RETURNING id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at",
        None,
    )
}
impl InsertStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::StringSql,
        T2: crate::StringSql,
        T3: crate::StringSql,
        T4: crate::StringSql,
        T5: crate::StringSql,
        T6: crate::StringSql,
        T7: crate::StringSql,
        T8: crate::StringSql,
        T9: crate::StringSql,
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        account_id: &'a T2,
        provider_id: &'a T3,
        user_id: &'a T4,
        access_token: &'a Option<T5>,
        refresh_token: &'a Option<T6>,
        id_token: &'a Option<T7>,
        access_token_expires_at: &'a Option<chrono::NaiveDateTime>,
        refresh_token_expires_at: &'a Option<chrono::NaiveDateTime>,
        scope: &'a Option<T8>,
        password: &'a Option<T9>,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 11> {
        AccountQuery {
            client,
            params: [
                id,
                account_id,
                provider_id,
                user_id,
                access_token,
                refresh_token,
                id_token,
                access_token_expires_at,
                refresh_token_expires_at,
                scope,
                password,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
impl<
    'c,
    'a,
    's,
    C: GenericClient,
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
    T6: crate::StringSql,
    T7: crate::StringSql,
    T8: crate::StringSql,
    T9: crate::StringSql,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        InsertParams<T1, T2, T3, T4, T5, T6, T7, T8, T9>,
        AccountQuery<'c, 'a, 's, C, Account, 11>,
        C,
    > for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2, T3, T4, T5, T6, T7, T8, T9>,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 11> {
        self.bind(
            client,
            &params.id,
            &params.account_id,
            &params.provider_id,
            &params.user_id,
            &params.access_token,
            &params.refresh_token,
            &params.id_token,
            &params.access_token_expires_at,
            &params.refresh_token_expires_at,
            &params.scope,
            &params.password,
        )
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt(
        "SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at FROM account WHERE id = $1",
        None,
    )
}
impl GetStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        id: &'a T1,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 1> {
        AccountQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
pub struct GetByProviderStmt(&'static str, Option<tokio_postgres::Statement>);
/// By the name that the provider has for it; the oldest, for the schema does not rule out two.
pub fn get_by_provider() -> GetByProviderStmt {
    GetByProviderStmt(
        "SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at FROM account WHERE provider_id = $1 AND account_id = $2 ORDER BY created_at, id LIMIT 1",
        None,
    )
}
impl GetByProviderStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        provider_id: &'a T1,
        account_id: &'a T2,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 2> {
        AccountQuery {
            client,
            params: [provider_id, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetByProviderParams<T1, T2>,
        AccountQuery<'c, 'a, 's, C, Account, 2>,
        C,
    > for GetByProviderStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetByProviderParams<T1, T2>,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 2> {
        self.bind(client, &params.provider_id, &params.account_id)
    }
}
pub struct GetByProviderWithUserStmt(&'static str, Option<tokio_postgres::Statement>);
/// Whom a provider has just vouched for.
pub fn get_by_provider_with_user() -> GetByProviderWithUserStmt {
    GetByProviderWithUserStmt(
        "SELECT a.id, a.account_id, a.provider_id, a.user_id, a.access_token, a.refresh_token, a.id_token, a.access_token_expires_at, a.refresh_token_expires_at, a.scope, a.password, a.created_at, a.updated_at, u.name AS user_name, u.email AS user_email, u.email_verified AS user_email_verified, u.image AS user_image, u.role AS user_role, u.banned AS user_banned, u.ban_reason AS user_ban_reason, u.ban_expires AS user_ban_expires, u.created_at AS user_created_at, u.updated_at AS user_updated_at FROM account a JOIN \"user\" u ON u.id = a.user_id WHERE a.provider_id = $1 AND a.account_id = $2 ORDER BY a.created_at, a.id LIMIT 1",
        None,
    )
}
impl GetByProviderWithUserStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        provider_id: &'a T1,
        account_id: &'a T2,
    ) -> AccountWithUserQuery<'c, 'a, 's, C, AccountWithUser, 2> {
        AccountWithUserQuery {
            client,
            params: [provider_id, account_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountWithUserBorrowed, tokio_postgres::Error> {
                Ok(AccountWithUserBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                    user_name: row.try_get(13)?,
                    user_email: row.try_get(14)?,
                    user_email_verified: row.try_get(15)?,
                    user_image: row.try_get(16)?,
                    user_role: row.try_get(17)?,
                    user_banned: row.try_get(18)?,
                    user_ban_reason: row.try_get(19)?,
                    user_ban_expires: row.try_get(20)?,
                    user_created_at: row.try_get(21)?,
                    user_updated_at: row.try_get(22)?,
                })
            },
            mapper: |it| AccountWithUser::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetByProviderWithUserParams<T1, T2>,
        AccountWithUserQuery<'c, 'a, 's, C, AccountWithUser, 2>,
        C,
    > for GetByProviderWithUserStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetByProviderWithUserParams<T1, T2>,
    ) -> AccountWithUserQuery<'c, 'a, 's, C, AccountWithUser, 2> {
        self.bind(client, &params.provider_id, &params.account_id)
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at FROM account WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
        None,
    )
}
impl ListStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        after: &'a Option<T1>,
        count: &'a i64,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 2> {
        AccountQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, ListParams<T1>, AccountQuery<'c, 'a, 's, C, Account, 2>, C>
    for ListStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListParams<T1>,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct ListByUserStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_user() -> ListByUserStmt {
    ListByUserStmt(
        "SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at FROM account WHERE user_id = $1 ORDER BY id",
        None,
    )
}
impl ListByUserStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        user_id: &'a T1,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 1> {
        AccountQuery {
            client,
            params: [user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
pub struct ListByUsersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_users() -> ListByUsersStmt {
    ListByUsersStmt(
        "SELECT id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at FROM account WHERE user_id = ANY($1) ORDER BY user_id, id",
        None,
    )
}
impl ListByUsersStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::ArraySql<Item = T1>>(
        &'s self,
        client: &'c C,
        user_ids: &'a T2,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 1> {
        AccountQuery {
            client,
            params: [user_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
pub struct UpdateStmt(&'static str, Option<tokio_postgres::Statement>);
/// What a provider has just handed out. The password stays.
pub fn update() -> UpdateStmt {
    UpdateStmt(
        "UPDATE account SET access_token = $1, refresh_token = $2, id_token = $3, access_token_expires_at = $4, refresh_token_expires_at = $5, scope = $6, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $7 RETURNING id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at",
        None,
    )
}
impl UpdateStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<
        'c,
        'a,
        's,
        C: GenericClient,
        T1: crate::StringSql,
        T2: crate::StringSql,
        T3: crate::StringSql,
        T4: crate::StringSql,
        T5: crate::StringSql,
    >(
        &'s self,
        client: &'c C,
        access_token: &'a Option<T1>,
        refresh_token: &'a Option<T2>,
        id_token: &'a Option<T3>,
        access_token_expires_at: &'a Option<chrono::NaiveDateTime>,
        refresh_token_expires_at: &'a Option<chrono::NaiveDateTime>,
        scope: &'a Option<T4>,
        id: &'a T5,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 7> {
        AccountQuery {
            client,
            params: [
                access_token,
                refresh_token,
                id_token,
                access_token_expires_at,
                refresh_token_expires_at,
                scope,
                id,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
impl<
    'c,
    'a,
    's,
    C: GenericClient,
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        UpdateParams<T1, T2, T3, T4, T5>,
        AccountQuery<'c, 'a, 's, C, Account, 7>,
        C,
    > for UpdateStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UpdateParams<T1, T2, T3, T4, T5>,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 7> {
        self.bind(
            client,
            &params.access_token,
            &params.refresh_token,
            &params.id_token,
            &params.access_token_expires_at,
            &params.refresh_token_expires_at,
            &params.scope,
            &params.id,
        )
    }
}
pub struct SetPasswordStmt(&'static str, Option<tokio_postgres::Statement>);
/// A hash, made by the app.
pub fn set_password() -> SetPasswordStmt {
    SetPasswordStmt(
        "UPDATE account SET password = $1, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $2 RETURNING id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at",
        None,
    )
}
impl SetPasswordStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        password: &'a Option<T1>,
        id: &'a T2,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 2> {
        AccountQuery {
            client,
            params: [password, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SetPasswordParams<T1, T2>,
        AccountQuery<'c, 'a, 's, C, Account, 2>,
        C,
    > for SetPasswordStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetPasswordParams<T1, T2>,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 2> {
        self.bind(client, &params.password, &params.id)
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM account WHERE id = $1 RETURNING id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at",
        None,
    )
}
impl DeleteStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        id: &'a T1,
    ) -> AccountQuery<'c, 'a, 's, C, Account, 1> {
        AccountQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<AccountBorrowed, tokio_postgres::Error> {
                Ok(AccountBorrowed {
                    id: row.try_get(0)?,
                    account_id: row.try_get(1)?,
                    provider_id: row.try_get(2)?,
                    user_id: row.try_get(3)?,
                    access_token: row.try_get(4)?,
                    refresh_token: row.try_get(5)?,
                    id_token: row.try_get(6)?,
                    access_token_expires_at: row.try_get(7)?,
                    refresh_token_expires_at: row.try_get(8)?,
                    scope: row.try_get(9)?,
                    password: row.try_get(10)?,
                    created_at: row.try_get(11)?,
                    updated_at: row.try_get(12)?,
                })
            },
            mapper: |it| Account::from(it),
        }
    }
}
