//! Retries: how long a run waits for a lost server, for another migrator, and for locks of other sessions.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError};
use zerostarter_connect::backoff::Backoff;
use zerostarter_connect::connect::connect;
use zerostarter_diagnostic::duration::{in_seconds, millis};

use super::error::Error;
use super::pass_end::LockConflict;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::watch::{Blocker, LockWait, find_holder, join};

/// The waits of a run so far. They start again with every migration that is applied.
pub(super) struct Retries<'a> {
    config: &'a Config,
    ledger: Ledger,
    connected_at: Instant,
    lost_since: Option<Instant>,
    reconnection: Backoff,
    losses: u32,
    contended_since: Option<Instant>,
    contention: Backoff,
    lock_conflicts: u32,
    /// The last lock wait that was seen. A later attempt can end before the watcher looks.
    last_wait: Option<LockWait>,
    lock_backoff: Backoff,
}

impl<'a> Retries<'a> {
    pub(super) fn new(config: &'a Config, ledger: Ledger) -> Self {
        Self {
            config,
            ledger,
            connected_at: Instant::now(),
            lost_since: None,
            reconnection: reconnection(),
            losses: 0,
            contended_since: None,
            contention: contention(),
            lock_conflicts: 0,
            last_wait: None,
            lock_backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(30)),
        }
    }

    /// Until when the first connection must be open.
    pub(super) fn connect_deadline(&self) -> Instant {
        Instant::now() + self.config.wait
    }

    /// Replaces a lost connection. Only a connection that lasted longer than the wait starts the wait again: a server that
    /// keeps dropping connections counts as unreachable.
    pub(super) async fn reconnect(&mut self, lost: AttemptError) -> Result<Connection, Error> {
        let now = Instant::now();
        if now - self.connected_at > self.config.wait {
            self.lost_since = None;
            self.reconnection = reconnection();
        }
        let since = *self.lost_since.get_or_insert(now);
        let deadline = since + self.config.wait;
        self.losses += 1;
        // Otherwise a migration that crashes the server would crash it without end.
        if now > deadline || self.losses > self.config.lock_retries {
            let (server, waited) = (self.config.database.url.servers(), now - since);
            return Err(Error::Connect(zerostarter_connect::Error::Unreachable {
                server,
                waited,
                source: Box::new(lost),
            }));
        }
        tracing::warn!("lost the connection ({lost}); connecting again to find out what was committed");
        sleep(self.reconnection.next_pause().min(deadline - now)).await;
        self.connected_at = Instant::now();
        let connection = connect(&self.config.database, deadline).await;
        self.reset_contention();
        Ok(connection?)
    }

    /// `MIGRATE_LOCK_WAIT` limits an uninterrupted wait for another migrator; other waits have other limits.
    fn reset_contention(&mut self) {
        self.contended_since = None;
        self.contention = contention();
    }

    /// Waits for another migrator, with neither a transaction nor a snapshot open, for which other sessions would wait.
    pub(super) async fn wait_for_other(
        &mut self,
        connection: &Connection,
        reason: &str,
        schema: &str,
        holder: Option<Box<Blocker>>,
    ) -> Result<(), Error> {
        let is_first = self.contended_since.is_none();
        let since = *self.contended_since.get_or_insert_with(Instant::now);
        let left = self.config.lock_wait.saturating_sub(since.elapsed());
        // The next pass notices if the connection is lost here.
        let holder = if holder.is_none() && (is_first || left.is_zero()) {
            let finding = timeout(ATTEMPT_LIMIT, find_holder(connection, self.ledger, schema));
            finding.await.ok().and_then(Result::ok).flatten().map(Box::new)
        } else {
            holder
        };
        if left.is_zero() {
            return Err(Error::Locked {
                waited: since.elapsed(),
                reason: reason.to_owned(),
                holder,
            });
        }
        if is_first {
            let holder = holder.map_or_else(String::new, |holder| format!(": {holder}"));
            tracing::info!(
                "{reason}; waiting for up to {}{holder}",
                in_seconds(self.config.lock_wait)
            );
        }
        sleep(self.contention.next_pause().min(left)).await;
        Ok(())
    }

    /// Pauses before the next attempt after a lock conflict.
    pub(super) async fn wait_for_locks(&mut self, conflict: LockConflict) -> Result<(), Error> {
        self.lock_conflicts += 1;
        let attempts = self.lock_conflicts;
        let LockConflict { label, reason, wait } = conflict;
        self.last_wait = wait.or(self.last_wait.take());
        if attempts >= self.config.lock_retries {
            let wait = self.last_wait.take().map(Box::new);
            return Err(match label {
                Some(label) => Error::LockTimeout {
                    label,
                    attempts,
                    reason,
                    wait,
                },
                None => Error::HistoryLocked {
                    answer: reason,
                    holder: wait.and_then(|wait| wait.blockers.into_iter().next().map(Box::new)),
                    is_migrator: false,
                },
            });
        }
        let pause = self.lock_backoff.next_pause();
        let pause_ms = millis(pause);
        let failure = match (&label, &self.last_wait) {
            (Some(label), _) => format!("{label} was rolled back: {reason}"),
            // No watcher has logged the blockers of this query.
            (None, Some(wait)) => format!(
                "the history table could not be read: {reason}, blocked by: {}",
                join(&wait.blockers)
            ),
            (None, None) => format!("the history table could not be read: {reason}"),
        };
        tracing::warn!(
            migration = label,
            attempt = attempts,
            pause_ms,
            "{failure}; attempt {} of {} follows in {}",
            attempts + 1,
            self.config.lock_retries,
            in_seconds(pause)
        );
        sleep(pause).await;
        self.reset_contention();
        Ok(())
    }
}

fn reconnection() -> Backoff {
    Backoff::new(Duration::from_millis(10), Duration::from_secs(1))
}

fn contention() -> Backoff {
    Backoff::new(Duration::from_millis(50), Duration::from_secs(1))
}
