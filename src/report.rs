//! `--report FILE`: the verdict on a run of `migrate`, for programs. docs/report.schema.json describes it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Config;
use crate::duration::millis;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::progress::State;

/// Puts the verdict together. Secrets are hidden by whoever writes it.
pub(crate) fn verdict(
    config: &Config,
    state: &State,
    outcome: &Result<(), Error>,
    started_at: &str,
    took: Duration,
) -> Value {
    let status = outcome
        .as_ref()
        .err()
        .map_or(ExitStatus::Success, Error::exit_status);
    let applied: Vec<Value> = state
        .applied
        .iter()
        .map(|done| {
            json!({
                "version": done.version,
                "migration": done.stem,
                "ms": millis(done.took),
                "tries": done.tries,
            })
        })
        .collect();
    let recovery_point = state
        .recovery_point
        .as_ref()
        .map(|(position, time)| json!({"wal_position": position, "time": time}));
    let error = outcome.as_ref().err().map(|error| {
        json!({
            "message": error.to_string(),
            "details": error.details(),
            "hints": error.hints(),
        })
    });
    json!({
        "format": 1,
        "program": concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")),
        "exit": status.code(),
        "result": status.name(),
        "started_at": started_at,
        "duration_ms": millis(took),
        "database": config.url.database,
        "schema": state.schema,
        "pending": state.pending,
        "applied": applied,
        "unfinished": state.unfinished(),
        "tries": state.tries,
        "blocked_by": state.blocked_by,
        "recovery_point": recovery_point,
        "error": error,
    })
}

/// Writes a file in one step: whoever looks sees the report of the last run or of this one, and never half of it.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}
