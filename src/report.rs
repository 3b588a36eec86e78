//! `--report FILE`: the result of a run of `migrate`, for programs. docs/report.schema.json describes it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use zerostarter_diagnostic::duration::millis;
use zerostarter_diagnostic::{Diagnostic as _, ExitStatus, regular_file};
use zerostarter_migrate::watch::State;

use crate::error::Error;

/// The report. Its secrets are not redacted yet.
pub(crate) fn document(
    database: &str,
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
                "migration": done.label,
                "ms": millis(done.took),
                "tries": done.attempts,
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
        "database": database,
        "schema": state.schema,
        "pending": state.pending,
        "applied": applied,
        "unfinished": state.unfinished(),
        "tries": state.lock_conflicts,
        "blocked_by": state.blocked_by,
        "recovery_point": recovery_point,
        "error": error,
    })
}

/// Replaces the file atomically: a reader sees the report of the last run or of this one, never a part.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    if regular_file::is_device_name(path) {
        return regular_file::append(path, text);
    }
    // Nobody can guess the name and put a link there, which is not followed either.
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{:016x}", rand::random::<u64>()));
    let beside = Path::new(&beside);
    let written = File::create_new(beside)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        let _ = fs::remove_file(beside);
    }
    written
}
