//! How long to pause between attempts.

use std::time::Duration;

/// Pauses that double up to a limit, each shortened at random by up to half, so that instances which start at the same
/// time do not retry at the same time.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    limit: Duration,
}

impl Backoff {
    /// Pauses from `first`, doubling up to `limit`.
    #[must_use]
    pub fn new(first: Duration, limit: Duration) -> Self {
        Self { next: first, limit }
    }

    /// The next pause.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.next.mul_f64(rand::random_range(0.5..=1.0));
        self.next = (self.next * 2).min(self.limit);
        pause
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn pauses_double_to_the_limit_with_jitter() {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
        for full_ms in [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let pause = backoff.next_pause();
            let full = Duration::from_millis(full_ms);
            assert!(pause >= full / 2 && pause <= full, "{pause:?} of {full:?}");
        }
    }
}
