//! Durations in log lines and errors.

use std::time::Duration;

/// A duration in whole milliseconds, for the fields of log lines and for the server's settings.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A duration for people: tenths of a second below ten seconds, else hours, minutes and seconds.
#[must_use]
pub fn in_seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(10) {
        format!("{:.1}s", duration.as_secs_f64())
    } else {
        humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
    }
}
