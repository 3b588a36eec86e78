//! `check`: whether migrations are pending.

use zerostarter_migrate::{Error as MigrateError, Migrator};

use crate::error::Error;

pub(super) async fn run(migrator: &Migrator) -> Result<(), Error> {
    let snapshot = match migrator.snapshot().await {
        // Its migration is not applied yet.
        Err(MigrateError::HistoryLocked {
            holder: Some(holder),
            is_migrator: true,
            ..
        }) => {
            return Err(Error::Pending(vec![format!(
                "what another migrator applies, {holder}"
            )]));
        }
        outcome => outcome?,
    };
    let pending = migrator.pending(&snapshot)?;
    if !pending.is_empty() {
        return Err(Error::Pending(migrator.labels(&pending)));
    }
    tracing::info!(applied = snapshot.applied().len(), "nothing is pending");
    Ok(())
}
