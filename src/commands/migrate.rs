//! `migrate`: applies what is pending.

use crate::config::Config;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::migrator;
use crate::source::SourceFile;

pub(super) async fn run(
    config: &Config,
    files: &[SourceFile],
    interrupt: &mut Interrupt,
) -> Result<(), Error> {
    migrator::migrate(config, files, interrupt.signal())
        .await
        .map(drop)
}
