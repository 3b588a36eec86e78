//! A connection of the pool in use, and transactions on it.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use deadpool::managed::Object;
use deadpool_postgres::StatementCache;
use futures_util::Stream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::{Error, Row, RowStream, Statement, TransactionBuilder};
use zerostarter_queries::client::{GenericClient, Parameters};

use crate::config::Statements;
use crate::in_transaction::InTransaction;
use crate::manager::Manager;
use crate::statements::{Descriptions, Sender};

/// A connection of the pool. Dropping it returns it. If the future of a query of [`queries`](crate::queries) was dropped
/// before the answer, the query is cancelled and the connection is closed.
///
/// It dereferences to tokio-postgres' client, for what has no typed query. With transaction pooling use its `query_typed`
/// functions, or a [`Transaction`]: the others prepare a statement first, and the pooler may send the query to another
/// server. A transaction that was begun in SQL and left open is rolled back before the connection is used again; what `SET`
/// has changed stays. [`GenericClient`] is for queries, not for `BEGIN`.
pub struct Client {
    /// `Some` until it is dropped.
    member: Option<Object<Manager>>,
    statements: Statements,
    descriptions: Arc<Descriptions>,
    running: AtomicUsize,
    /// Whether the application had tokio-postgres' client.
    was_bare: AtomicBool,
}

impl Client {
    pub(crate) fn new(
        member: Object<Manager>,
        statements: Statements,
        descriptions: Arc<Descriptions>,
    ) -> Self {
        Self {
            member: Some(member),
            statements,
            descriptions,
            running: AtomicUsize::new(0),
            was_bare: AtomicBool::new(false),
        }
    }

    /// Begins a transaction. It is rolled back unless it is committed.
    ///
    /// # Errors
    ///
    /// The server's or the driver's.
    ///
    /// # Panics
    ///
    /// Never: a client holds its connection until it is dropped.
    pub async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
        self.transaction_with(|options| options).await
    }

    /// Begins a transaction with options: isolation level, read-only.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use zerostarter_pool::Pool;
    /// use tokio_postgres::IsolationLevel;
    /// let mut client = Pool::shared()?.get().await?;
    /// let transaction = client
    ///     .transaction_with(|options| options.isolation_level(IsolationLevel::Serializable))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The server's or the driver's.
    ///
    /// # Panics
    ///
    /// Never: a client holds its connection until it is dropped.
    pub async fn transaction_with<'a>(
        &'a mut self,
        options: impl FnOnce(TransactionBuilder<'a>) -> TransactionBuilder<'a>,
    ) -> Result<Transaction<'a>, Error> {
        let member = self.member.as_mut().expect(HELD);
        let statement_cache = member.client.statement_cache.clone();
        let begin = options(tokio_postgres::Client::build_transaction(&mut member.client)).start();
        Ok(Transaction {
            wire: counted(&self.running, begin).await?,
            statement_cache,
            statements: self.statements,
            descriptions: &self.descriptions,
            running: &self.running,
        })
    }

    /// Awaits a request of tokio-postgres' client. If this future is dropped before the answer, the request is cancelled and
    /// the connection is closed, as with a typed query.
    pub async fn attend<T>(&self, request: impl Future<Output = T>) -> T {
        counted(&self.running, request).await
    }

    fn member(&self) -> &Object<Manager> {
        self.member.as_ref().expect(HELD)
    }

    /// tokio-postgres' client, for a caller that leaves no transaction open: the pool does not check the connection
    /// afterwards.
    #[must_use]
    pub fn unchecked(&self) -> &tokio_postgres::Client {
        &self.member().client
    }
}

/// How long the server may take to cancel a query.
const END_LIMIT: Duration = Duration::from_secs(1);

const HELD: &str = "a client holds its connection until it is dropped";

impl Deref for Client {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &Self::Target {
        self.was_bare.store(true, Ordering::Relaxed);
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
        if *self.running.get_mut() == 0 {
            member.returned = Instant::now();
            member.was_bare |= *self.was_bare.get_mut();
            return;
        }
        // If the runtime ends before the connection does, it is checked before it is used again.
        member.was_bare = true;
        match Handle::try_current() {
            Ok(runtime) if !member.client.is_closed() => {
                runtime.spawn(end(member));
            }
            // The runtime or the connection has ended.
            _ => drop(Object::take(member)),
        }
    }
}

