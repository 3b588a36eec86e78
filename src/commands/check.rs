//! `check`: whether migrations are pending.

use zerostarter_migrate::Migrator;

use crate::error::Error;

pub(super) async fn run(migrator: &Migrator) -> Result<(), Error> {
    let snapshot = migrator.snapshot().await?;
    let pending = migrator.pending(&snapshot)?;
    if !pending.is_empty() {
        return Err(Error::Pending(migrator.labels(&pending)));
    }
    tracing::info!(applied = snapshot.applied().len(), "nothing is pending");
    Ok(())
}
