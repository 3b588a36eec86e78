//! How long to put up with what is in the way: a lost server, another migrator, somebody's lock.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::attempt::AttemptError;
use crate::backoff::Backoff;
use crate::blocker::{Blocker, Wait, find_holder, join};
use crate::config::Config;
use crate::connect::connect;
use crate::connection::{ATTEMPT_LIMIT, Connection};
use crate::duration::{in_seconds, millis};
use crate::error::Error;

/// How much longer to put up with what is in the way. It begins anew with every migration that is applied.
pub(crate) struct Patience<'a> {
    config: &'a Config,
    connected_at: Instant,
    lost_since: Option<Instant>,
    reconnection: Backoff,
    losses: u32,
    contended_since: Option<Instant>,
    contention: Backoff,
    tries: u32,
    /// The last lock that a try was seen to lose against. A later try can end before anybody has looked.
    lost_against: Option<Wait>,
    blockade: Backoff,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self {
            config,
            connected_at: Instant::now(),
            lost_since: None,
            reconnection: reconnection(),
            losses: 0,
            contended_since: None,
            contention: contention(),
            tries: 0,
            lost_against: None,
            blockade: Backoff::new(Duration::from_millis(250), Duration::from_secs(30)),
        }
    }

    /// Until when the first connection may take.
    pub(crate) fn connect_deadline(&self) -> Instant {
        Instant::now() + self.config.wait
    }

    /// Replaces a lost connection. A server that accepts connections and drops them again and again is not
    /// reached either: only a connection that lasted begins the wait anew.
    pub(crate) async fn reconnect(&mut self, lost: AttemptError) -> Result<Connection, Error> {
        let now = Instant::now();
        if now - self.connected_at > self.config.wait {
            self.lost_since = None;
            self.reconnection = reconnection();
        }
        let since = *self.lost_since.get_or_insert(now);
        let deadline = since + self.config.wait;
        self.losses += 1;
        // A file that takes the server down with it would otherwise do so for ever.
        if now > deadline || self.losses > self.config.lock_retries {
            let (server, waited) = (self.config.url.servers(), now - since);
            return Err(Error::Unreachable {
                server,
                waited,
                source: Box::new(lost),
            });
        }
        tracing::warn!(
            "lost the connection ({}); connecting again to see what was committed",
            lost
        );
        sleep(self.reconnection.next_pause().min(deadline - now)).await;
        self.connected_at = Instant::now();
        let connection = connect(self.config, deadline).await;
        self.forget_contention();
        connection
    }

    /// `MIGRATE_LOCK_WAIT` is for waiting for another migrator without a break; other waits have limits of their own.
    fn forget_contention(&mut self) {
        self.contended_since = None;
        self.contention = contention();
    }

    /// Sleeps with neither a transaction nor a snapshot open, for which others would have to wait.
    pub(crate) async fn wait_for_other(
        &mut self,
        connection: &Connection,
        reason: &str,
        schema: &str,
        holder: Option<Box<Blocker>>,
    ) -> Result<(), Error> {
        let is_first = self.contended_since.is_none();
        let since = *self.contended_since.get_or_insert_with(Instant::now);
        let left = self.config.lock_wait.saturating_sub(since.elapsed());
        // A connection that is lost here is noticed by the next pass.
        let holder = if holder.is_none() && (is_first || left.is_zero()) {
            let finding = timeout(ATTEMPT_LIMIT, find_holder(connection, schema));
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
                "{reason}; waiting for it (for up to {}){holder}",
                in_seconds(self.config.lock_wait)
            );
        }
        sleep(self.contention.next_pause().min(left)).await;
        Ok(())
    }

    pub(crate) async fn wait_for_locks(&mut self, defeat: Defeat) -> Result<(), Error> {
        self.tries += 1;
        let tries = self.tries;
        let Defeat { stem, reason, wait } = defeat;
        self.lost_against = wait.or(self.lost_against.take());
        if tries >= self.config.lock_retries {
            let wait = self.lost_against.take().map(Box::new);
            return Err(match stem {
                Some(stem) => Error::LockTimeout {
                    stem,
                    tries,
                    reason,
                    wait,
                },
                None => Error::HistoryLocked {
                    answer: reason,
                    holder: wait.and_then(|wait| wait.blockers.into_iter().next().map(Box::new)),
                },
            });
        }
        let pause = self.blockade.next_pause();
        let pause_ms = millis(pause);
        let failure = match (&stem, &self.lost_against) {
            (Some(stem), _) => format!("{stem} was rolled back: {reason}"),
            // Nobody has watched it, so that nobody has said this yet.
            (None, Some(wait)) => format!(
                "the history could not be read: {reason}, in the way: {}",
                join(&wait.blockers)
            ),
            (None, None) => format!("the history could not be read: {reason}"),
        };
        tracing::warn!(
            migration = stem,
            attempt = tries,
            pause_ms,
            "{failure}; try {} of {} follows in {}",
            tries + 1,
            self.config.lock_retries,
            in_seconds(pause)
        );
        sleep(pause).await;
        self.forget_contention();
        Ok(())
    }
}

/// A try that lost against the locks of others.
pub(crate) struct Defeat {
    /// The migration; `None` where it was the reading of the history.
    pub(crate) stem: Option<String>,
    /// What the server said.
    pub(crate) reason: String,
    /// The lock it waited for, if there was time to see it.
    pub(crate) wait: Option<Wait>,
}

fn reconnection() -> Backoff {
    Backoff::new(Duration::from_millis(10), Duration::from_secs(1))
}

fn contention() -> Backoff {
    Backoff::new(Duration::from_millis(50), Duration::from_secs(1))
}
