//! A connection of the pool in somebody's hands, and transactions on it.

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

use super::config::Statements;
use super::in_transaction::InTransaction;
use super::manager::Manager;
use super::statements::{Descriptions, Sender};

/// A connection of the pool. It goes back when it is dropped, unless a query of [`queries`](crate::queries) was given up
/// before its answer came: then that is cancelled and the connection closed, so that nobody waits behind it.
///
/// It dereferences to tokio-postgres' client for what has no typed query. Behind a transaction pooler use its
/// `query_typed` functions, or a [`Transaction`]: the others prepare a statement first, which the pooler may take
/// to another server than the query. A transaction that was begun in SQL by its functions and not ended is rolled back
/// before somebody else gets the connection; what `SET` has changed stays. [`GenericClient`] is for queries, not for `BEGIN`.
pub struct Client {
    /// There until it is dropped.
    member: Option<Object<Manager>>,
    statements: Statements,
    descriptions: Arc<Descriptions>,
    under_way: AtomicUsize,
    /// Whether somebody had tokio-postgres' own client.
    was_bare: AtomicBool,
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
            was_bare: AtomicBool::new(false),
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
        self.transaction_with(|options| options).await
    }

    /// Begins a transaction with options: its isolation, and whether it only reads.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use zerostarter_db::pool::Pool;
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

    /// tokio-postgres' own client, for one who leaves no transaction open.
    #[cfg(feature = "api")]
    pub(crate) fn wire(&self) -> &tokio_postgres::Client {
        &self.member().client
    }
}

/// How long the server may take to stop what was cancelled.
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
        if *self.under_way.get_mut() == 0 {
            member.returned = Instant::now();
            member.was_bare |= *self.was_bare.get_mut();
            return;
        }
        // Should the runtime end before the connection does, it is examined before anybody gets it.
        member.was_bare = true;
        match Handle::try_current() {
            Ok(runtime) if !member.client.is_closed() => {
                runtime.spawn(end(member));
            }
            // It has ended, or nobody reads the answer any more.
            _ => drop(Object::take(member)),
        }
    }
}

/// Ends a connection that is at work. It counts until the server has stopped, or cannot be reached: a pool whose queries
/// are given up one after another must not have more connections than its size.
async fn end(mut member: Object<Manager>) {
    member.brake.pull().await;
    if timeout(END_LIMIT, member.client.batch_execute("")).await.is_err() {
        member.driver.abort();
        // Its runtime may be another one, which nobody drives any more.
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
            transaction: if self.was_bare.load(Ordering::Relaxed) {
                InTransaction::Perhaps
            } else {
                InTransaction::No
            },
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
            transaction: InTransaction::Yes,
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

/// The rows of a query, which is under way until the last of them.
pub struct Rows<'c> {
    rows: Pin<Box<RowStream>>,
    /// There until the end.
    under_way: Option<&'c AtomicUsize>,
}

impl Stream for Rows<'_> {
    type Item = Result<Row, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.rows.as_mut().poll_next(context));
        let is_over = !matches!(next, Some(Ok(_)));
        if let Some(under_way) = self.under_way.take_if(|_| is_over) {
            under_way.fetch_sub(1, Ordering::Relaxed);
        }
        Poll::Ready(next)
    }
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

/// Counts a query while it is under way. Where the driver gives it up, such as at a second row where one was expected, the
/// server goes on, and it is never counted off.
async fn counted_query<T>(
    under_way: &AtomicUsize,
    query: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    under_way.fetch_add(1, Ordering::Relaxed);
    let outcome = query.await;
    if outcome
        .as_ref()
        .map_or_else(|error| error.as_db_error().is_some(), |_| true)
    {
        under_way.fetch_sub(1, Ordering::Relaxed);
    }
    outcome
}

macro_rules! of_the_pool {
    ($client:ty) => {
        impl GenericClient for $client {
            type Rows<'c>
                = Rows<'c>
            where
                Self: 'c;

            async fn prepare(&self, query: &str) -> Result<Statement, Error> {
                let (sender, under_way) = self.sender();
                counted_query(under_way, sender.prepare(query)).await
            }

            async fn execute(&self, query: &str, params: &Parameters<'_>) -> Result<u64, Error> {
                let (sender, under_way) = self.sender();
                counted_query(under_way, sender.execute(query, params)).await
            }

            async fn query_one(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Row, Error> {
                let (sender, under_way) = self.sender();
                counted_query(under_way, sender.query_one(query, prepared, params)).await
            }

            async fn query_opt(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Option<Row>, Error> {
                let (sender, under_way) = self.sender();
                counted_query(under_way, sender.query_opt(query, prepared, params)).await
            }

            async fn query_raw(
                &self,
                query: &str,
                prepared: Option<&Statement>,
                params: &Parameters<'_>,
            ) -> Result<Rows<'_>, Error> {
                let (sender, under_way) = self.sender();
                let rows = counted_query(under_way, sender.query_raw(query, prepared, params)).await?;
                under_way.fetch_add(1, Ordering::Relaxed);
                Ok(Rows {
                    rows: Box::pin(rows),
                    under_way: Some(under_way),
                })
            }
        }
    };
}

of_the_pool!(Client);
of_the_pool!(Transaction<'_>);
