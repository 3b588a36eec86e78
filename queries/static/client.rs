//! How a query reaches the server: the client that it runs on decides what is prepared, and what is remembered.

use std::future::Future;

use futures::Stream;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, RowStream, Statement, Transaction};

/// The values of a query's parameters, in order.
pub type Parameters<'a> = [&'a (dyn ToSql + Sync)];

/// What a query runs on: a connection, or a transaction of one.
///
/// Where the caller has prepared the query itself, the statement comes with it. Otherwise it is the client's
/// choice whether it prepares the text each time, once a connection, or not at all.
pub trait GenericClient: Send + Sync {
    /// The rows of a query, one after another.
    type Rows<'c>: Stream<Item = Result<Row, Error>> + Send
    where
        Self: 'c;

    /// Prepares a query.
    fn prepare(&self, query: &str) -> impl Future<Output = Result<Statement, Error>> + Send;

    /// Runs a query that returns no rows; the number of those that it changed.
    fn execute(
        &self,
        query: &str,
        params: &Parameters<'_>,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Runs a query that returns one row; another number of rows is an error.
    fn query_one(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> impl Future<Output = Result<Row, Error>> + Send;

    /// Runs a query that returns one row or none; more are an error.
    fn query_opt(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send;

    /// Runs a query whose rows come one after another.
    fn query_raw(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> impl Future<Output = Result<Self::Rows<'_>, Error>> + Send;
}

/// Binds a query's parameters from one struct with named fields.
pub trait Params<'c, 'a, 's, P, O, C> {
    /// The query with the values of `params`.
    fn params(&'s self, client: &'c C, params: &'a P) -> O;
}

pub(crate) async fn one<C: GenericClient>(
    client: &C,
    query: &str,
    params: &Parameters<'_>,
    prepared: Option<&Statement>,
) -> Result<Row, Error> {
    client.query_one(query, prepared, params).await
}

pub(crate) async fn opt<C: GenericClient>(
    client: &C,
    query: &str,
    params: &Parameters<'_>,
    prepared: Option<&Statement>,
) -> Result<Option<Row>, Error> {
    client.query_opt(query, prepared, params).await
}

pub(crate) async fn raw<'c, C: GenericClient>(
    client: &'c C,
    query: &str,
    params: &Parameters<'_>,
    prepared: Option<&Statement>,
) -> Result<C::Rows<'c>, Error> {
    client.query_raw(query, prepared, params).await
}

/// Without a pool nothing is remembered: a text is prepared each time.
macro_rules! without_a_pool {
    ($client:ty) => {
        impl GenericClient for $client {
            type Rows<'c>
                = RowStream
            where
                Self: 'c;

            async fn prepare(&self, query: &str) -> Result<Statement, Error> {
                <$client>::prepare(self, query).await
            }

            async fn execute(&self, query: &str, params: &Parameters<'_>) -> Result<u64, Error> {
                <$client>::execute(self, query, params).await
            }

            async fn query_one(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Row, Error> {
                match prepared {
                    Some(statement) => <$client>::query_one(self, statement, params).await,
                    None => <$client>::query_one(self, query, params).await,
                }
            }

            async fn query_opt(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Option<Row>, Error> {
                match prepared {
                    Some(statement) => <$client>::query_opt(self, statement, params).await,
                    None => <$client>::query_opt(self, query, params).await,
                }
            }

            async fn query_raw(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<RowStream, Error> {
                let params = params.iter().copied();
                match prepared {
                    Some(statement) => <$client>::query_raw(self, statement, params).await,
                    None => <$client>::query_raw(self, query, params).await,
                }
            }
        }
    };
}

without_a_pool!(Client);
without_a_pool!(Transaction<'_>);
