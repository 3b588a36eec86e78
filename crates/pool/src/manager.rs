//! How a pool opens connections, and how it finds out which of them still work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::Error;
use zerostarter_connect::Canceller;
use zerostarter_connect::attempt::AttemptError;
use zerostarter_connect::connect::attempt_each_host;
use zerostarter_diagnostic::duration::in_seconds;

use crate::config::Config;
use crate::in_transaction::is_in_transaction;

/// A connection that was used within this time is not checked.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long the check of a connection may take; at most half of `POSTGRES_CONNECT_TIMEOUT`.
pub(crate) const RECYCLE_LIMIT: Duration = Duration::from_secs(2);

/// A connection of the pool.
pub(crate) struct Member {
    pub(crate) client: ClientWrapper,
    pub(crate) canceller: Arc<Canceller>,
    pub(crate) driver: JoinHandle<()>,
    opened: Instant,
    /// When it was returned.
    pub(crate) returned: Instant,
    /// Whether an application had tokio-postgres' client since the last check.
    pub(crate) was_bare: bool,
}

impl Member {
    /// Checks that it still works. A transaction that was left open is rolled back: otherwise the next application would work
    /// in it, and nothing of that would be committed.
    async fn examine(&mut self) -> Result<(), Error> {
        if !self.was_bare {
            return self.client.batch_execute("").await;
        }
        if is_in_transaction(&self.client).await? {
            tracing::warn!(
                "a transaction begun in SQL was left open; it is rolled back before the connection is used again"
            );
            self.client.batch_execute("ROLLBACK").await?;
        }
        self.was_bare = false;
        Ok(())
    }
}

/// How often a timeout of the pool ran out.
#[derive(Debug, Default)]
pub(crate) struct TimeOuts {
    pub(crate) wait: AtomicU64,
    pub(crate) create: AtomicU64,
    pub(crate) recycle: AtomicU64,
}

/// Opens and checks the connections of a pool.
pub(crate) struct Manager {
    pub(crate) config: Config,
    pub(crate) time_outs: TimeOuts,
    pub(crate) opened: AtomicU64,
    /// When a check last got no answer: connections that were returned before are not trusted any more.
    unanswered: Mutex<Option<Instant>>,
}

impl Manager {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            time_outs: TimeOuts::default(),
            opened: AtomicU64::new(0),
            unanswered: Mutex::default(),
        }
    }

    /// Whether an idle connection may stay open.
    pub(crate) fn may_stay(&self, member: &Member) -> bool {
        let (idle, age) = (self.config.idle_timeout, self.config.max_lifetime);
        (idle.is_zero() || member.returned.elapsed() < idle)
            && (age.is_zero() || member.opened.elapsed() < age)
            && !member.client.is_closed()
    }

    fn unanswered(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl managed::Manager for Manager {
    type Type = Member;
    /// The server, and why.
    type Error = (String, AttemptError);

    async fn create(&self) -> Result<Member, Self::Error> {
        let deadline = tokio::time::Instant::now() + self.config.connect_timeout;
        // A large future for a rare case; taking an idle connection is frequent.
        let connection = Box::pin(attempt_each_host(&self.config.database, deadline)).await?;
        let (client, canceller, driver) = connection.into_parts();
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Member {
            // The wrapper aborts its task when it is dropped; the driver must live on to send Terminate.
            client: ClientWrapper::new(client, tokio::spawn(async {})),
            canceller,
            driver,
            opened: Instant::now(),
            returned: Instant::now(),
            was_bare: false,
        })
    }

    /// A restarted server has closed the connection, which is known without a check. A server that disappeared needs a check,
    /// which costs a round trip; so only connections that were idle for a while are checked.
    async fn recycle(&self, member: &mut Member, _: &Metrics) -> RecycleResult<Self::Error> {
        if !self.may_stay(member) {
            return Err(RecycleError::message("it is closed, or has reached a timeout"));
        }
        if self.unanswered().is_some_and(|at| member.returned < at) {
            return Err(RecycleError::message("another one did not answer"));
        }
        if member.returned.elapsed() < TRUSTED && !member.was_bare {
            return Ok(());
        }
        let limit = RECYCLE_LIMIT.min(self.config.connect_timeout / 2);
        match timeout(limit, member.examine()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(RecycleError::message("it is closed")),
            // Probably not a server that disappeared, but a query that the application gave up.
            Err(_) if member.was_bare => {
                member.canceller.cancel().await;
                Err(RecycleError::message("it was returned with a running query"))
            }
            Err(_) => {
                self.time_outs.recycle.fetch_add(1, Ordering::Relaxed);
                *self.unanswered() = Some(Instant::now());
                tracing::warn!(
                    "an idle connection to the database did not answer within {}; the pool replaces its idle connections",
                    in_seconds(limit)
                );
                Err(RecycleError::message("it did not answer"))
            }
        }
    }
}
