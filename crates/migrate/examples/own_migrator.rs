//! The start-up migrator of another project: `NODE_ENV=local POSTGRES_URL=… cargo run -p zerostarter-migrate --example
//! own_migrator`.

#![allow(
    missing_docs,
    reason = "refinery's macro writes modules without documentation"
)]

use std::process::ExitCode;

use zerostarter_migrate::{Diagnostic as _, Error, Interrupt, Migrator, Progress, Source, explain};

refinery::embed_migrations!("examples/migrations");

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Err(error) = migrate().await else {
        return ExitCode::SUCCESS;
    };
    #[expect(clippy::print_stderr, reason = "an example without a log")]
    {
        eprint!("{}", explain(&error));
    }
    error.exit_status().into()
}

async fn migrate() -> Result<(), Error> {
    let migrator = Migrator::from_environment(Source::from(&migrations::runner()))?;
    let mut interrupt = Interrupt::install().map_err(Error::Start)?;
    migrator.migrate(interrupt.signal(), &Progress::default()).await
}
