//! Durations as the log has them.

use std::time::Duration;

/// A duration in whole milliseconds, as the fields of log lines have it.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A duration for people: seconds with one decimal.
pub(crate) fn in_seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
