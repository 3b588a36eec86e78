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
> {
    pub id: T1,
    pub expires_at: chrono::NaiveDateTime,
    pub token: T2,
    pub ip_address: Option<T3>,
    pub user_agent: Option<T4>,
    pub user_id: T5,
    pub active_organization_id: Option<T6>,
    pub active_team_id: Option<T7>,
    pub impersonated_by: Option<T8>,
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
> std::fmt::Debug for InsertParams<T1, T2, T3, T4, T5, T6, T7, T8>
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InsertParams").finish_non_exhaustive()
    }
}
#[derive(Debug)]
pub struct ListParams<T1: crate::StringSql> {
    pub after: Option<T1>,
    pub count: i64,
}
#[derive(Debug)]
pub struct UpdateParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql> {
    pub expires_at: chrono::NaiveDateTime,
    pub ip_address: Option<T1>,
    pub user_agent: Option<T2>,
    pub id: T3,
}
#[derive(Debug)]
pub struct SetActiveOrganizationParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub active_organization_id: Option<T1>,
    pub id: T2,
}
#[derive(Debug)]
pub struct SetActiveTeamParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub active_team_id: Option<T1>,
    pub id: T2,
}
#[derive(Debug)]
pub struct DeleteByUserParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub user_id: T1,
    pub but_id: Option<T2>,
}
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub expires_at: chrono::NaiveDateTime,
    pub token: String,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub user_id: String,
    pub active_organization_id: Option<String>,
    pub active_team_id: Option<String>,
    pub impersonated_by: Option<String>,
}
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
pub struct SessionBorrowed<'a> {
    pub id: &'a str,
    pub expires_at: chrono::NaiveDateTime,
    pub token: &'a str,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
    pub ip_address: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub user_id: &'a str,
    pub active_organization_id: Option<&'a str>,
    pub active_team_id: Option<&'a str>,
    pub impersonated_by: Option<&'a str>,
}
impl<'a> From<SessionBorrowed<'a>> for Session {
    fn from(
        SessionBorrowed {
            id,
            expires_at,
            token,
            created_at,
            updated_at,
            ip_address,
            user_agent,
            user_id,
            active_organization_id,
            active_team_id,
            impersonated_by,
        }: SessionBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            expires_at,
            token: token.into(),
            created_at,
            updated_at,
            ip_address: ip_address.map(|v| v.into()),
            user_agent: user_agent.map(|v| v.into()),
            user_id: user_id.into(),
            active_organization_id: active_organization_id.map(|v| v.into()),
            active_team_id: active_team_id.map(|v| v.into()),
            impersonated_by: impersonated_by.map(|v| v.into()),
        }
    }
}
#[derive(Clone, PartialEq, Eq)]
pub struct SessionWithUser {
    pub id: String,
    pub expires_at: chrono::NaiveDateTime,
    pub token: String,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub user_id: String,
    pub active_organization_id: Option<String>,
    pub active_team_id: Option<String>,
    pub impersonated_by: Option<String>,
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
impl std::fmt::Debug for SessionWithUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionWithUser").finish_non_exhaustive()
    }
}
pub struct SessionWithUserBorrowed<'a> {
    pub id: &'a str,
    pub expires_at: chrono::NaiveDateTime,
    pub token: &'a str,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
    pub ip_address: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub user_id: &'a str,
    pub active_organization_id: Option<&'a str>,
    pub active_team_id: Option<&'a str>,
    pub impersonated_by: Option<&'a str>,
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
impl<'a> From<SessionWithUserBorrowed<'a>> for SessionWithUser {
    fn from(
        SessionWithUserBorrowed {
            id,
            expires_at,
            token,
            created_at,
            updated_at,
            ip_address,
            user_agent,
            user_id,
            active_organization_id,
            active_team_id,
            impersonated_by,
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
        }: SessionWithUserBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            expires_at,
            token: token.into(),
            created_at,
            updated_at,
            ip_address: ip_address.map(|v| v.into()),
            user_agent: user_agent.map(|v| v.into()),
            user_id: user_id.into(),
            active_organization_id: active_organization_id.map(|v| v.into()),
            active_team_id: active_team_id.map(|v| v.into()),
            impersonated_by: impersonated_by.map(|v| v.into()),
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
pub struct SessionQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SessionBorrowed, tokio_postgres::Error>,
    mapper: fn(SessionBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SessionQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(SessionBorrowed) -> R) -> SessionQuery<'c, 'a, 's, C, R, N> {
        SessionQuery {
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
pub struct SessionWithUserQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<SessionWithUserBorrowed, tokio_postgres::Error>,
    mapper: fn(SessionWithUserBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> SessionWithUserQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(SessionWithUserBorrowed) -> R,
    ) -> SessionWithUserQuery<'c, 'a, 's, C, R, N> {
        SessionWithUserQuery {
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
        "INSERT INTO session ( id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by ) VALUES ( $1, $2, $3, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', $4, $5, $6, $7, $8, $9 ) RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by",
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
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        expires_at: &'a chrono::NaiveDateTime,
        token: &'a T2,
        ip_address: &'a Option<T3>,
        user_agent: &'a Option<T4>,
        user_id: &'a T5,
        active_organization_id: &'a Option<T6>,
        active_team_id: &'a Option<T7>,
        impersonated_by: &'a Option<T8>,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 9> {
        SessionQuery {
            client,
            params: [
                id,
                expires_at,
                token,
                ip_address,
                user_agent,
                user_id,
                active_organization_id,
                active_team_id,
                impersonated_by,
            ],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
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
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        InsertParams<T1, T2, T3, T4, T5, T6, T7, T8>,
        SessionQuery<'c, 'a, 's, C, Session, 9>,
        C,
    > for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2, T3, T4, T5, T6, T7, T8>,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 9> {
        self.bind(
            client,
            &params.id,
            &params.expires_at,
            &params.token,
            &params.ip_address,
            &params.user_agent,
            &params.user_id,
            &params.active_organization_id,
            &params.active_team_id,
            &params.impersonated_by,
        )
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt(
        "SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by FROM session WHERE id = $1",
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
    ) -> SessionQuery<'c, 'a, 's, C, Session, 1> {
        SessionQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
pub struct GetByTokenStmt(&'static str, Option<tokio_postgres::Statement>);
/// Expired ones too.
pub fn get_by_token() -> GetByTokenStmt {
    GetByTokenStmt(
        "SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by FROM session WHERE token = $1",
        None,
    )
}
impl GetByTokenStmt {
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
        token: &'a T1,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 1> {
        SessionQuery {
            client,
            params: [token],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
pub struct GetLiveWithUserStmt(&'static str, Option<tokio_postgres::Statement>);
/// Who is signed in with this token. None where the session has expired.
pub fn get_live_with_user() -> GetLiveWithUserStmt {
    GetLiveWithUserStmt(
        "SELECT s.id, s.expires_at, s.token, s.created_at, s.updated_at, s.ip_address, s.user_agent, s.user_id, s.active_organization_id, s.active_team_id, s.impersonated_by, u.name AS user_name, u.email AS user_email, u.email_verified AS user_email_verified, u.image AS user_image, u.role AS user_role, u.banned AS user_banned, u.ban_reason AS user_ban_reason, u.ban_expires AS user_ban_expires, u.created_at AS user_created_at, u.updated_at AS user_updated_at FROM session s JOIN \"user\" u ON u.id = s.user_id WHERE s.token = $1 AND s.expires_at > now() AT TIME ZONE 'UTC'",
        None,
    )
}
impl GetLiveWithUserStmt {
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
        token: &'a T1,
    ) -> SessionWithUserQuery<'c, 'a, 's, C, SessionWithUser, 1> {
        SessionWithUserQuery {
            client,
            params: [token],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionWithUserBorrowed, tokio_postgres::Error> {
                Ok(SessionWithUserBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                    user_name: row.try_get(11)?,
                    user_email: row.try_get(12)?,
                    user_email_verified: row.try_get(13)?,
                    user_image: row.try_get(14)?,
                    user_role: row.try_get(15)?,
                    user_banned: row.try_get(16)?,
                    user_ban_reason: row.try_get(17)?,
                    user_ban_expires: row.try_get(18)?,
                    user_created_at: row.try_get(19)?,
                    user_updated_at: row.try_get(20)?,
                })
            },
            mapper: |it| SessionWithUser::from(it),
        }
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by FROM session WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
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
    ) -> SessionQuery<'c, 'a, 's, C, Session, 2> {
        SessionQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, ListParams<T1>, SessionQuery<'c, 'a, 's, C, Session, 2>, C>
    for ListStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListParams<T1>,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct ListByUserStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_user() -> ListByUserStmt {
    ListByUserStmt(
        "SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by FROM session WHERE user_id = $1 ORDER BY id",
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
    ) -> SessionQuery<'c, 'a, 's, C, Session, 1> {
        SessionQuery {
            client,
            params: [user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
pub struct ListByUsersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_users() -> ListByUsersStmt {
    ListByUsersStmt(
        "SELECT id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by FROM session WHERE user_id = ANY($1) ORDER BY user_id, id",
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
    ) -> SessionQuery<'c, 'a, 's, C, Session, 1> {
        SessionQuery {
            client,
            params: [user_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
pub struct UpdateStmt(&'static str, Option<tokio_postgres::Statement>);
/// Keeps it alive until `expires_at`.
pub fn update() -> UpdateStmt {
    UpdateStmt(
        "UPDATE session SET expires_at = $1, ip_address = $2, user_agent = $3, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $4 RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by",
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
    >(
        &'s self,
        client: &'c C,
        expires_at: &'a chrono::NaiveDateTime,
        ip_address: &'a Option<T1>,
        user_agent: &'a Option<T2>,
        id: &'a T3,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 4> {
        SessionQuery {
            client,
            params: [expires_at, ip_address, user_agent, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        UpdateParams<T1, T2, T3>,
        SessionQuery<'c, 'a, 's, C, Session, 4>,
        C,
    > for UpdateStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UpdateParams<T1, T2, T3>,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 4> {
        self.bind(
            client,
            &params.expires_at,
            &params.ip_address,
            &params.user_agent,
            &params.id,
        )
    }
}
pub struct SetActiveOrganizationStmt(&'static str, Option<tokio_postgres::Statement>);
/// No team is active afterwards: the one that was belongs to another organization.
pub fn set_active_organization() -> SetActiveOrganizationStmt {
    SetActiveOrganizationStmt(
        "UPDATE session SET active_organization_id = $1, active_team_id = NULL, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $2 RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by",
        None,
    )
}
impl SetActiveOrganizationStmt {
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
        active_organization_id: &'a Option<T1>,
        id: &'a T2,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 2> {
        SessionQuery {
            client,
            params: [active_organization_id, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SetActiveOrganizationParams<T1, T2>,
        SessionQuery<'c, 'a, 's, C, Session, 2>,
        C,
    > for SetActiveOrganizationStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetActiveOrganizationParams<T1, T2>,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 2> {
        self.bind(client, &params.active_organization_id, &params.id)
    }
}
pub struct SetActiveTeamStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_active_team() -> SetActiveTeamStmt {
    SetActiveTeamStmt(
        "UPDATE session SET active_team_id = $1, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $2 RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by",
        None,
    )
}
impl SetActiveTeamStmt {
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
        active_team_id: &'a Option<T1>,
        id: &'a T2,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 2> {
        SessionQuery {
            client,
            params: [active_team_id, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SetActiveTeamParams<T1, T2>,
        SessionQuery<'c, 'a, 's, C, Session, 2>,
        C,
    > for SetActiveTeamStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetActiveTeamParams<T1, T2>,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 2> {
        self.bind(client, &params.active_team_id, &params.id)
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM session WHERE id = $1 RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by",
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
    ) -> SessionQuery<'c, 'a, 's, C, Session, 1> {
        SessionQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
pub struct DeleteByTokenStmt(&'static str, Option<tokio_postgres::Statement>);
/// Signs out.
pub fn delete_by_token() -> DeleteByTokenStmt {
    DeleteByTokenStmt(
        "DELETE FROM session WHERE token = $1 RETURNING id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, active_team_id, impersonated_by",
        None,
    )
}
impl DeleteByTokenStmt {
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
        token: &'a T1,
    ) -> SessionQuery<'c, 'a, 's, C, Session, 1> {
        SessionQuery {
            client,
            params: [token],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<SessionBorrowed, tokio_postgres::Error> {
                Ok(SessionBorrowed {
                    id: row.try_get(0)?,
                    expires_at: row.try_get(1)?,
                    token: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                    ip_address: row.try_get(5)?,
                    user_agent: row.try_get(6)?,
                    user_id: row.try_get(7)?,
                    active_organization_id: row.try_get(8)?,
                    active_team_id: row.try_get(9)?,
                    impersonated_by: row.try_get(10)?,
                })
            },
            mapper: |it| Session::from(it),
        }
    }
}
pub struct DeleteByUserStmt(&'static str, Option<tokio_postgres::Statement>);
/// Signs a user out everywhere, or everywhere else: `but_id` stays.
pub fn delete_by_user() -> DeleteByUserStmt {
    DeleteByUserStmt(
        "DELETE FROM session WHERE user_id = $1 AND id IS DISTINCT FROM $2",
        None,
    )
}
impl DeleteByUserStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        user_id: &'a T1,
        but_id: &'a Option<T2>,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[user_id, but_id]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        DeleteByUserParams<T1, T2>,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for DeleteByUserStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a DeleteByUserParams<T1, T2>,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>
    {
        Box::pin(self.bind(client, &params.user_id, &params.but_id))
    }
}
pub struct DeleteExpiredStmt(&'static str, Option<tokio_postgres::Statement>);
/// At most `count`: again until there are none. Copies that do it at the same time do not wait for each other.
pub fn delete_expired() -> DeleteExpiredStmt {
    DeleteExpiredStmt(
        "DELETE FROM session WHERE id IN ( SELECT id FROM session WHERE expires_at <= now() AT TIME ZONE 'UTC' LIMIT $1 FOR UPDATE SKIP LOCKED )",
        None,
    )
}
impl DeleteExpiredStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient>(
        &'s self,
        client: &'c C,
        count: &'a i64,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[count]).await
    }
}
