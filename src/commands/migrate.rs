//! `migrate`: applies what is pending.

use crate::config::Config;
use crate::error::Error;
use crate::migrator;
use crate::source::SourceFile;

pub(super) async fn run(config: &Config, files: &[SourceFile]) -> Result<(), Error> {
    migrator::migrate(config, files).await.map(drop)
}
