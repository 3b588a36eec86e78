// This file was generated with `cornucopia`. Do not modify.

#[derive(Debug)]
pub struct InsertParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub id: T1,
    pub email: T2,
}
#[derive(Debug)]
pub struct JoinParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub id: T1,
    pub email: T2,
}
#[derive(Debug)]
pub struct ListParams<T1: crate::StringSql> {
    pub after: Option<T1>,
    pub count: i64,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waitlist {
    pub id: String,
    pub email: String,
    pub created_at: chrono::NaiveDateTime,
}
pub struct WaitlistBorrowed<'a> {
    pub id: &'a str,
    pub email: &'a str,
    pub created_at: chrono::NaiveDateTime,
}
impl<'a> From<WaitlistBorrowed<'a>> for Waitlist {
    fn from(
        WaitlistBorrowed {
            id,
            email,
            created_at,
        }: WaitlistBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            email: email.into(),
            created_at,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct WaitlistQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<WaitlistBorrowed, tokio_postgres::Error>,
    mapper: fn(WaitlistBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> WaitlistQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(WaitlistBorrowed) -> R) -> WaitlistQuery<'c, 'a, 's, C, R, N> {
        WaitlistQuery {
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
pub struct I64Query<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<i64, tokio_postgres::Error>,
    mapper: fn(i64) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> I64Query<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(i64) -> R) -> I64Query<'c, 'a, 's, C, R, N> {
        I64Query {
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
        "INSERT INTO waitlist (id, email, created_at) VALUES ($1, $2, now() AT TIME ZONE 'UTC') RETURNING id, email, created_at",
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
    pub fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>(
        &'s self,
        client: &'c C,
        id: &'a T1,
        email: &'a T2,
    ) -> WaitlistQuery<'c, 'a, 's, C, Waitlist, 2> {
        WaitlistQuery {
            client,
            params: [id, email],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<WaitlistBorrowed, tokio_postgres::Error> {
                Ok(WaitlistBorrowed {
                    id: row.try_get(0)?,
                    email: row.try_get(1)?,
                    created_at: row.try_get(2)?,
                })
            },
            mapper: |it| Waitlist::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        InsertParams<T1, T2>,
        WaitlistQuery<'c, 'a, 's, C, Waitlist, 2>,
        C,
    > for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2>,
    ) -> WaitlistQuery<'c, 'a, 's, C, Waitlist, 2> {
        self.bind(client, &params.id, &params.email)
    }
}
pub struct JoinStmt(&'static str, Option<tokio_postgres::Statement>);
/// Puts an address on the list. 0 where it was there already.
pub fn join() -> JoinStmt {
    JoinStmt(
        "INSERT INTO waitlist (id, email, created_at) VALUES ($1, $2, now() AT TIME ZONE 'UTC') ON CONFLICT (email) DO NOTHING",
        None,
    )
}
impl JoinStmt {
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
        id: &'a T1,
        email: &'a T2,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[id, email]).await
    }
}
impl<'a, C: GenericClient + Send + Sync, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'a,
        'a,
        'a,
        JoinParams<T1, T2>,
        std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>,
        C,
    > for JoinStmt
{
    fn params(
        &'a self,
        client: &'a C,
        params: &'a JoinParams<T1, T2>,
    ) -> std::pin::Pin<Box<dyn futures::Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>
    {
        Box::pin(self.bind(client, &params.id, &params.email))
    }
}
pub struct CountStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn count() -> CountStmt {
    CountStmt("SELECT count(*) AS total FROM waitlist", None)
}
impl CountStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub fn bind<'c, 'a, 's, C: GenericClient>(&'s self, client: &'c C) -> I64Query<'c, 'a, 's, C, i64, 0> {
        I64Query {
            client,
            params: [],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row| Ok(row.try_get(0)?),
            mapper: |it| it,
        }
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt("SELECT id, email, created_at FROM waitlist WHERE id = $1", None)
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
    ) -> WaitlistQuery<'c, 'a, 's, C, Waitlist, 1> {
        WaitlistQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<WaitlistBorrowed, tokio_postgres::Error> {
                Ok(WaitlistBorrowed {
                    id: row.try_get(0)?,
                    email: row.try_get(1)?,
                    created_at: row.try_get(2)?,
                })
            },
            mapper: |it| Waitlist::from(it),
        }
    }
}
pub struct GetByEmailStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get_by_email() -> GetByEmailStmt {
    GetByEmailStmt(
        "SELECT id, email, created_at FROM waitlist WHERE email = $1",
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
    ) -> WaitlistQuery<'c, 'a, 's, C, Waitlist, 1> {
        WaitlistQuery {
            client,
            params: [email],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<WaitlistBorrowed, tokio_postgres::Error> {
                Ok(WaitlistBorrowed {
                    id: row.try_get(0)?,
                    email: row.try_get(1)?,
                    created_at: row.try_get(2)?,
                })
            },
            mapper: |it| Waitlist::from(it),
        }
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, email, created_at FROM waitlist WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
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
    ) -> WaitlistQuery<'c, 'a, 's, C, Waitlist, 2> {
        WaitlistQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<WaitlistBorrowed, tokio_postgres::Error> {
                Ok(WaitlistBorrowed {
                    id: row.try_get(0)?,
                    email: row.try_get(1)?,
                    created_at: row.try_get(2)?,
                })
            },
            mapper: |it| Waitlist::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<'c, 'a, 's, ListParams<T1>, WaitlistQuery<'c, 'a, 's, C, Waitlist, 2>, C>
    for ListStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListParams<T1>,
    ) -> WaitlistQuery<'c, 'a, 's, C, Waitlist, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM waitlist WHERE id = $1 RETURNING id, email, created_at",
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
    ) -> WaitlistQuery<'c, 'a, 's, C, Waitlist, 1> {
        WaitlistQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<WaitlistBorrowed, tokio_postgres::Error> {
                Ok(WaitlistBorrowed {
                    id: row.try_get(0)?,
                    email: row.try_get(1)?,
                    created_at: row.try_get(2)?,
                })
            },
            mapper: |it| Waitlist::from(it),
        }
    }
}
