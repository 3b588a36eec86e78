// This file was generated with `cornucopia`. Do not modify.

pub struct InsertParams<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql> {
    pub id: T1,
    pub identifier: T2,
    pub value: T3,
    pub expires_at: chrono::NaiveDateTime,
}
impl<T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql> std::fmt::Debug
    for InsertParams<T1, T2, T3>
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
pub struct UpdateParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub value: T1,
    pub expires_at: chrono::NaiveDateTime,
    pub id: T2,
}
impl<T1: crate::StringSql, T2: crate::StringSql> std::fmt::Debug for UpdateParams<T1, T2> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpdateParams").finish_non_exhaustive()
    }
}
pub struct ConsumeParams<T1: crate::StringSql, T2: crate::StringSql> {
    pub id: T1,
    pub value: T2,
}
impl<T1: crate::StringSql, T2: crate::StringSql> std::fmt::Debug for ConsumeParams<T1, T2> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsumeParams").finish_non_exhaustive()
    }
}
#[derive(Clone, PartialEq, Eq)]
pub struct Verification {
    pub id: String,
    pub identifier: String,
    pub value: String,
    pub expires_at: chrono::NaiveDateTime,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
}
impl std::fmt::Debug for Verification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verification").finish_non_exhaustive()
    }
}
pub struct VerificationBorrowed<'a> {
    pub id: &'a str,
    pub identifier: &'a str,
    pub value: &'a str,
    pub expires_at: chrono::NaiveDateTime,
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: chrono::NaiveDateTime,
}
impl<'a> From<VerificationBorrowed<'a>> for Verification {
    fn from(
        VerificationBorrowed {
            id,
            identifier,
            value,
            expires_at,
            created_at,
            updated_at,
        }: VerificationBorrowed<'a>,
    ) -> Self {
        Self {
            id: id.into(),
            identifier: identifier.into(),
            value: value.into(),
            expires_at,
            created_at,
            updated_at,
        }
    }
}
use crate::client::async_::GenericClient;
use futures::{self, StreamExt, TryStreamExt};
pub struct VerificationQuery<'c, 'a, 's, C: GenericClient, T, const N: usize> {
    client: &'c C,
    params: [&'a (dyn postgres_types::ToSql + Sync); N],
    query: &'static str,
    cached: Option<&'s tokio_postgres::Statement>,
    extractor: fn(&tokio_postgres::Row) -> Result<VerificationBorrowed, tokio_postgres::Error>,
    mapper: fn(VerificationBorrowed) -> T,
}
impl<'c, 'a, 's, C, T: 'c, const N: usize> VerificationQuery<'c, 'a, 's, C, T, N>
where
    C: GenericClient,
{
    pub fn map<R>(self, mapper: fn(VerificationBorrowed) -> R) -> VerificationQuery<'c, 'a, 's, C, R, N> {
        VerificationQuery {
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
        "INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at) VALUES ($1, $2, $3, $4, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC') RETURNING id, identifier, value, expires_at, created_at, updated_at",
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
        identifier: &'a T2,
        value: &'a T3,
        expires_at: &'a chrono::NaiveDateTime,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 4> {
        VerificationQuery {
            client,
            params: [id, identifier, value, expires_at],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<VerificationBorrowed, tokio_postgres::Error> {
                Ok(VerificationBorrowed {
                    id: row.try_get(0)?,
                    identifier: row.try_get(1)?,
                    value: row.try_get(2)?,
                    expires_at: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                })
            },
            mapper: |it| Verification::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql, T3: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        InsertParams<T1, T2, T3>,
        VerificationQuery<'c, 'a, 's, C, Verification, 4>,
        C,
    > for InsertStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a InsertParams<T1, T2, T3>,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 4> {
        self.bind(
            client,
            &params.id,
            &params.identifier,
            &params.value,
            &params.expires_at,
        )
    }
}
pub struct GetStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn get() -> GetStmt {
    GetStmt(
        "SELECT id, identifier, value, expires_at, created_at, updated_at FROM verification WHERE id = $1",
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
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 1> {
        VerificationQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<VerificationBorrowed, tokio_postgres::Error> {
                Ok(VerificationBorrowed {
                    id: row.try_get(0)?,
                    identifier: row.try_get(1)?,
                    value: row.try_get(2)?,
                    expires_at: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                })
            },
            mapper: |it| Verification::from(it),
        }
    }
}
pub struct GetByIdentifierStmt(&'static str, Option<tokio_postgres::Statement>);
/// The newest.
pub fn get_by_identifier() -> GetByIdentifierStmt {
    GetByIdentifierStmt(
        "SELECT id, identifier, value, expires_at, created_at, updated_at FROM verification WHERE identifier = $1 ORDER BY created_at DESC, id DESC LIMIT 1",
        None,
    )
}
impl GetByIdentifierStmt {
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
        identifier: &'a T1,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 1> {
        VerificationQuery {
            client,
            params: [identifier],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<VerificationBorrowed, tokio_postgres::Error> {
                Ok(VerificationBorrowed {
                    id: row.try_get(0)?,
                    identifier: row.try_get(1)?,
                    value: row.try_get(2)?,
                    expires_at: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                })
            },
            mapper: |it| Verification::from(it),
        }
    }
}
pub struct ListStmt(&'static str, Option<tokio_postgres::Statement>);
/// In the order of their keys, those behind `after`.
pub fn list() -> ListStmt {
    ListStmt(
        "SELECT id, identifier, value, expires_at, created_at, updated_at FROM verification WHERE id > coalesce($1, '') ORDER BY id LIMIT $2",
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
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 2> {
        VerificationQuery {
            client,
            params: [after, count],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<VerificationBorrowed, tokio_postgres::Error> {
                Ok(VerificationBorrowed {
                    id: row.try_get(0)?,
                    identifier: row.try_get(1)?,
                    value: row.try_get(2)?,
                    expires_at: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                })
            },
            mapper: |it| Verification::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ListParams<T1>,
        VerificationQuery<'c, 'a, 's, C, Verification, 2>,
        C,
    > for ListStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ListParams<T1>,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 2> {
        self.bind(client, &params.after, &params.count)
    }
}
pub struct ListByIdentifierStmt(&'static str, Option<tokio_postgres::Statement>);
/// The newest first.
pub fn list_by_identifier() -> ListByIdentifierStmt {
    ListByIdentifierStmt(
        "SELECT id, identifier, value, expires_at, created_at, updated_at FROM verification WHERE identifier = $1 ORDER BY created_at DESC, id DESC",
        None,
    )
}
impl ListByIdentifierStmt {
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
        identifier: &'a T1,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 1> {
        VerificationQuery {
            client,
            params: [identifier],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<VerificationBorrowed, tokio_postgres::Error> {
                Ok(VerificationBorrowed {
                    id: row.try_get(0)?,
                    identifier: row.try_get(1)?,
                    value: row.try_get(2)?,
                    expires_at: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                })
            },
            mapper: |it| Verification::from(it),
        }
    }
}
pub struct UpdateStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn update() -> UpdateStmt {
    UpdateStmt(
        "UPDATE verification SET value = $1, expires_at = $2, updated_at = now() AT TIME ZONE 'UTC' WHERE id = $3 RETURNING id, identifier, value, expires_at, created_at, updated_at",
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
        value: &'a T1,
        expires_at: &'a chrono::NaiveDateTime,
        id: &'a T2,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 3> {
        VerificationQuery {
            client,
            params: [value, expires_at, id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<VerificationBorrowed, tokio_postgres::Error> {
                Ok(VerificationBorrowed {
                    id: row.try_get(0)?,
                    identifier: row.try_get(1)?,
                    value: row.try_get(2)?,
                    expires_at: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                })
            },
            mapper: |it| Verification::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        UpdateParams<T1, T2>,
        VerificationQuery<'c, 'a, 's, C, Verification, 3>,
        C,
    > for UpdateStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a UpdateParams<T1, T2>,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 3> {
        self.bind(client, &params.value, &params.expires_at, &params.id)
    }
}
pub struct ConsumeStmt(&'static str, Option<tokio_postgres::Statement>);
/// Takes a proof, so that it counts once. None where it has expired or was taken.
pub fn consume() -> ConsumeStmt {
    ConsumeStmt(
        "DELETE FROM verification WHERE id = $1 AND value = $2 AND expires_at > now() AT TIME ZONE 'UTC' RETURNING id, identifier, value, expires_at, created_at, updated_at",
        None,
    )
}
impl ConsumeStmt {
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
        value: &'a T2,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 2> {
        VerificationQuery {
            client,
            params: [id, value],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<VerificationBorrowed, tokio_postgres::Error> {
                Ok(VerificationBorrowed {
                    id: row.try_get(0)?,
                    identifier: row.try_get(1)?,
                    value: row.try_get(2)?,
                    expires_at: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                })
            },
            mapper: |it| Verification::from(it),
        }
    }
}
impl<'c, 'a, 's, C: GenericClient, T1: crate::StringSql, T2: crate::StringSql>
    crate::client::async_::Params<
        'c,
        'a,
        's,
        ConsumeParams<T1, T2>,
        VerificationQuery<'c, 'a, 's, C, Verification, 2>,
        C,
    > for ConsumeStmt
{
    fn params(
        &'s self,
        client: &'c C,
        params: &'a ConsumeParams<T1, T2>,
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 2> {
        self.bind(client, &params.id, &params.value)
    }
}
pub struct DeleteStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete() -> DeleteStmt {
    DeleteStmt(
        "DELETE FROM verification WHERE id = $1 RETURNING id, identifier, value, expires_at, created_at, updated_at",
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
    ) -> VerificationQuery<'c, 'a, 's, C, Verification, 1> {
        VerificationQuery {
            client,
            params: [id],
            query: self.0,
            cached: self.1.as_ref(),
            extractor: |row: &tokio_postgres::Row| -> Result<VerificationBorrowed, tokio_postgres::Error> {
                Ok(VerificationBorrowed {
                    id: row.try_get(0)?,
                    identifier: row.try_get(1)?,
                    value: row.try_get(2)?,
                    expires_at: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    updated_at: row.try_get(5)?,
                })
            },
            mapper: |it| Verification::from(it),
        }
    }
}
pub struct DeleteByIdentifierStmt(&'static str, Option<tokio_postgres::Statement>);
pub fn delete_by_identifier() -> DeleteByIdentifierStmt {
    DeleteByIdentifierStmt("DELETE FROM verification WHERE identifier = $1", None)
}
impl DeleteByIdentifierStmt {
    pub async fn prepare<'a, C: GenericClient>(
        mut self,
        client: &'a C,
    ) -> Result<Self, tokio_postgres::Error> {
        self.1 = Some(client.prepare(self.0).await?);
        Ok(self)
    }
    pub async fn bind<'c, 'a, 's, C: GenericClient, T1: crate::StringSql>(
        &'s self,
        client: &'c C,
        identifier: &'a T1,
    ) -> Result<u64, tokio_postgres::Error> {
        client.execute(self.0, &[identifier]).await
    }
}
pub struct DeleteExpiredStmt(&'static str, Option<tokio_postgres::Statement>);
/// At most `count`: again until there are none. Copies that do it at the same time do not wait for each other.
pub fn delete_expired() -> DeleteExpiredStmt {
    DeleteExpiredStmt(
        "DELETE FROM verification WHERE id IN ( SELECT id FROM verification WHERE expires_at <= now() AT TIME ZONE 'UTC' LIMIT $1 FOR UPDATE SKIP LOCKED )",
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
