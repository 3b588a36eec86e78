//! `migrate`: applies what is pending, and writes a report.

use std::time::Instant;

use zerostarter_console::{Output, now};
use zerostarter_migrate::{Interrupt, Migrator, Progress};

use crate::config::Config;
use crate::error::Error;
use crate::progress_line;
use crate::report;

pub(super) async fn run(
    config: &Config,
    migrator: &Migrator,
    interrupt: &mut Interrupt,
    output: &Output,
) -> Result<(), Error> {
    let (started_at, started) = (now(), Instant::now());
    let progress = Progress::default();
    let work = Box::pin(migrator.migrate(interrupt.signal(), &progress));
    let outcome = if output.can_draw() {
        progress_line::draw_during(work, &progress, output).await
    } else {
        work.await
    };
    let outcome = outcome.map_err(Error::Migrate);
    if let Some(path) = &config.report {
        let database = &config.migrate.database.url.database;
        let document = report::document(
            database,
            &progress.lock(),
            &outcome,
            &started_at,
            started.elapsed(),
        );
        // The migrations are applied: a report that cannot be written does not change the exit status.
        if let Err(error) = report::write(path, &output.redacted_json(document)) {
            tracing::warn!("the report {} cannot be written: {error}", path.display());
        }
    }
    outcome
}
