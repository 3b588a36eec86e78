//! `adopt`: records migrations of a folder of drizzle-kit without running them.

use zerostarter_console::Output;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_migrate::{Adoption, Migrator};

use crate::error::Error;

pub(super) async fn run(
    migrator: &Migrator,
    (adoption, is_unchecked): (&Adoption, bool),
    output: &Output,
) -> Result<(), Error> {
    let decision = migrator.adopt(adoption, is_unchecked).await?;
    if decision.changes.is_empty() {
        return Ok(output.data("nothing to record\n").await?);
    }
    let changes: Vec<String> = decision.changes.iter().map(|change| escaped(change)).collect();
    output.data(&format!("{}\n", changes.join("\n"))).await?;
    if *adoption == Adoption::Existing {
        tracing::info!("nothing was changed: adopt --to TAG or --only TAG records them");
        return Ok(());
    }
    decision.execute().await?;
    Ok(())
}
