//! `plan`: what `migrate` would run.

use std::fmt::Write as _;

use zerostarter_console::Output;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_migrate::{Error as MigrateError, Migrator};

use crate::error::Error;

pub(super) async fn run(migrator: &Migrator, output: &Output) -> Result<(), Error> {
    let snapshot = migrator.snapshot().await?;
    let pending = migrator.pending(&snapshot)?;
    let contents = migrator.inspect(&snapshot, &pending)?;
    let mut text = String::new();
    for (index, contents) in pending.iter().zip(contents) {
        let migration = &migrator.migrations()[*index];
        let transaction = if !contents.is_whole() {
            &format!("in {} steps", contents.steps.len())
        } else if contents.non_transactional.is_some() {
            "without a transaction block"
        } else if migrator.config().atomic {
            "in one transaction with all pending migrations"
        } else {
            "in its own transaction"
        };
        let _ = writeln!(text, "-- {}, {transaction}", escaped(&migration.path));
        let sql = migration.sql().map_err(MigrateError::from)?;
        text.push_str(sql.trim_end());
        text.push_str("\n\n");
    }
    if pending.is_empty() {
        text.push_str("-- nothing is pending\n");
    }
    Ok(output.data(&text).await?)
}
