//! `status`: every migration and its state.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use zerostarter_console::Output;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_migrate::Migrator;
use zerostarter_migrate::ledger::{Applied, Comparison, Ledger, Snapshot};
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
    let comparison = migrator.comparison(&snapshot);
    let rows = match snapshot.ledger {
        Ledger::Refinery => rows_by_version(&snapshot, migrator.migrations(), &comparison),
        _ => rows_of_folder(&snapshot, migrator.migrations(), &comparison),
    };
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

/// The migrations of a folder of drizzle-kit in its order, then the rows without one.
fn rows_of_folder<'a>(
    snapshot: &'a Snapshot,
    migrations: &'a [Migration],
    comparison: &Comparison,
) -> Vec<Row<'a>> {
    let applied = snapshot.applied();
    let states = migrations.iter().zip(&comparison.states).zip(&comparison.rows);
    let mut rows: Vec<Row<'a>> = states
        .map(|((file, state), row)| Row {
            file: Some(file),
            applied: row.map(|row| &applied[row]),
            state: state.name(),
        })
        .collect();
    let newest = migrations
        .iter()
        .map(Migration::version)
        .max()
        .unwrap_or(i64::MIN);
    let known: Vec<&Applied> = rows.iter().filter_map(|row| row.applied).collect();
    // Equal rows count as one.
    let left = applied.iter().filter(|row| !known.contains(row));
    rows.extend(left.map(|row| Row {
        file: None,
        applied: Some(row),
        state: if row.version > newest { "ahead" } else { "removed" },
    }));
    rows
}

fn rows_by_version<'a>(
    snapshot: &'a Snapshot,
    migrations: &'a [Migration],
    comparison: &Comparison,
) -> Vec<Row<'a>> {
    let newest = migrations.last().map_or(i64::MIN, Migration::version);
    let mut rows: BTreeMap<i64, Row<'a>> = BTreeMap::new();
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
    rows.into_values().collect()
}

fn name_of(row: &Row<'_>) -> String {
    match (row.file, row.applied) {
        (Some(file), _) => escaped(&file.label),
        (None, Some(applied)) => escaped(&applied.label()),
        (None, None) => String::new(),
    }
}

fn as_table(rows: &[Row<'_>]) -> String {
    let width = rows
        .iter()
        .map(|row| name_of(row).chars().count())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for row in rows {
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

fn as_json(database: &str, snapshot: &Snapshot, rows: &[Row<'_>]) -> Value {
    let migrations: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "version": row.file.map(Migration::version).or(row.applied.map(|applied| applied.version)),
                "name": row.file.map(Migration::name).or(row.applied.and_then(|applied| applied.name.as_deref())),
                "state": row.state,
                "file": row.file.map(|file| &file.path),
                "applied_on": row.applied.and_then(|applied| applied.applied_on.as_deref()),
                "checksum": row.file.map(|file| file.checksum().to_string()),
                "applied_checksum": row.applied.and_then(|applied| applied.checksum.as_deref()),
            })
        })
        .collect();
    let pending = rows.iter().filter(|row| row.state == "pending").count();
    json!({
        "database": database,
        "schema": snapshot.schema,
        "history": match snapshot.ledger {
            Ledger::Refinery => "refinery",
            _ => "drizzle",
        },
        "server_version": snapshot.server_version,
        "standby": snapshot.in_recovery,
        "pending": pending,
        "migrations": migrations,
    })
}
