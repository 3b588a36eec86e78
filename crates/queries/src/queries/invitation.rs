// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct InsertParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
    T6: crate::StringSql,
> {
    pub id: T1,
    pub organization_id: T2,
    pub email: T3,
    pub role: Option<T4>,
    pub team_id: Option<T5>,
    pub expires_at: chrono::NaiveDateTime,
    pub inviter_id: T6,
}
#[derive(Debug)]
pub struct ListParams<T1: crate::StringSql> {
    pub after: Option<T1>,
    pub count: i64,
}
#[derive(Debug)]
pub struct UpdateParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql> {
    pub role: Option<T1>,
    pub team_id: Option<T2>,
    pub expires_at: chrono::NaiveDateTime,
    pub id: T3,
}
#[derive(Debug)]
pub struct SetStatusParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub status: T1,
    pub id: T2,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: String,
    pub organization_id: String,
    pub email: String,
    pub role: Option<String>,
    pub team_id: Option<String>,
    pub status: String,
    pub expires_at: chrono::NaiveDateTime,
    pub created_at: chrono::NaiveDateTime,
    pub inviter_id: String,
}
pub struct InvitationBorrowed<'a> {
    pub id: &'a str,
    pub organization_id: &'a str,
    pub email: &'a str,
    pub role: Option<&'a str>,
    pub team_id: Option<&'a str>,
    pub status: &'a str,
    pub expires_at: chrono::NaiveDateTime,
    pub created_at: chrono::NaiveDateTime,
    pub inviter_id: &'a str,
}
impl<'a> From<InvitationBorrowed<'a>> for Invitation {
    fn from(
        InvitationBorrowed {
            id,
            organization_id,
            email,
            role,
            team_id,
            status,
            expires_at,
            created_at,
            inviter_id,
        }: InvitationBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            organization_id: organization_id.into(),
            email: email.into(),
            role: role.map(|v| v.into()),
            team_id: team_id.map(|v| v.into()),
            status: status.into(),
            expires_at,
            created_at,
            inviter_id: inviter_id.into(),
        }
    }
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationWithOrganizationAndInviter {
    pub id: String,
    pub organization_id: String,
    pub email: String,
    pub role: Option<String>,
    pub team_id: Option<String>,
    pub status: String,
    pub expires_at: chrono::NaiveDateTime,
    pub created_at: chrono::NaiveDateTime,
    pub inviter_id: String,
    pub organization_name: String,
    pub organization_slug: String,
    pub organization_logo: Option<String>,
    pub organization_created_at: chrono::NaiveDateTime,
    pub organization_metadata: Option<String>,
    pub inviter_name: String,
    pub inviter_email: String,
    pub inviter_email_verified: bool,
    pub inviter_image: Option<String>,
    pub inviter_role: Option<String>,
    pub inviter_banned: Option<bool>,
    pub inviter_ban_reason: Option<String>,
    pub inviter_ban_expires: Option<chrono::NaiveDateTime>,
    pub inviter_created_at: chrono::NaiveDateTime,
    pub inviter_updated_at: chrono::NaiveDateTime,
}
pub struct InvitationWithOrganizationAndInviterBorrowed<'a> {
    pub id: &'a str,
    pub organization_id: &'a str,
    pub email: &'a str,
    pub role: Option<&'a str>,
    pub team_id: Option<&'a str>,
    pub status: &'a str,
    pub expires_at: chrono::NaiveDateTime,
    pub created_at: chrono::NaiveDateTime,
    pub inviter_id: &'a str,
    pub organization_name: &'a str,
    pub organization_slug: &'a str,
    pub organization_logo: Option<&'a str>,
    pub organization_created_at: chrono::NaiveDateTime,
    pub organization_metadata: Option<&'a str>,
    pub inviter_name: &'a str,
    pub inviter_email: &'a str,
    pub inviter_email_verified: bool,
    pub inviter_image: Option<&'a str>,
    pub inviter_role: Option<&'a str>,
    pub inviter_banned: Option<bool>,
    pub inviter_ban_reason: Option<&'a str>,
    pub inviter_ban_expires: Option<chrono::NaiveDateTime>,
    pub inviter_created_at: chrono::NaiveDateTime,
    pub inviter_updated_at: chrono::NaiveDateTime,
}
impl<'a> From<InvitationWithOrganizationAndInviterBorrowed<'a>> for InvitationWithOrganizationAndInviter {
    fn from(
        InvitationWithOrganizationAndInviterBorrowed {
            id,
            organization_id,
            email,
            role,
            team_id,
            status,
            expires_at,
            created_at,
            inviter_id,
            organization_name,
            organization_slug,
            organization_logo,
            organization_created_at,
            organization_metadata,
            inviter_name,
            inviter_email,
            inviter_email_verified,
            inviter_image,
            inviter_role,
            inviter_banned,
            inviter_ban_reason,
            inviter_ban_expires,
            inviter_created_at,
            inviter_updated_at,
        }: InvitationWithOrganizationAndInviterBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            organization_id: organization_id.into(),
            email: email.into(),
            role: role.map(|v| v.into()),
            team_id: team_id.map(|v| v.into()),
            status: status.into(),
            expires_at,
            created_at,
            inviter_id: inviter_id.into(),
            organization_name: organization_name.into(),
            organization_slug: organization_slug.into(),
            organization_logo: organization_logo.map(|v| v.into()),
            organization_created_at,
            organization_metadata: organization_metadata.map(|v| v.into()),
            inviter_name: inviter_name.into(),
            inviter_email: inviter_email.into(),
            inviter_email_verified,
            inviter_image: inviter_image.map(|v| v.into()),
            inviter_role: inviter_role.map(|v| v.into()),
            inviter_banned,
            inviter_ban_reason: inviter_ban_reason.map(|v| v.into()),
            inviter_ban_expires,
            inviter_created_at,
            inviter_updated_at,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct InvitationQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<InvitationBorrowed, tokio_postgres::Error>,
    mapper: fn(InvitationBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> InvitationQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(InvitationBorrowed) -> R) -> InvitationQuery<'c, 'a, 's, C, R, N> {
        InvitationQuery {
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
pub struct InvitationWithOrganizationAndInviterQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(
        &tokio_postgres::Row,
    ) -> Result<InvitationWithOrganizationAndInviterBorrowed, tokio_postgres::Error>,
    mapper: fn(InvitationWithOrganizationAndInviterBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> InvitationWithOrganizationAndInviterQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(InvitationWithOrganizationAndInviterBorrowed) -> R,
    ) -> InvitationWithOrganizationAndInviterQuery<'c, 'a, 's, C, R, N> {
        InvitationWithOrganizationAndInviterQuery {
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
        "INSERT INTO invitation (id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id) VALUES ( $1, $2, $3, $4, $5, 'pending', $6, now() AT TIME ZONE 'UTC', $7 ) RETURNING id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id",
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
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        organization_id: &'a T2,
        email: &'a T3,
        role: &'a Option<T4>,
        team_id: &'a Option<T5>,
        expires_at: &'a chrono::NaiveDateTime,
        inviter_id: &'a T6,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 7> {
        InvitationQuery {
            client,
            params: [id, organization_id, email, role, team_id, expires_at, inviter_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
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
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        InsertParams<T1, T2, T3, T4, T5, T6>,
        InvitationQuery<'c, 'a, 's, C, Invitation, 7>,
        C,
    > for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2, T3, T4, T5, T6>,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 7> {
        self.bind(
            client,
            &params.id,
            &params.organization_id,
            &params.email,
            &params.role,
            &params.team_id,
            &params.expires_at,
            &params.inviter_id,
        )
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt(
        "SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id FROM invitation WHERE id = $1",
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
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 1> {
        InvitationQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
pub struct GetWithOrganizationAndInviterStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_with_organization_and_inviter() -> GetWithOrganizationAndInviterStmt {
    GetWithOrganizationAndInviterStmt(
        "SELECT i.id, i.organization_id, i.email, i.role, i.team_id, i.status, i.expires_at, i.created_at, i.inviter_id, o.name AS organization_name, o.slug AS organization_slug, o.logo AS organization_logo, o.created_at AS organization_created_at, o.metadata AS organization_metadata, u.name AS inviter_name, u.email AS inviter_email, u.email_verified AS inviter_email_verified, u.image AS inviter_image, u.role AS inviter_role, u.banned AS inviter_banned, u.ban_reason AS inviter_ban_reason, u.ban_expires AS inviter_ban_expires, u.created_at AS inviter_created_at, u.updated_at AS inviter_updated_at FROM invitation i JOIN organization o ON o.id = i.organization_id JOIN \"user\" u ON u.id = i.inviter_id WHERE i.id = $1",
        None,
    )
}
impl GetWithOrganizationAndInviterStmt {
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
    ) -> InvitationWithOrganizationAndInviterQuery<'c, 'a, 's, C, InvitationWithOrganizationAndInviter, 1>
    {
        InvitationWithOrganizationAndInviterQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<
                InvitationWithOrganizationAndInviterBorrowed,
                tokio_postgres::Error,
            > {
                Ok(InvitationWithOrganizationAndInviterBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                    organization_name: row.try_get(9)?,
                    organization_slug: row.try_get(10)?,
                    organization_logo: row.try_get(11)?,
                    organization_created_at: row.try_get(12)?,
                    organization_metadata: row.try_get(13)?,
                    inviter_name: row.try_get(14)?,
                    inviter_email: row.try_get(15)?,
                    inviter_email_verified: row.try_get(16)?,
                    inviter_image: row.try_get(17)?,
                    inviter_role: row.try_get(18)?,
                    inviter_banned: row.try_get(19)?,
                    inviter_ban_reason: row.try_get(20)?,
                    inviter_ban_expires: row.try_get(21)?,
                    inviter_created_at: row.try_get(22)?,
                    inviter_updated_at: row.try_get(23)?,
                })
            },
            mapper: |it| InvitationWithOrganizationAndInviter::from(it),
        }
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id FROM invitation WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
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
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 2> {
        InvitationQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListParams<T1>,
        InvitationQuery<'c, 'a, 's, C, Invitation, 2>,
        C,
    > for ListStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListParams<T1>,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct ListPendingByEmailStmt(&'static str, Option<tokio_postgres::Statement>);
/// Those that can still be accepted.
pub fn list_pending_by_email() -> ListPendingByEmailStmt {
    ListPendingByEmailStmt(
        "SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id FROM invitation WHERE email = $1 AND status = 'pending' AND expires_at > now() AT TIME ZONE 'UTC' ORDER BY id",
        None,
    )
}
impl ListPendingByEmailStmt {
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
        email: &'a T1,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 1> {
        InvitationQuery {
            client,
            params: [email],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
pub struct ListByOrganizationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_organization() -> ListByOrganizationStmt {
    ListByOrganizationStmt(
        "SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id FROM invitation WHERE organization_id = $1 ORDER BY id",
        None,
    )
}
impl ListByOrganizationStmt {
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
        organization_id: &'a T1,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 1> {
        InvitationQuery {
            client,
            params: [organization_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
pub struct ListByOrganizationsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_organizations() -> ListByOrganizationsStmt {
    ListByOrganizationsStmt(
        "SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id FROM invitation WHERE organization_id = ANY($1) ORDER BY organization_id, id",
        None,
    )
}
impl ListByOrganizationsStmt {
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
        organization_ids: &'a T2,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 1> {
        InvitationQuery {
            client,
            params: [organization_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
pub struct ListByInviterStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_inviter() -> ListByInviterStmt {
    ListByInviterStmt(
        "SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id FROM invitation WHERE inviter_id = $1 ORDER BY id",
        None,
    )
}
impl ListByInviterStmt {
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
        inviter_id: &'a T1,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 1> {
        InvitationQuery {
            client,
            params: [inviter_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
pub struct ListByInvitersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_inviters() -> ListByInvitersStmt {
    ListByInvitersStmt(
        "SELECT id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id FROM invitation WHERE inviter_id = ANY($1) ORDER BY inviter_id, id",
        None,
    )
}
impl ListByInvitersStmt {
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
        inviter_ids: &'a T2,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 1> {
        InvitationQuery {
            client,
            params: [inviter_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
pub struct UpdateStmt(&'static str, Option<tokio_postgres::Statement>);
/// Sends it once more, as what it is to be now.
pub fn update() -> UpdateStmt {
    UpdateStmt(
        "UPDATE invitation SET role = $1, team_id = $2, expires_at = $3 WHERE id = $4 RETURNING id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id",
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
        role: &'a Option<T1>,
        team_id: &'a Option<T2>,
        expires_at: &'a chrono::NaiveDateTime,
        id: &'a T3,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 4> {
        InvitationQuery {
            client,
            params: [role, team_id, expires_at, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        UpdateParams<T1, T2, T3>,
        InvitationQuery<'c, 'a, 's, C, Invitation, 4>,
        C,
    > for UpdateStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UpdateParams<T1, T2, T3>,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 4> {
        self.bind(
            client,
            &params.role,
            &params.team_id,
            &params.expires_at,
            &params.id,
        )
    }
}
pub struct SetStatusStmt(&'static str, Option<tokio_postgres::Statement>);
/// Accepted, rejected or canceled: one answer counts. None where the invitation is no longer pending.
pub fn set_status() -> SetStatusStmt {
    SetStatusStmt(
        "UPDATE invitation SET status = $1 WHERE id = $2 AND status = 'pending' RETURNING id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id",
        None,
    )
}
impl SetStatusStmt {
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
        status: &'a T1,
        id: &'a T2,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 2> {
        InvitationQuery {
            client,
            params: [status, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        SetStatusParams<T1, T2>,
        InvitationQuery<'c, 'a, 's, C, Invitation, 2>,
        C,
    > for SetStatusStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetStatusParams<T1, T2>,
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 2> {
        self.bind(client, &params.status, &params.id)
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM invitation WHERE id = $1 RETURNING id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id",
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
    ) -> InvitationQuery<'c, 'a, 's, C, Invitation, 1> {
        InvitationQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<InvitationBorrowed, tokio_postgres::Error> {
                Ok(InvitationBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    email: row.try_get(2)?,
                    role: row.try_get(3)?,
                    team_id: row.try_get(4)?,
                    status: row.try_get(5)?,
                    expires_at: row.try_get(6)?,
                    created_at: row.try_get(7)?,
                    inviter_id: row.try_get(8)?,
                })
            },
            mapper: |it| Invitation::from(it),
        }
    }
}
