//! How a pool opens its connections, and how it finds out which of them are still good.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::Error;

use super::config::PoolConfig;
use super::in_transaction::is_in_transaction;
use crate::attempt::AttemptError;
use crate::connect::attempt_each_host;
use crate::connection::Brake;

/// One that was in use so recently is not asked whether it is still there.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long one may take to say that it is still there, but no longer than half of what opening a new one may take.
pub(super) const RECYCLE_LIMIT: Duration = Duration::from_secs(2);

/// A connection of the pool.
pub(super) struct Member {
    pub(super) client: ClientWrapper,
    pub(super) brake: Arc<Brake>,
    pub(super) driver: JoinHandle<()>,
    opened: Instant,
    /// When somebody gave it back.
    pub(super) returned: Instant,
    /// Whether somebody had the bare connection since it was last examined.
    pub(super) was_bare: bool,
}

impl Member {
    /// Whether it is still there. A transaction that somebody has left open is ended: the next would work in it, and
    /// nothing of that would ever be committed.
    async fn examine(&mut self) -> Result<(), Error> {
        if !self.was_bare {
            return self.client.batch_execute("").await;
        }
        if is_in_transaction(&self.client).await? {
            tracing::warn!(
                "a transaction that was begun in SQL was not ended; it is rolled back before somebody else gets its connection"
            );
            self.client.batch_execute("ROLLBACK").await?;
        }
        self.was_bare = false;
        Ok(())
    }
}

/// How often the pool gave up on something.
#[derive(Debug, Default)]
pub(super) struct TimeOuts {
    pub(super) wait: AtomicU64,
    pub(super) create: AtomicU64,
    pub(super) recycle: AtomicU64,
}

/// What the pool calls to open a connection and to look after it.
pub(super) struct Manager {
    pub(super) config: PoolConfig,
    pub(super) time_outs: TimeOuts,
    pub(super) opened: AtomicU64,
    /// When one of them last did not answer: those that were given back before are not trusted any more.
    silence: Mutex<Option<Instant>>,
}

impl Manager {
    pub(super) fn new(config: PoolConfig) -> Self {
        Self {
            config,
            time_outs: TimeOuts::default(),
            opened: AtomicU64::new(0),
            silence: Mutex::default(),
        }
    }

    /// Whether one that nobody uses may stay open.
    pub(super) fn may_stay(&self, member: &Member) -> bool {
        let (idle, age) = (self.config.idle_timeout, self.config.max_lifetime);
        (idle.is_zero() || member.returned.elapsed() < idle)
            && (age.is_zero() || member.opened.elapsed() < age)
            && !member.client.is_closed()
    }

    fn silence(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl managed::Manager for Manager {
    type Type = Member;
    /// The server, and why.
    type Error = (String, AttemptError);

    async fn create(&self) -> Result<Member, Self::Error> {
        let deadline = tokio::time::Instant::now() + self.config.connect_timeout;
        // Rare and large, while taking an idle one is neither.
        let connection = Box::pin(attempt_each_host(&self.config.database, deadline)).await?;
        let (client, brake, driver) = connection.into_parts();
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Member {
            // It would abort the task that says goodbye; the server would log a lost client.
            client: ClientWrapper::new(client, tokio::spawn(async {})),
            brake,
            driver,
            opened: Instant::now(),
            returned: Instant::now(),
            was_bare: false,
        })
    }

    /// A server that was restarted has closed the connection, which is known. One that vanished without a word is
    /// asked for, but only where nothing was heard of it for a while: an answer costs a round trip.
    async fn recycle(&self, member: &mut Member, _: &Metrics) -> RecycleResult<Self::Error> {
        if !self.may_stay(member) {
            return Err(RecycleError::message("it is closed, or its time is over"));
        }
        if self.silence().is_some_and(|silence| member.returned < silence) {
            return Err(RecycleError::message("another one did not answer"));
        }
        if member.returned.elapsed() < TRUSTED && !member.was_bare {
            return Ok(());
        }
        let limit = RECYCLE_LIMIT.min(self.config.connect_timeout / 2);
        match timeout(limit, member.examine()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(RecycleError::message("it is closed")),
            // Rather than of a silent server, that is a sign of a query which somebody gave up.
            Err(_) if member.was_bare => {
                member.brake.pull().await;
                Err(RecycleError::message("it was given back with a query under way"))
            }
            Err(_) => {
                self.time_outs.recycle.fetch_add(1, Ordering::Relaxed);
                *self.silence() = Some(Instant::now());
                tracing::warn!(
                    "an idle connection to the database did not answer within {limit:?}; those that were idle are opened anew"
                );
                Err(RecycleError::message("it did not answer"))
            }
        }
    }
}
