// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct InsertParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql> {
    pub id: T1,
    pub team_id: T2,
    pub user_id: T3,
}
#[derive(Debug)]
pub struct GetByTeamAndUserParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub team_id: T1,
    pub user_id: T2,
}
#[derive(Debug)]
pub struct ListParams<T1: crate::StringSql> {
    pub after: Option<T1>,
    pub count: i64,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamMember {
    pub id: String,
    pub team_id: String,
    pub user_id: String,
    pub created_at: Option<chrono::NaiveDateTime>,
}
pub struct TeamMemberBorrowed<'a> {
    pub id: &'a str,
    pub team_id: &'a str,
    pub user_id: &'a str,
    pub created_at: Option<chrono::NaiveDateTime>,
}
impl<'a> From<TeamMemberBorrowed<'a>> for TeamMember {
    fn from(
        TeamMemberBorrowed {
            id,
            team_id,
            user_id,
            created_at,
        }: TeamMemberBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            team_id: team_id.into(),
            user_id: user_id.into(),
            created_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamMemberWithTeam {
    pub id: String,
    pub team_id: String,
    pub user_id: String,
    pub created_at: Option<chrono::NaiveDateTime>,
    pub team_name: String,
    pub team_organization_id: String,
    pub team_created_at: chrono::NaiveDateTime,
    pub team_updated_at: Option<chrono::NaiveDateTime>,
}
pub struct TeamMemberWithTeamBorrowed<'a> {
    pub id: &'a str,
    pub team_id: &'a str,
    pub user_id: &'a str,
    pub created_at: Option<chrono::NaiveDateTime>,
    pub team_name: &'a str,
    pub team_organization_id: &'a str,
    pub team_created_at: chrono::NaiveDateTime,
    pub team_updated_at: Option<chrono::NaiveDateTime>,
}
impl<'a> From<TeamMemberWithTeamBorrowed<'a>> for TeamMemberWithTeam {
    fn from(
        TeamMemberWithTeamBorrowed {
            id,
            team_id,
            user_id,
            created_at,
            team_name,
            team_organization_id,
            team_created_at,
            team_updated_at,
        }: TeamMemberWithTeamBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            team_id: team_id.into(),
            user_id: user_id.into(),
            created_at,
            team_name: team_name.into(),
            team_organization_id: team_organization_id.into(),
            team_created_at,
            team_updated_at,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamMemberWithUser {
    pub id: String,
    pub team_id: String,
    pub user_id: String,
    pub created_at: Option<chrono::NaiveDateTime>,
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
pub struct TeamMemberWithUserBorrowed<'a> {
    pub id: &'a str,
    pub team_id: &'a str,
    pub user_id: &'a str,
    pub created_at: Option<chrono::NaiveDateTime>,
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
impl<'a> From<TeamMemberWithUserBorrowed<'a>> for TeamMemberWithUser {
    fn from(
        TeamMemberWithUserBorrowed {
            id,
            team_id,
            user_id,
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
        }: TeamMemberWithUserBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            team_id: team_id.into(),
            user_id: user_id.into(),
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
pub struct TeamMemberQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TeamMemberBorrowed, tokio_postgres::Error>,
    mapper: fn(TeamMemberBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TeamMemberQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(TeamMemberBorrowed) -> R) -> TeamMemberQuery<'c, 'a, 's, C, R, N> {
        TeamMemberQuery {
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
pub struct TeamMemberWithTeamQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TeamMemberWithTeamBorrowed, tokio_postgres::Error>,
    mapper: fn(TeamMemberWithTeamBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TeamMemberWithTeamQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(TeamMemberWithTeamBorrowed) -> R,
    ) -> TeamMemberWithTeamQuery<'c, 'a, 's, C, R, N> {
        TeamMemberWithTeamQuery {
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
pub struct TeamMemberWithUserQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<TeamMemberWithUserBorrowed, tokio_postgres::Error>,
    mapper: fn(TeamMemberWithUserBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> TeamMemberWithUserQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(
        self,
        mapper: fn(TeamMemberWithUserBorrowed) -> R,
    ) -> TeamMemberWithUserQuery<'c, 'a, 's, C, R, N> {
        TeamMemberWithUserQuery {
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
        "INSERT INTO team_member (id, team_id, user_id, created_at) VALUES ($1, $2, $3, now() AT TIME ZONE 'UTC') RETURNING id, team_id, user_id, created_at",
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
        team_id: &'a T2,
        user_id: &'a T3,
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 3> {
        TeamMemberQuery {
            client,
            params: [id, team_id, user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        InsertParams<T1, T2, T3>,
        TeamMemberQuery<'c, 'a, 's, C, TeamMember, 3>,
        C,
    > for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2, T3>,
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 3> {
        self.bind(client, &params.id, &params.team_id, &params.user_id)
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt(
        "SELECT id, team_id, user_id, created_at FROM team_member WHERE id = $1",
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
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 1> {
        TeamMemberQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
pub struct GetByTeamAndUserStmt(&'static str, Option<tokio_postgres::Statement>);
/// Whether a user belongs to a team; the first key, for the schema does not rule out two.
pub fn get_by_team_and_user() -> GetByTeamAndUserStmt {
    GetByTeamAndUserStmt(
        "SELECT id, team_id, user_id, created_at FROM team_member WHERE team_id = $1 AND user_id = $2 ORDER BY id LIMIT 1",
        None,
    )
}
impl GetByTeamAndUserStmt {
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
        team_id: &'a T1,
        user_id: &'a T2,
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 2> {
        TeamMemberQuery {
            client,
            params: [team_id, user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        GetByTeamAndUserParams<T1, T2>,
        TeamMemberQuery<'c, 'a, 's, C, TeamMember, 2>,
        C,
    > for GetByTeamAndUserStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a GetByTeamAndUserParams<T1, T2>,
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 2> {
        self.bind(client, &params.team_id, &params.user_id)
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, team_id, user_id, created_at FROM team_member WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
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
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 2> {
        TeamMemberQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListParams<T1>,
        TeamMemberQuery<'c, 'a, 's, C, TeamMember, 2>,
        C,
    > for ListStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListParams<T1>,
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct ListByUserStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_user() -> ListByUserStmt {
    ListByUserStmt(
        "SELECT id, team_id, user_id, created_at FROM team_member WHERE user_id = $1 ORDER BY id",
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
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 1> {
        TeamMemberQuery {
            client,
            params: [user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
pub struct ListByUsersStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_users() -> ListByUsersStmt {
    ListByUsersStmt(
        "SELECT id, team_id, user_id, created_at FROM team_member WHERE user_id = ANY($1) ORDER BY user_id, id",
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
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 1> {
        TeamMemberQuery {
            client,
            params: [user_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
pub struct ListByUserWithTeamStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_user_with_team() -> ListByUserWithTeamStmt {
    ListByUserWithTeamStmt(
        "SELECT m.id, m.team_id, m.user_id, m.created_at, t.name AS team_name, t.organization_id AS team_organization_id, t.created_at AS team_created_at, t.updated_at AS team_updated_at FROM team_member m JOIN team t ON t.id = m.team_id WHERE m.user_id = $1 ORDER BY m.id",
        None,
    )
}
impl ListByUserWithTeamStmt {
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
    ) -> TeamMemberWithTeamQuery<'c, 'a, 's, C, TeamMemberWithTeam, 1> {
        TeamMemberWithTeamQuery {
            client,
            params: [user_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<TeamMemberWithTeamBorrowed, tokio_postgres::Error> {
                    Ok(TeamMemberWithTeamBorrowed {
                        id: row.try_get(0)?,
                        team_id: row.try_get(1)?,
                        user_id: row.try_get(2)?,
                        created_at: row.try_get(3)?,
                        team_name: row.try_get(4)?,
                        team_organization_id: row.try_get(5)?,
                        team_created_at: row.try_get(6)?,
                        team_updated_at: row.try_get(7)?,
                    })
                },
            mapper: |it| TeamMemberWithTeam::from(it),
        }
    }
}
pub struct ListByTeamStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_team() -> ListByTeamStmt {
    ListByTeamStmt(
        "SELECT id, team_id, user_id, created_at FROM team_member WHERE team_id = $1 ORDER BY id",
        None,
    )
}
impl ListByTeamStmt {
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
        team_id: &'a T1,
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 1> {
        TeamMemberQuery {
            client,
            params: [team_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
pub struct ListByTeamsStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_teams() -> ListByTeamsStmt {
    ListByTeamsStmt(
        "SELECT id, team_id, user_id, created_at FROM team_member WHERE team_id = ANY($1) ORDER BY team_id, id",
        None,
    )
}
impl ListByTeamsStmt {
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
        team_ids: &'a T2,
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 1> {
        TeamMemberQuery {
            client,
            params: [team_ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
pub struct ListByTeamWithUserStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn list_by_team_with_user() -> ListByTeamWithUserStmt {
    ListByTeamWithUserStmt(
        "SELECT m.id, m.team_id, m.user_id, m.created_at, u.name AS user_name, u.email AS user_email, u.email_verified AS user_email_verified, u.image AS user_image, u.role AS user_role, u.banned AS user_banned, u.ban_reason AS user_ban_reason, u.ban_expires AS user_ban_expires, u.created_at AS user_created_at, u.updated_at AS user_updated_at FROM team_member m JOIN \"user\" u ON u.id = m.user_id WHERE m.team_id = $1 ORDER BY m.id",
        None,
    )
}
impl ListByTeamWithUserStmt {
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
        team_id: &'a T1,
    ) -> TeamMemberWithUserQuery<'c, 'a, 's, C, TeamMemberWithUser, 1> {
        TeamMemberWithUserQuery {
            client,
            params: [team_id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor:
                |row: &tokio_postgres::Row| -> Result<TeamMemberWithUserBorrowed, tokio_postgres::Error> {
                    Ok(TeamMemberWithUserBorrowed {
                        id: row.try_get(0)?,
                        team_id: row.try_get(1)?,
                        user_id: row.try_get(2)?,
                        created_at: row.try_get(3)?,
                        user_name: row.try_get(4)?,
                        user_email: row.try_get(5)?,
                        user_email_verified: row.try_get(6)?,
                        user_image: row.try_get(7)?,
                        user_role: row.try_get(8)?,
                        user_banned: row.try_get(9)?,
                        user_ban_reason: row.try_get(10)?,
                        user_ban_expires: row.try_get(11)?,
                        user_created_at: row.try_get(12)?,
                        user_updated_at: row.try_get(13)?,
                    })
                },
            mapper: |it| TeamMemberWithUser::from(it),
        }
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM team_member WHERE id = $1 RETURNING id, team_id, user_id, created_at",
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
    ) -> TeamMemberQuery<'c, 'a, 's, C, TeamMember, 1> {
        TeamMemberQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<TeamMemberBorrowed, tokio_postgres::Error> {
                Ok(TeamMemberBorrowed {
                    id: row.try_get(0)?,
                    team_id: row.try_get(1)?,
                    user_id: row.try_get(2)?,
                    created_at: row.try_get(3)?,
                })
            },
            mapper: |it| TeamMember::from(it),
        }
    }
}
