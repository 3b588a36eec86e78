//! A connection of the pool in somebody's hands, and transactions on it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use deadpool::managed::Object;
use deadpool_postgres::StatementCache;
use tokio::runtime::Handle;
use tokio_postgres::{Error, Row, RowStream, Statement};
use zerostarter_queries::client::{GenericClient, Parameters};

use super::config::Statements;
use super::manager::Manager;
use super::statements::{Descriptions, Sender};

/// A connection of the pool. It goes back when it is dropped, unless a query of [`queries`](crate::queries) was given up
/// before its answer came: then that is cancelled and the connection closed, so that nobody waits behind it.
///
/// It dereferences to tokio-postgres' client for what has no typed query. Behind a transaction pooler use its
/// `query_typed` functions, or a [`Transaction`]: the others prepare a statement first, which the pooler may take
/// to another server than the query.
pub struct Client {
    /// There until it is dropped.
    member: Option<Object<Manager>>,
    statements: Statements,
    descriptions: Arc<Descriptions>,
    under_way: AtomicUsize,
}

impl Client {
    pub(super) fn new(
        member: Object<Manager>,
        statements: Statements,
        descriptions: Arc<Descriptions>,
    ) -> Self {
        Self {
            member: Some(member),
            statements,
            descriptions,
            under_way: AtomicUsize::new(0),
        }
    }

    /// Begins a transaction, which is rolled back unless it is committed.
    ///
    /// # Errors
    ///
    /// The server's or the driver's.
    ///
    /// # Panics
    ///
    /// Never: a client holds its connection until it is dropped.
    pub async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        let member = self.member.as_mut().expect(HELD);
        let statement_cache = member.client.statement_cache.clone();
        let begin = tokio_postgres::Client::build_transaction(&mut member.client).start();
        Ok(Transaction {
            wire: counted(&self.under_way, begin).await?,
            statement_cache,
            statements: self.statements,
            descriptions: &self.descriptions,
            under_way: &self.under_way,
        })
    }

    /// Waits for a request of tokio-postgres' own client. As with a typed query, one that is given up is cancelled, and
    /// the connection does not go back to the pool.
    pub async fn attend<T>(&self, request: impl Future<Output = T>) -> T {
        counted(&self.under_way, request).await
    }

    fn member(&self) -> &Object<Manager> {
        self.member.as_ref().expect(HELD)
    }
}

const HELD: &str = "a client holds its connection until it is dropped";

impl Deref for Client {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &Self::Target {
        &self.member().client
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("statements", &self.statements)
            .finish_non_exhaustive()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let Some(mut member) = self.member.take() else {
            return;
        };
        if *self.under_way.get_mut() == 0 {
            member.returned = Instant::now();
            return;
        }
        let member = Object::take(member);
        // Without a runtime nobody reads the answer either: the connection has ended.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { member.brake.pull().await });
        }
    }
}

/// A transaction on a connection of the pool. It is rolled back unless it is committed.
pub struct Transaction<'a> {
    wire: tokio_postgres::Transaction<'a>,
    statement_cache: Arc<StatementCache>,
    statements: Statements,
    descriptions: &'a Descriptions,
    under_way: &'a AtomicUsize,
}

impl Transaction<'_> {
    /// Commits it.
    ///
    /// # Errors
    ///
    /// The server's or the driver's. If the connection was lost it is unknown whether it was committed.
    pub async fn commit(self) -> Result<(), Error> {
        let Self { wire, under_way, .. } = self;
        counted(under_way, wire.commit()).await
    }

    /// Rolls it back, which dropping it does too, but without telling whether that worked.
    ///
    /// # Errors
    ///
    /// The server's or the driver's.
    pub async fn rollback(self) -> Result<(), Error> {
        self.wire.rollback().await
    }
}

impl<'a> Deref for Transaction<'a> {
    type Target = tokio_postgres::Transaction<'a>;

    fn deref(&self) -> &Self::Target {
        &self.wire
    }
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("statements", &self.statements)
            .finish_non_exhaustive()
    }
}

impl Client {
    fn sender(&self) -> (Sender<'_>, &AtomicUsize) {
        let client = &self.member().client;
        let sender = Sender {
            wire: client,
            cache: &client.statement_cache,
            statements: self.statements,
            descriptions: &self.descriptions,
            in_transaction: false,
        };
        (sender, &self.under_way)
    }
}

impl Transaction<'_> {
    fn sender(&self) -> (Sender<'_>, &AtomicUsize) {
        let sender = Sender {
            wire: self.wire.client(),
            cache: &self.statement_cache,
            statements: self.statements,
            descriptions: self.descriptions,
            in_transaction: true,
        };
        (sender, self.under_way)
    }
}

/// Counts a request while it is under way. One that is given up is never counted off.
async fn counted<T>(under_way: &AtomicUsize, request: impl Future<Output = T>) -> T {
    under_way.fetch_add(1, Ordering::Relaxed);
    let outcome = request.await;
    under_way.fetch_sub(1, Ordering::Relaxed);
    outcome
}

macro_rules! of_the_pool {
    ($client:ty) => {
        impl GenericClient for $client {
            async fn prepare(&self, query: &str) -> Result<Statement, Error> {
                let (sender, under_way) = self.sender();
                counted(under_way, sender.prepare(query)).await
            }

            async fn execute(&self, query: &str, params: &Parameters<'_>) -> Result<u64, Error> {
                let (sender, under_way) = self.sender();
                counted(under_way, sender.execute(query, params)).await
            }

            async fn query_one(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Row, Error> {
                let (sender, under_way) = self.sender();
                counted(under_way, sender.query_one(query, prepared, params)).await
            }

            async fn query_opt(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Option<Row>, Error> {
                let (sender, under_way) = self.sender();
                counted(under_way, sender.query_opt(query, prepared, params)).await
            }

            async fn query_raw(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<RowStream, Error> {
                let (sender, under_way) = self.sender();
                counted(under_way, sender.query_raw(query, prepared, params)).await
            }
        }
    };
}

of_the_pool!(Client);
of_the_pool!(Transaction<'_>);
