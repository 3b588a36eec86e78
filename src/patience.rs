//! How long to put up with what is in the way: a lost server, another migrator, somebody's lock.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::attempt::{AttemptError, describe};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::duration::{in_seconds, millis};
use crate::error::Error;

/// How much longer to put up with what is in the way. It begins anew with every migration that is applied.
pub(crate) struct Patience<'a> {
    config: &'a Config,
    connected_at: Instant,
    lost_since: Option<Instant>,
    contended_since: Option<Instant>,
    contention: Backoff,
    tries: u32,
    blockade: Backoff,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self {
            config,
            connected_at: Instant::now(),
            lost_since: None,
            contended_since: None,
            contention: Backoff::new(Duration::from_millis(50), Duration::from_secs(1)),
            tries: 0,
            blockade: Backoff::new(Duration::from_millis(250), Duration::from_secs(30)),
        }
    }

    /// Until when the first connection may take.
    pub(crate) fn connect_deadline(&self) -> Instant {
        Instant::now() + self.config.wait
    }

    /// Until when a lost connection has to be replaced. A server that accepts connections and drops them
    /// again and again is not reached either: only a connection that lasted begins the wait anew.
    pub(crate) fn reconnect_deadline(&mut self, lost: tokio_postgres::Error) -> Result<Instant, Error> {
        let now = Instant::now();
        if now - self.connected_at > self.config.wait {
            self.lost_since = None;
        }
        let since = *self.lost_since.get_or_insert(now);
        self.connected_at = now;
        if now > since + self.config.wait {
            let (server, waited) = (self.config.url.servers(), now - since);
            return Err(Error::Unreachable {
                server,
                waited,
                source: Box::new(AttemptError::Postgres(lost)),
            });
        }
        tracing::warn!(
            "lost the connection ({}); connecting again to see what was committed",
            describe(&lost)
        );
        Ok(since + self.config.wait)
    }

    /// Sleeps with neither a transaction nor a snapshot open, for which others would have to wait.
    pub(crate) async fn wait_for_other(&mut self, reason: &'static str) -> Result<(), Error> {
        let since = *self.contended_since.get_or_insert_with(|| {
            tracing::info!(
                "{reason}; waiting for it (for up to {})",
                in_seconds(self.config.lock_wait)
            );
            Instant::now()
        });
        let left = self.config.lock_wait.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Err(Error::Locked {
                waited: since.elapsed(),
                reason,
            });
        }
        sleep(self.contention.next_pause().min(left)).await;
        Ok(())
    }

    pub(crate) async fn wait_for_locks(&mut self, stem: String, reason: String) -> Result<(), Error> {
        self.tries += 1;
        let tries = self.tries;
        if tries >= self.config.lock_retries {
            return Err(Error::LockTimeout { stem, tries, reason });
        }
        let pause = self.blockade.next_pause();
        let pause_ms = millis(pause);
        tracing::warn!(
            migration = stem,
            attempt = tries,
            pause_ms,
            "{stem} was rolled back: {reason}; try {} of {} follows in {}",
            tries + 1,
            self.config.lock_retries,
            in_seconds(pause)
        );
        sleep(pause).await;
        Ok(())
    }
}
