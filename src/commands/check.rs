//! `check`: is the database where this program wants it?

use super::{look, names};
use crate::config::Config;
use crate::error::Error;
use crate::migrator;
use crate::source::SourceFile;

pub(super) async fn run(config: &Config, files: &[SourceFile]) -> Result<(), Error> {
    let snapshot = look(config).await?;
    let comparison = migrator::agree(config, &snapshot, files)?;
    let pending = migrator::pending_up_to_target(config, files, &comparison)?;
    if !pending.is_empty() {
        return Err(Error::Pending(names(files, &pending)));
    }
    tracing::info!(applied = snapshot.applied().len(), "nothing is pending");
    Ok(())
}
