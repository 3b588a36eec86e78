//! `status`: every migration and its state.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::look;
use crate::catalog::Snapshot;
use crate::config::Config;
use crate::error::Error;
use crate::history::{Applied, compare};
use crate::migrator;
use crate::output::Output;
use crate::source::SourceFile;

/// One line of the table: a version that the history, the program or both know.
struct Row<'a> {
    file: Option<&'a SourceFile>,
    applied: Option<&'a Applied>,
    state: &'static str,
}

/// Prints the table also where there are conflicts, and then fails with them.
pub(super) async fn run(config: &Config, files: &[SourceFile], output: &Output) -> Result<(), Error> {
    let snapshot = look(config).await?;
    let rows = rows(&snapshot, files);
    if config.status_json {
        output.json(as_json(config, &snapshot, &rows))?;
    } else {
        output.data(&as_table(&rows))?;
    }
    migrator::agree(config, &snapshot, files).map(drop)
}

fn rows<'a>(snapshot: &'a Snapshot, files: &'a [SourceFile]) -> BTreeMap<i64, Row<'a>> {
    let comparison = compare(snapshot.applied(), files);
    let newest = files.last().map_or(i64::MIN, SourceFile::version);
    let mut rows = BTreeMap::new();
    for applied in snapshot.applied() {
        let state = if applied.version > newest {
            "ahead"
        } else {
            "unknown"
        };
        rows.insert(
            applied.version,
            Row {
                file: None,
                applied: Some(applied),
                state,
            },
        );
    }
    for (index, file) in files.iter().enumerate() {
        let applied = rows.get(&file.version()).and_then(|row| row.applied);
        let state = match applied {
            Some(applied) if applied.is_same_as(file) => "applied",
            Some(_) => "edited",
            None if comparison.pending.contains(&index) => "pending",
            None => "out of order",
        };
        rows.insert(
            file.version(),
            Row {
                file: Some(file),
                applied,
                state,
            },
        );
    }
    rows
}

fn name_of(row: &Row<'_>) -> String {
    match (row.file, row.applied) {
        (Some(file), _) => file.stem.clone(),
        (None, Some(applied)) => applied.label(),
        (None, None) => String::new(),
    }
}

fn as_table(rows: &BTreeMap<i64, Row<'_>>) -> String {
    let width = rows
        .values()
        .map(|row| name_of(row).chars().count())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for row in rows.values() {
        let when = row
            .applied
            .and_then(|applied| applied.applied_on.as_deref())
            .unwrap_or_default();
        let line = format!("{:<width$}  {:<12}  {when}", name_of(row), row.state);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn as_json(config: &Config, snapshot: &Snapshot, rows: &BTreeMap<i64, Row<'_>>) -> Value {
    let migrations: Vec<Value> = rows
        .iter()
        .map(|(version, row)| {
            json!({
                "version": version,
                "name": row.file.map(SourceFile::name).or(row.applied.and_then(|applied| applied.name.as_deref())),
                "state": row.state,
                "file": row.file.map(|file| &file.path),
                "applied_on": row.applied.and_then(|applied| applied.applied_on.as_deref()),
                "checksum": row.file.map(|file| file.checksum().to_string()),
                "applied_checksum": row.applied.and_then(|applied| applied.checksum.as_deref()),
            })
        })
        .collect();
    let pending = rows.values().filter(|row| row.state == "pending").count();
    json!({
        "database": config.url.database,
        "schema": snapshot.schema,
        "server_version": snapshot.server_version,
        "standby": snapshot.in_recovery,
        "pending": pending,
        "migrations": migrations,
    })
}
