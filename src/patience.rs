//! How long to put up with what is in the way: a lost server, another migrator, somebody's lock.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::backoff::Backoff;
use crate::config::Config;
use crate::duration::{in_seconds, millis};
use crate::error::Error;

/// How much longer to put up with what is in the way. It begins anew with every migration that is applied.
pub(crate) struct Patience<'a> {
    config: &'a Config,
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
            lost_since: None,
            contended_since: None,
            contention: Backoff::new(Duration::from_millis(50), Duration::from_secs(1)),
            tries: 0,
            blockade: Backoff::new(Duration::from_millis(250), Duration::from_secs(30)),
        }
    }

    /// A server that accepts connections and drops them again is not reached either.
    pub(crate) fn connect_deadline(&mut self) -> Instant {
        *self.lost_since.get_or_insert_with(Instant::now) + self.config.wait
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
