// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct InsertParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
> {
    pub id: T1,
    pub organization_id: T2,
    pub user_id: T3,
    pub role: T4,
}
#[derive(Debug)]
pub struct GetByOrganizationAndUserParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub organization_id: T1,
    pub user_id: T2,
}
#[derive(Debug)]
pub struct ListParams<T1: crate::StringSql> {
    pub after: Option<T1>,
    pub count: i64,
}
#[derive(Debug)]
pub struct UpdateParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub role: T1,
    pub id: T2,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: String,
    pub organization_id: String,
    pub user_id: String,
    pub role: String,
    pub created_at: chrono::NaiveDateTime,
}
pub struct MemberBorrowed<'a> {
    pub id: &'a str,
    pub organization_id: &'a str,
    pub user_id: &'a str,
    pub role: &'a str,
    pub created_at: chrono::NaiveDateTime,
}
impl<'a> From<MemberBorrowed<'a>> for Member {
    fn from(
        MemberBorrowed {
            id,
            organization_id,
            user_id,
            role,
            created_at,
        }: MemberBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            organization_id: organization_id.into(),
            user_id: user_id.into(),
            role: role.into(),
            created_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberWithOrganization {
    pub id: String,
    pub organization_id: String,
    pub user_id: String,
    pub role: String,
    pub created_at: chrono::NaiveDateTime,
    pub organization_name: String,
    pub organization_slug: String,
    pub organization_logo: Option<String>,
    pub organization_created_at: chrono::NaiveDateTime,
    pub organization_metadata: Option<String>,
}
pub struct MemberWithOrganizationBorrowed<'a> {
    pub id: &'a str,
    pub organization_id: &'a str,
    pub user_id: &'a str,
    pub role: &'a str,
    pub created_at: chrono::NaiveDateTime,
    pub organization_name: &'a str,
    pub organization_slug: &'a str,
    pub organization_logo: Option<&'a str>,
    pub organization_created_at: chrono::NaiveDateTime,
    pub organization_metadata: Option<&'a str>,
}
impl<'a> From<MemberWithOrganizationBorrowed<'a>> for MemberWithOrganization {
    fn from(
        MemberWithOrganizationBorrowed {
            id,
            organization_id,
            user_id,
            role,
            created_at,
            organization_name,
            organization_slug,
            organization_logo,
            organization_created_at,
            organization_metadata,
        }: MemberWithOrganizationBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            organization_id: organization_id.into(),
            user_id: user_id.into(),
            role: role.into(),
            created_at,
            organization_name: organization_name.into(),
            organization_slug: organization_slug.into(),
            organization_logo: organization_logo.map(|v| v.into()),
            organization_created_at,
            organization_metadata: organization_metadata.map(|v| v.into()),
        }
    }
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberWithUser {
    pub id: String,
    pub organization_id: String,
    pub user_id: String,
    pub role: String,
    pub created_at: chrono::NaiveDateTime,
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
pub struct MemberWithUserBorrowed<'a> {
    pub id: &'a str,
    pub organization_id: &'a str,
    pub user_id: &'a str,
    pub role: &'a str,
    pub created_at: chrono::NaiveDateTime,
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
impl<'a> From<MemberWithUserBorrowed<'a>> for MemberWithUser {
    fn from(
        MemberWithUserBorrowed {
            id,
            organization_id,
            user_id,
            role,
            created_at,
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
        }: MemberWithUserBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            organization_id: organization_id.into(),
            user_id: user_id.into(),
            role: role.into(),
            created_at,
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
pub struct MemberQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<MemberBorrowed, tokio_postgres::Error>,
    mapper: fn(MemberBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> MemberQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(MemberBorrowed) -> R) -> MemberQuery<'c, 'a, 's, C, R, N> {
        MemberQuery {
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
pub struct MemberWithOrganizationQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<MemberWithOrganizationBorrowed, tokio_postgres::Error>,
    mapper: fn(MemberWithOrganizationBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> MemberWithOrganizationQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(MemberWithOrganizationBorrowed) -> R,
    ) -> MemberWithOrganizationQuery<'c, 'a, 's, C, R, N> {
        MemberWithOrganizationQuery {
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
pub struct MemberWithUserQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<MemberWithUserBorrowed, tokio_postgres::Error>,
    mapper: fn(MemberWithUserBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> MemberWithUserQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(MemberWithUserBorrowed) -> R) -> MemberWithUserQuery<'c, 'a, 's, C, R, N> {
        MemberWithUserQuery {
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
        "INSERT INTO member (id, organization_id, user_id, role, created_at) VALUES ($1, $2, $3, $4, now() AT TIME ZONE 'UTC') RETURNING id, organization_id, user_id, role, created_at",
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
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        organization_id: &'a T2,
        user_id: &'a T3,
        role: &'a T4,
    ) -> MemberQuery<'c, 'a, 's, C, Member, 4> {
        MemberQuery {
            client,
            params: [id, organization_id, user_id, role],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
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
>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        InsertParams<T1, T2, T3, T4>,
        MemberQuery<'c, 'a, 's, C, Member, 4>,
        C,
    > for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2, T3, T4>,
    ) -> MemberQuery<'c, 'a, 's, C, Member, 4> {
        self.bind(
            client,
            &params.id,
            &params.organization_id,
            &params.user_id,
            &params.role,
        )
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt(
        "SELECT id, organization_id, user_id, role, created_at FROM member WHERE id = $1",
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
    ) -> MemberQuery<'c, 'a, 's, C, Member, 1> {
        MemberQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
pub struct GetByOrganizationAndUserStmt(&'static str, Option<tokio_postgres::Statement>);
/// As what a user belongs to an organization; the first key, for the schema does not rule out two.
pub fn get_by_organization_and_user() -> GetByOrganizationAndUserStmt {
    GetByOrganizationAndUserStmt(
        "SELECT id, organization_id, user_id, role, created_at FROM member WHERE organization_id = $1 AND user_id = $2 ORDER BY id LIMIT 1",
        None,
    )
}
impl GetByOrganizationAndUserStmt {
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
        organization_id: &'a T1,
        user_id: &'a T2,
    ) -> MemberQuery<'c, 'a, 's, C, Member, 2> {
        MemberQuery {
            client,
            params: [organization_id, user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetByOrganizationAndUserParams<T1, T2>,
        MemberQuery<'c, 'a, 's, C, Member, 2>,
        C,
    > for GetByOrganizationAndUserStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetByOrganizationAndUserParams<T1, T2>,
    ) -> MemberQuery<'c, 'a, 's, C, Member, 2> {
        self.bind(client, &params.organization_id, &params.user_id)
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, organization_id, user_id, role, created_at FROM member WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
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
    ) -> MemberQuery<'c, 'a, 's, C, Member, 2> {
        MemberQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, ListParams<T1>, MemberQuery<'c, 'a, 's, C, Member, 2>, C>
    for ListStmt
{
    fn params(&'s self, client: &'c C, params: &'a ListParams<T1>) -> MemberQuery<'c, 'a, 's, C, Member, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct ListByUserStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_user() -> ListByUserStmt {
    ListByUserStmt(
        "SELECT id, organization_id, user_id, role, created_at FROM member WHERE user_id = $1 ORDER BY id",
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
    ) -> MemberQuery<'c, 'a, 's, C, Member, 1> {
        MemberQuery {
            client,
            params: [user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
pub struct ListByUsersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_users() -> ListByUsersStmt {
    ListByUsersStmt(
        "SELECT id, organization_id, user_id, role, created_at FROM member WHERE user_id = ANY($1) ORDER BY user_id, id",
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
    ) -> MemberQuery<'c, 'a, 's, C, Member, 1> {
        MemberQuery {
            client,
            params: [user_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
pub struct ListByUserWithOrganizationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_user_with_organization() -> ListByUserWithOrganizationStmt {
    ListByUserWithOrganizationStmt(
        "SELECT m.id, m.organization_id, m.user_id, m.role, m.created_at, o.name AS organization_name, o.slug AS organization_slug, o.logo AS organization_logo, o.created_at AS organization_created_at, o.metadata AS organization_metadata FROM member m JOIN organization o ON o.id = m.organization_id WHERE m.user_id = $1 ORDER BY m.id",
        None,
    )
}
impl ListByUserWithOrganizationStmt {
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
    ) -> MemberWithOrganizationQuery<'c, 'a, 's, C, MemberWithOrganization, 1> {
        MemberWithOrganizationQuery {
            client,
            params: [user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<MemberWithOrganizationBorrowed, tokio_postgres::Error> {
                    Ok(MemberWithOrganizationBorrowed {
                        id: row.try_get(0)?,
                        organization_id: row.try_get(1)?,
                        user_id: row.try_get(2)?,
                        role: row.try_get(3)?,
                        created_at: row.try_get(4)?,
                        organization_name: row.try_get(5)?,
                        organization_slug: row.try_get(6)?,
                        organization_logo: row.try_get(7)?,
                        organization_created_at: row.try_get(8)?,
                        organization_metadata: row.try_get(9)?,
                    })
                },
            mapper: |it| MemberWithOrganization::from(it),
        }
    }
}
pub struct ListByOrganizationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_organization() -> ListByOrganizationStmt {
    ListByOrganizationStmt(
        "SELECT id, organization_id, user_id, role, created_at FROM member WHERE organization_id = $1 ORDER BY id",
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
    ) -> MemberQuery<'c, 'a, 's, C, Member, 1> {
        MemberQuery {
            client,
            params: [organization_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
pub struct ListByOrganizationsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_organizations() -> ListByOrganizationsStmt {
    ListByOrganizationsStmt(
        "SELECT id, organization_id, user_id, role, created_at FROM member WHERE organization_id = ANY($1) ORDER BY organization_id, id",
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
    ) -> MemberQuery<'c, 'a, 's, C, Member, 1> {
        MemberQuery {
            client,
            params: [organization_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
pub struct ListByOrganizationWithUserStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_organization_with_user() -> ListByOrganizationWithUserStmt {
    ListByOrganizationWithUserStmt(
        "SELECT m.id, m.organization_id, m.user_id, m.role, m.created_at, u.name AS user_name, u.email AS user_email, u.email_verified AS user_email_verified, u.image AS user_image, u.role AS user_role, u.banned AS user_banned, u.ban_reason AS user_ban_reason, u.ban_expires AS user_ban_expires, u.created_at AS user_created_at, u.updated_at AS user_updated_at FROM member m JOIN \"user\" u ON u.id = m.user_id WHERE m.organization_id = $1 ORDER BY m.id",
        None,
    )
}
impl ListByOrganizationWithUserStmt {
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
    ) -> MemberWithUserQuery<'c, 'a, 's, C, MemberWithUser, 1> {
        MemberWithUserQuery {
            client,
            params: [organization_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberWithUserBorrowed, tokio_postgres::Error> {
                Ok(MemberWithUserBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    user_name: row.try_get(5)?,
                    user_email: row.try_get(6)?,
                    user_email_verified: row.try_get(7)?,
                    user_image: row.try_get(8)?,
                    user_role: row.try_get(9)?,
                    user_banned: row.try_get(10)?,
                    user_ban_reason: row.try_get(11)?,
                    user_ban_expires: row.try_get(12)?,
                    user_created_at: row.try_get(13)?,
                    user_updated_at: row.try_get(14)?,
                })
            },
            mapper: |it| MemberWithUser::from(it),
        }
    }
}
pub struct UpdateStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn update() -> UpdateStmt {
    UpdateStmt(
        "UPDATE member SET role = $1 WHERE id = $2 RETURNING id, organization_id, user_id, role, created_at",
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
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        role: &'a T1,
        id: &'a T2,
    ) -> MemberQuery<'c, 'a, 's, C, Member, 2> {
        MemberQuery {
            client,
            params: [role, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, UpdateParams<T1, T2>, MemberQuery<'c, 'a, 's, C, Member, 2>, C>
    for UpdateStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UpdateParams<T1, T2>,
    ) -> MemberQuery<'c, 'a, 's, C, Member, 2> {
        self.bind(client, &params.role, &params.id)
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM member WHERE id = $1 RETURNING id, organization_id, user_id, role, created_at",
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
    ) -> MemberQuery<'c, 'a, 's, C, Member, 1> {
        MemberQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<MemberBorrowed, tokio_postgres::Error> {
                Ok(MemberBorrowed {
                    id: row.try_get(0)?,
                    organization_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    role: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                })
            },
            mapper: |it| Member::from(it),
        }
    }
}
