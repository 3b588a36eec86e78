// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct InsertParams<
    T1: crate::StringSql,
    T2: crate::StringSql,
    T3: crate::StringSql,
    T4: crate::StringSql,
    T5: crate::StringSql,
> {
    pub id: T1,
    pub name: T2,
    pub email: T3,
    pub email_verified: bool,
    pub image: Option<T4>,
    pub role: Option<T5>,
}
#[derive(Debug)]
pub struct ListParams<T1: crate::StringSql> {
    pub after: Option<T1>,
    pub count: i64,
}
#[derive(Debug)]
pub struct UpdateParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql> {
    pub name: T1,
    pub image: Option<T2>,
    pub id: T3,
}
#[derive(Debug)]
pub struct SetEmailParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub email: T1,
    pub email_verified: bool,
    pub id: T2,
}
#[derive(Debug)]
pub struct SetRoleParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub role: Option<T1>,
    pub id: T2,
}
#[derive(Debug)]
pub struct BanParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub id: T1,
    pub ban_reason: Option<T2>,
    pub ban_expires: Option<chrono::NaiveDateTime>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    pub image: Option<String>,
    pub role: Option<String>,
    pub banned: Option<bool>,
    pub ban_reason: Option<String>,
    pub ban_expires: Option<chrono::NaiveDateTime>,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
}
pub struct UserBorrowed<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub email: &'a str,
    pub email_verified: bool,
    pub image: Option<&'a str>,
    pub role: Option<&'a str>,
    pub banned: Option<bool>,
    pub ban_reason: Option<&'a str>,
    pub ban_expires: Option<chrono::NaiveDateTime>,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
}
impl<'a> From<UserBorrowed<'a>> for User {
    fn from(
        UserBorrowed {
            id,
            name,
            email,
            email_verified,
            image,
            role,
            banned,
            ban_reason,
            ban_expires,
            created_at,
            updated_at,
        }: UserBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            email: email.into(),
            email_verified,
            image: image.map(|v| v.into()),
            role: role.map(|v| v.into()),
            banned,
            ban_reason: ban_reason.map(|v| v.into()),
            ban_expires,
            created_at,
            updated_at,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct UserQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<UserBorrowed, tokio_postgres::Error>,
    mapper: fn(UserBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> UserQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(UserBorrowed) -> R) -> UserQuery<'c, 'a, 's, C, R, N> {
        UserQuery {
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
        "INSERT INTO \"user\" (id, name, email, email_verified, image, role, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC') RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at",
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
    >(
        &'s self,
        client: &'c C,
        id: &'a T1,
        name: &'a T2,
        email: &'a T3,
        email_verified: &'a bool,
        image: &'a Option<T4>,
        role: &'a Option<T5>,
    ) -> UserQuery<'c, 'a, 's, C, User, 6> {
        UserQuery {
            client,
            params: [id, name, email, email_verified, image, role],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
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
        InsertParams<T1, T2, T3, T4, T5>,
        UserQuery<'c, 'a, 's, C, User, 6>,
        C,
    > for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2, T3, T4, T5>,
    ) -> UserQuery<'c, 'a, 's, C, User, 6> {
        self.bind(
            client,
            &params.id,
            &params.name,
            &params.email,
            &params.email_verified,
            &params.image,
            &params.role,
        )
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt(
        "SELECT id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at FROM \"user\" WHERE id = $1",
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
    ) -> UserQuery<'c, 'a, 's, C, User, 1> {
        UserQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
pub struct GetByEmailStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_by_email() -> GetByEmailStmt {
    GetByEmailStmt(
        "SELECT id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at FROM \"user\" WHERE email = $1",
        None,
    )
}
impl GetByEmailStmt {
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
    ) -> UserQuery<'c, 'a, 's, C, User, 1> {
        UserQuery {
            client,
            params: [email],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at FROM \"user\" WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
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
    ) -> UserQuery<'c, 'a, 's, C, User, 2> {
        UserQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, ListParams<T1>, UserQuery<'c, 'a, 's, C, User, 2>, C>
    for ListStmt
{
    fn params(&'s self, client: &'c C, params: &'a ListParams<T1>) -> UserQuery<'c, 'a, 's, C, User, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct ListByIdsStmt(&'static str, Option<tokio_postgres::Statement>);
/// The users of sessions, accounts, members, team members, or invitations (their inviters), by the keys in those.
pub fn list_by_ids() -> ListByIdsStmt {
    ListByIdsStmt(
        "SELECT id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at FROM \"user\" WHERE id = ANY($1) ORDER BY id",
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
    ) -> UserQuery<'c, 'a, 's, C, User, 1> {
        UserQuery {
            client,
            params: [ids],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
pub struct UpdateStmt(&'static str, Option<tokio_postgres::Statement>);
/// What users may change of themselves. None where there is no such user.
pub fn update() -> UpdateStmt {
    UpdateStmt(
        "UPDATE \"user\" SET name = $1, image = $2, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $3 RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at",
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
        name: &'a T1,
        image: &'a Option<T2>,
        id: &'a T3,
    ) -> UserQuery<'c, 'a, 's, C, User, 3> {
        UserQuery {
            client,
            params: [name, image, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, UpdateParams<T1, T2, T3>, UserQuery<'c, 'a, 's, C, User, 3>, C>
    for UpdateStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UpdateParams<T1, T2, T3>,
    ) -> UserQuery<'c, 'a, 's, C, User, 3> {
        self.bind(client, &params.name, &params.image, &params.id)
    }
}
pub struct SetEmailStmt(&'static str, Option<tokio_postgres::Statement>);
/// Address and whether it is confirmed change together, or a new address would inherit the old one's proof.
pub fn set_email() -> SetEmailStmt {
    SetEmailStmt(
        "UPDATE \"user\" SET email = $1, email_verified = $2, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $3 RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at",
        None,
    )
}
impl SetEmailStmt {
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
        email: &'a T1,
        email_verified: &'a bool,
        id: &'a T2,
    ) -> UserQuery<'c, 'a, 's, C, User, 3> {
        UserQuery {
            client,
            params: [email, email_verified, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, SetEmailParams<T1, T2>, UserQuery<'c, 'a, 's, C, User, 3>, C>
    for SetEmailStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetEmailParams<T1, T2>,
    ) -> UserQuery<'c, 'a, 's, C, User, 3> {
        self.bind(client, &params.email, &params.email_verified, &params.id)
    }
}
pub struct SetRoleStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn set_role() -> SetRoleStmt {
    SetRoleStmt(
        "UPDATE \"user\" SET role = $1, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $2 RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at",
        None,
    )
}
impl SetRoleStmt {
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
        role: &'a Option<T1>,
        id: &'a T2,
    ) -> UserQuery<'c, 'a, 's, C, User, 2> {
        UserQuery {
            client,
            params: [role, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, SetRoleParams<T1, T2>, UserQuery<'c, 'a, 's, C, User, 2>, C>
    for SetRoleStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a SetRoleParams<T1, T2>,
    ) -> UserQuery<'c, 'a, 's, C, User, 2> {
        self.bind(client, &params.role, &params.id)
    }
}
pub struct BanStmt(&'static str, Option<tokio_postgres::Statement>);
/// Ends their sessions too. Without `ban_expires` it has no end.
pub fn ban() -> BanStmt {
    BanStmt(
        "WITH ended AS (DELETE FROM session WHERE user_id = $1) UPDATE \"user\" SET banned = true, ban_reason = $2, ban_expires = $3, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $1 RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at",
        None,
    )
}
impl BanStmt {
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
        id: &'a T1,
        ban_reason: &'a Option<T2>,
        ban_expires: &'a Option<chrono::NaiveDateTime>,
    ) -> UserQuery<'c, 'a, 's, C, User, 3> {
        UserQuery {
            client,
            params: [id, ban_reason, ban_expires],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, BanParams<T1, T2>, UserQuery<'c, 'a, 's, C, User, 3>, C>
    for BanStmt
{
    fn params(&'s self, client: &'c C, params: &'a BanParams<T1, T2>) -> UserQuery<'c, 'a, 's, C, User, 3> {
        self.bind(client, &params.id, &params.ban_reason, &params.ban_expires)
    }
}
pub struct UnbanStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn unban() -> UnbanStmt {
    UnbanStmt(
        "UPDATE \"user\" SET banned = false, ban_reason = NULL, ban_expires = NULL, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $1 RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at",
        None,
    )
}
impl UnbanStmt {
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
    ) -> UserQuery<'c, 'a, 's, C, User, 1> {
        UserQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
/// With their sessions, accounts, memberships, and the invitations that they sent.
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM \"user\" WHERE id = $1 RETURNING id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at",
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
    ) -> UserQuery<'c, 'a, 's, C, User, 1> {
        UserQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<UserBorrowed, tokio_postgres::Error> {
                Ok(UserBorrowed {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    email_verified: row.try_get(3)?,
                    image: row.try_get(4)?,
                    role: row.try_get(5)?,
                    banned: row.try_get(6)?,
                    ban_reason: row.try_get(7)?,
                    ban_expires: row.try_get(8)?,
                    created_at: row.try_get(9)?,
                    updated_at: row.try_get(10)?,
                })
            },
            mapper: |it| User::from(it),
        }
    }
}