/// Closes a connection with a running query. It counts as open until the server has cancelled the query, or cannot be
/// reached: a pool must not have more connections than its size.
async fn end(mut member: Object<Manager>) {
    member.canceller.cancel().await;
    if timeout(END_LIMIT, member.client.batch_execute("")).await.is_err() {
        member.driver.abort();
        // Its runtime may be another one, which does not run any more.
        let _ = timeout(END_LIMIT, &mut member.driver).await;
    }
    drop(Object::take(member));
}

/// A transaction on a connection of the pool. It is rolled back unless it is committed.
pub struct Transaction<'a> {
    wire: tokio_postgres::Transaction<'a>,
    statement_cache: Arc<StatementCache>,
    statements: Statements,
    descriptions: &'a Descriptions,
    running: &'a AtomicUsize,
}

impl Transaction<'_> {
    /// Commits it.
    ///
    /// # Errors
    ///
    /// The server's or the driver's. If the connection was lost it is unknown whether it was committed.
    pub async fn commit(self) -> Result<(), Error> {
        let Self { wire, running, .. } = self;
        counted(running, wire.commit()).await
    }

    /// Rolls it back. Dropping it does so too, without an error.
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
            transaction: if self.was_bare.load(Ordering::Relaxed) {
                InTransaction::Perhaps
            } else {
                InTransaction::No
            },
        };
        (sender, &self.running)
    }
}

impl Transaction<'_> {
    fn sender(&self) -> (Sender<'_>, &AtomicUsize) {
        let sender = Sender {
            wire: self.wire.client(),
            cache: &self.statement_cache,
            statements: self.statements,
            descriptions: self.descriptions,
            transaction: InTransaction::Yes,
        };
        (sender, self.running)
    }
}

/// Counts a running request. A request whose future is dropped stays counted.
async fn counted<T>(running: &AtomicUsize, request: impl Future<Output = T>) -> T {
    running.fetch_add(1, Ordering::Relaxed);
    let outcome = request.await;
    running.fetch_sub(1, Ordering::Relaxed);
    outcome
}

/// The rows of a query. It is running until the last row.
pub struct Rows<'c> {
    rows: Pin<Box<RowStream>>,
    /// `Some` until the end.
    running: Option<&'c AtomicUsize>,
}

impl Stream for Rows<'_> {
    type Item = Result<Row, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.rows.as_mut().poll_next(context));
        let is_over = !matches!(next, Some(Ok(_)));
        if let Some(running) = self.running.take_if(|_| is_over) {
            running.fetch_sub(1, Ordering::Relaxed);
        }
        Poll::Ready(next)
    }
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

/// Counts a running query. If the driver gives it up, for example at a second row where one was expected, the server goes on,
/// and the query stays counted.
async fn counted_query<T>(
    running: &AtomicUsize,
    query: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    running.fetch_add(1, Ordering::Relaxed);
    let outcome = query.await;
    if outcome
        .as_ref()
        .map_or_else(|error| error.as_db_error().is_some(), |_| true)
    {
        running.fetch_sub(1, Ordering::Relaxed);
    }
    outcome
}

macro_rules! generic_client {
    ($client:ty) => {
        impl GenericClient for $client {
            type Rows<'c>
                = Rows<'c>
            where
                Self: 'c;

            async fn prepare(&self, query: &str) -> Result<Statement, Error> {
                let (sender, running) = self.sender();
                counted_query(running, sender.prepare(query)).await
            }

            async fn execute(&self, query: &str, params: &Parameters<'_>) -> Result<u64, Error> {
                let (sender, running) = self.sender();
                counted_query(running, sender.execute(query, params)).await
            }

            async fn query_one(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Row, Error> {
                let (sender, running) = self.sender();
                counted_query(running, sender.query_one(query, prepared, params)).await
            }

            async fn query_opt(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Option<Row>, Error> {
                let (sender, running) = self.sender();
                counted_query(running, sender.query_opt(query, prepared, params)).await
            }

            async fn query_raw(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Rows<'_>, Error> {
                let (sender, running) = self.sender();
                let rows = counted_query(running, sender.query_raw(query, prepared, params)).await?;
                running.fetch_add(1, Ordering::Relaxed);
                Ok(Rows {
                    rows: Box::pin(rows),
                    running: Some(running),
                })
            }
        }
    };
}

generic_client!(Client);
generic_client!(Transaction<'_>);
