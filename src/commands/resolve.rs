//! `resolve`: records a migration as applied, or makes it pending, by decision of the operator.

use zerostarter_console::Output;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_migrate::{Migrator, Resolution};

use crate::error::Error;

pub(super) async fn run(
    migrator: &Migrator,
    (version, resolution, is_confirmed): (i64, Resolution, bool),
    output: &Output,
) -> Result<(), Error> {
    let resolve = migrator.resolve(version, resolution).await?;
    if resolve.changes.is_empty() {
        return Ok(output.data("nothing to change\n").await?);
    }
    let changes: Vec<String> = resolve.changes.iter().map(|change| escaped(change)).collect();
    output.data(&format!("{}\n", changes.join("\n"))).await?;
    let may_change = is_confirmed || output.can_ask() && output.ask("Change the history table?").await;
    if !may_change {
        return Err(Error::Unconfirmed);
    }
    resolve.execute().await?;
    Ok(())
}
