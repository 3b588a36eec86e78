//! `status`: every migration and its state.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use zerostarter_console::Output;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_migrate::Migrator;
use zerostarter_migrate::ledger::{Applied, Snapshot};
use zerostarter_migrate::source::Migration;

use crate::config::Config;
use crate::error::Error;

/// One line of the table: a version in the history table, among the migrations, or both.
struct Row<'a> {
    file: Option<&'a Migration>,
    applied: Option<&'a Applied>,
    state: &'static str,
}

/// Prints the table, also if there are conflicts; then it fails with them.
pub(super) async fn run(config: &Config, migrator: &Migrator, output: &Output) -> Result<(), Error> {
    let snapshot = migrator.snapshot().await?;
    let rows = rows(&snapshot, migrator.migrations());
    if config.status_json {
        output
            .json(as_json(&config.migrate.database.url.database, &snapshot, &rows))
            .await?;
    } else {
        output.data(&as_table(&rows)).await?;
    }
    migrator.compare(&snapshot)?;
    Ok(())
}

fn rows<'a>(snapshot: &'a Snapshot, migrations: &'a [Migration]) -> BTreeMap<i64, Row<'a>> {
    let comparison = snapshot.ledger.compare(snapshot.applied(), migrations);
    let newest = migrations.last().map_or(i64::MIN, Migration::version);
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
    for (index, file) in migrations.iter().enumerate() {
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
        (Some(file), _) => escaped(&file.label),
        (None, Some(applied)) => escaped(&applied.label()),
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
            .map(escaped)
            .unwrap_or_default();
        let line = format!("{:<width$}  {:<12}  {when}", name_of(row), row.state);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn as_json(database: &str, snapshot: &Snapshot, rows: &BTreeMap<i64, Row<'_>>) -> Value {
    let migrations: Vec<Value> = rows
        .iter()
        .map(|(version, row)| {
            json!({
                "version": version,
                "name": row.file.map(Migration::name).or(row.applied.and_then(|applied| applied.name.as_deref())),
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
        "database": database,
        "schema": snapshot.schema,
        "server_version": snapshot.server_version,
        "standby": snapshot.in_recovery,
        "pending": pending,
        "migrations": migrations,
    })
}
