// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct InsertParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql> {
    pub id: T1,
    pub name: T2,
    pub organization_id: T3,
}
#[derive(Debug)]
pub struct ListParams<T1: crate::StringSql> {
    pub after: Option<T1>,
    pub count: i64,
}
#[derive(Debug)]
pub struct UpdateParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub name: T1,
    pub id: T2,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    pub id: String,
    pub name: String,
    pub organization_id: String,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: Option<chrono::NaiveDateTime>,
}
pub struct TeamBorrowed<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub organization_id: &'a str,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: Option<chrono::NaiveDateTime>,
}
impl<'a> From<TeamBorrowed<'a>> for Team {
    fn from(
        TeamBorrowed {
            id,
            name,
            organization_id,
            created_at,
            updated_at,
        }: TeamBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            organization_id: organization_id.into(),
            created_at,
            updated_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamWithOrganization {
    pub id: String,
    pub name: String,
    pub organization_id: String,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: Option<chrono::NaiveDateTime>,
    pub organization_name: String,
    pub organization_slug: String,
    pub organization_logo: Option<String>,
    pub organization_created_at: chrono::NaiveDateTime,
    pub organization_metadata: Option<String>,
}
pub struct TeamWithOrganizationBorrowed<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub organization_id: &'a str,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: Option<chrono::NaiveDateTime>,
    pub organization_name: &'a str,
    pub organization_slug: &'a str,
    pub organization_logo: Option<&'a str>,
    pub organization_created_at: chrono::NaiveDateTime,
    pub organization_metadata: Option<&'a str>,
}
impl<'a> From<TeamWithOrganizationBorrowed<'a>> for TeamWithOrganization {
    fn from(
        TeamWithOrganizationBorrowed {
            id,
            name,
            organization_id,
            created_at,
            updated_at,
            organization_name,
            organization_slug,
            organization_logo,
            organization_created_at,
            organization_metadata,
        }: TeamWithOrganizationBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            organization_id: organization_id.into(),
            created_at,
            updated_at,
            organization_name: organization_name.into(),
            organization_slug: organization_slug.into(),
            organization_logo: organization_logo.map(|v| v.into()),
            organization_created_at,
            organization_metadata: organization_metadata.map(|v| v.into()),
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct TeamQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TeamBorrowed, tokio_postgres::Error>,
    mapper: fn(TeamBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TeamQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(TeamBorrowed) -> R) -> TeamQuery<'c, 'a, 's, C, R, N> {
        TeamQuery {
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
pub struct TeamWithOrganizationQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TeamWithOrganizationBorrowed, tokio_postgres::Error>,
    mapper: fn(TeamWithOrganizationBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TeamWithOrganizationQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(TeamWithOrganizationBorrowed) -> R,
    ) -> TeamWithOrganizationQuery<'c, 'a, 's, C, R, N> {
        TeamWithOrganizationQuery {
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
        "INSERT INTO team (id, name, organization_id, created_at, updated_at) VALUES ($1, $2, $3, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC') RETURNING id, name, organization_id, created_at, updated_at",
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
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        name: &'a T2,
        organization_id: &'a T3,
    ) -> TeamQuery<'c, 'a, 's, C, Team, 3> {
        TeamQuery {
            client,
            params: [id, name, organization_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamBorrowed, tokio_postgres::Error> {
                Ok(TeamBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    organization_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                })
            },
            mapper: |it| Team::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, InsertParams<T1, T2, T3>, TeamQuery<'c, 'a, 's, C, Team, 3>, C>
    for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2, T3>,
    ) -> TeamQuery<'c, 'a, 's, C, Team, 3> {
        self.bind(client, &params.id, &params.name, &params.organization_id)
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt(
        "SELECT id, name, organization_id, created_at, updated_at FROM team WHERE id = $1",
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
    ) -> TeamQuery<'c, 'a, 's, C, Team, 1> {
        TeamQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamBorrowed, tokio_postgres::Error> {
                Ok(TeamBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    organization_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                })
            },
            mapper: |it| Team::from(it),
        }
    }
}
pub struct GetWithOrganizationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_with_organization() -> GetWithOrganizationStmt {
    GetWithOrganizationStmt(
        "SELECT t.id, t.name, t.organization_id, t.created_at, t.updated_at, o.name AS organization_name, o.slug AS organization_slug, o.logo AS organization_logo, o.created_at AS organization_created_at, o.metadata AS organization_metadata FROM team t JOIN organization o ON o.id = t.organization_id WHERE t.id = $1",
        None,
    )
}
impl GetWithOrganizationStmt {
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
    ) -> TeamWithOrganizationQuery<'c, 'a, 's, C, TeamWithOrganization, 1> {
        TeamWithOrganizationQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<TeamWithOrganizationBorrowed, tokio_postgres::Error> {
                    Ok(TeamWithOrganizationBorrowed {
                        id: row.try_get(0)?,
                        name: row.try_get(1)?,
                        organization_id: row.try_get(2)?,
                        created_at: row.try_get(3)?,
                        updated_at: row.try_get(4)?,
                        organization_name: row.try_get(5)?,
                        organization_slug: row.try_get(6)?,
                        organization_logo: row.try_get(7)?,
                        organization_created_at: row.try_get(8)?,
                        organization_metadata: row.try_get(9)?,
                    })
                },
            mapper: |it| TeamWithOrganization::from(it),
        }
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, name, organization_id, created_at, updated_at FROM team WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
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
    ) -> TeamQuery<'c, 'a, 's, C, Team, 2> {
        TeamQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamBorrowed, tokio_postgres::Error> {
                Ok(TeamBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    organization_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                })
            },
            mapper: |it| Team::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, ListParams<T1>, TeamQuery<'c, 'a, 's, C, Team, 2>, C>
    for ListStmt
{
    fn params(&'s self, client: &'c C, params: &'a ListParams<T1>) -> TeamQuery<'c, 'a, 's, C, Team, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct ListByIdsStmt(&'static str, Option<tokio_postgres::Statement>);
/// The teams of team members, by the keys in those.
pub fn list_by_ids() -> ListByIdsStmt {
    ListByIdsStmt(
        "SELECT id, name, organization_id, created_at, updated_at FROM team WHERE id = ANY($1) ORDER BY id",
        None,
    )
}
impl ListByIdsStmt {
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
        ids: &'a T2,
    ) -> TeamQuery<'c, 'a, 's, C, Team, 1> {
        TeamQuery {
            client,
            params: [ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamBorrowed, tokio_postgres::Error> {
                Ok(TeamBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    organization_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                })
            },
            mapper: |it| Team::from(it),
        }
    }
}
pub struct ListByOrganizationStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_organization() -> ListByOrganizationStmt {
    ListByOrganizationStmt(
        "SELECT id, name, organization_id, created_at, updated_at FROM team WHERE organization_id = $1 ORDER BY id",
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
    ) -> TeamQuery<'c, 'a, 's, C, Team, 1> {
        TeamQuery {
            client,
            params: [organization_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamBorrowed, tokio_postgres::Error> {
                Ok(TeamBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    organization_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                })
            },
            mapper: |it| Team::from(it),
        }
    }
}
pub struct ListByOrganizationsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_organizations() -> ListByOrganizationsStmt {
    ListByOrganizationsStmt(
        "SELECT id, name, organization_id, created_at, updated_at FROM team WHERE organization_id = ANY($1) ORDER BY organization_id, id",
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
    ) -> TeamQuery<'c, 'a, 's, C, Team, 1> {
        TeamQuery {
            client,
            params: [organization_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamBorrowed, tokio_postgres::Error> {
                Ok(TeamBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    organization_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                })
            },
            mapper: |it| Team::from(it),
        }
    }
}
pub struct UpdateStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn update() -> UpdateStmt {
    UpdateStmt(
        "UPDATE team SET name = $1, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $2 RETURNING id, name, organization_id, created_at, updated_at",
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
        name: &'a T1,
        id: &'a T2,
    ) -> TeamQuery<'c, 'a, 's, C, Team, 2> {
        TeamQuery {
            client,
            params: [name, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamBorrowed, tokio_postgres::Error> {
                Ok(TeamBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    organization_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                })
            },
            mapper: |it| Team::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, UpdateParams<T1, T2>, TeamQuery<'c, 'a, 's, C, Team, 2>, C>
    for UpdateStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UpdateParams<T1, T2>,
    ) -> TeamQuery<'c, 'a, 's, C, Team, 2> {
        self.bind(client, &params.name, &params.id)
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
/// With its members. Sessions in which it is active keep its key.
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM team WHERE id = $1 RETURNING id, name, organization_id, created_at, updated_at",
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
    ) -> TeamQuery<'c, 'a, 's, C, Team, 1> {
        TeamQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamBorrowed, tokio_postgres::Error> {
                Ok(TeamBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    organization_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                    updated_at: row.try_get(4)?,
                })
            },
            mapper: |it| Team::from(it),
        }
    }
}
