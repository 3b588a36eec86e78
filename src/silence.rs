//! Whether a migration's answer will never come: nobody at the server is at work on it, and still there is none.
//!
//! Neither keepalives nor TCP's own timeout see a device in between that acknowledges everything and passes nothing
//! on. The lock is seen instead: whoever works on a history holds it from the beginning to the end.

use std::time::Duration;

use tokio::time::Instant;

use crate::blocker::is_held;
use crate::connection::Connection;

/// How long nobody has to have held the lock. A message that has arrived takes it at once, and an answer that is
/// under way arrives at once; ten seconds are what every question here is given.
const LIMIT: Duration = Duration::from_secs(10);

/// How often to look for the lock.
const INTERVAL: Duration = Duration::from_secs(1);

/// A message has to arrive whole before the server takes the lock. A slower link than this is not reckoned with.
const SLOWEST_BYTES_PER_SECOND: u32 = 64 * 1024;

/// Since when an answer has been waited for in vain, as far as one watching connection has seen.
pub(crate) struct Silence {
    limit: Duration,
    since: Option<Instant>,
    looked_at: Option<Instant>,
}

impl Silence {
    /// After a message of so many bytes.
    pub(crate) fn after(bytes: usize) -> Self {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Self {
            limit: LIMIT + Duration::from_secs(u64::from(bytes / SLOWEST_BYTES_PER_SECOND)),
            since: None,
            looked_at: None,
        }
    }

    /// How long it has to last.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Looks on `connection`, if it is time to, whether nobody holds `mine`, and says whether that has lasted.
    pub(crate) async fn is_certain(
        &mut self,
        connection: &Connection,
        mine: &str,
    ) -> Result<bool, tokio_postgres::Error> {
        let now = Instant::now();
        if self.looked_at.is_none_or(|at| now - at >= INTERVAL) {
            self.looked_at = Some(now);
            self.since = if is_held(connection, mine).await? {
                None
            } else {
                Some(self.since.unwrap_or(now))
            };
        }
        Ok(self.since.is_some_and(|since| now - since >= self.limit))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Silence;

    #[test]
    fn a_large_message_is_given_the_time_to_arrive() {
        assert_eq!(Silence::after(10_000).limit(), Duration::from_secs(10));
        assert_eq!(
            Silence::after(64 * 1024 * 1024).limit(),
            Duration::from_secs(1034)
        );
    }
}
