//! The time in log lines and reports.

use time::OffsetDateTime;

/// The current time as in log lines: RFC 3339, UTC, milliseconds.
#[must_use]
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let (date, time) = (now.date(), now.time());
    format!(
        "{date}T{:02}:{:02}:{:02}.{:03}Z",
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}
