//! Liveness of the connection that runs a migration: is the server still working on it?
//!
//! Keepalives and TCP's timeout do not notice a firewall or proxy that acknowledges every byte and forwards none. The
//! migrators' lock shows it: the session of a migration holds it from the first statement to the last.

use std::time::Duration;

use tokio::time::Instant;

use zerostarter_connect::Connection;

use super::blocker::is_held;

/// How long the lock must have been free. A batch that has arrived takes the lock at once, and an answer arrives at once;
/// ten seconds is the limit of every query here.
const LIMIT: Duration = Duration::from_secs(10);

/// How often to look for the lock.
const INTERVAL: Duration = Duration::from_secs(1);

/// A batch must arrive in full before the server takes the lock. This is the slowest link of the first attempt; each attempt
/// that was given up allows an eighth of it. Neither buffers nor proxies show how slow a link is.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 * 1024;

/// The logarithm of that eighth.
const SLOWDOWN_BITS: u32 = 3;

/// After so many attempts it stays at 16 bytes per second.
const MOST_SLOWDOWNS: u32 = 4;

/// How long one watching connection has seen the lock free.
pub(crate) struct Liveness {
    limit: Duration,
    free_since: Option<Instant>,
    looked_at: Option<Instant>,
}

impl Liveness {
    /// After a batch of `bytes` was sent, if the run has given up `given_up` connections for dead.
    pub(crate) fn after(bytes: usize, given_up: u32) -> Self {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let rate = SLOWEST_BYTES_PER_SECOND >> (SLOWDOWN_BITS * given_up.min(MOST_SLOWDOWNS));
        Self {
            limit: LIMIT + Duration::from_millis(bytes.saturating_mul(1000) / rate),
            free_since: None,
            looked_at: None,
        }
    }

    /// How long the lock must be free.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Looks on `connection`, once a second, whether no session holds `mine`. Returns true if that has lasted for the limit.
    pub(crate) async fn is_dead(
        &mut self,
        connection: &Connection,
        mine: &str,
    ) -> Result<bool, tokio_postgres::Error> {
        let now = Instant::now();
        if self.looked_at.is_none_or(|at| now - at >= INTERVAL) {
            self.looked_at = Some(now);
            self.free_since = if is_held(connection, mine).await? {
                None
            } else {
                Some(self.free_since.unwrap_or(now))
            };
        }
        Ok(self.free_since.is_some_and(|since| now - since >= self.limit))
    }
}

#[cfg(test)]
mod tests {
    use super::Liveness;

    #[test]
    fn a_large_batch_has_time_to_arrive() {
        let seconds = |bytes, given_up| Liveness::after(bytes, given_up).limit().as_secs();
        assert_eq!(seconds(10_000, 0), 10);
        assert_eq!(seconds(64 * 1024 * 1024, 0), 1034);
        // After an attempt that was given up, a slower link too.
        assert_eq!(seconds(1024 * 1024, 0), 26);
        assert_eq!(seconds(1024 * 1024, 1), 138);
        assert_eq!(seconds(1024 * 1024, 2), 1034);
        assert_eq!(seconds(1024 * 1024, 99), seconds(1024 * 1024, 4));
    }
}
