//! `migrate`: applies what is pending, and reports.

use std::time::Instant;

use crate::bar;
use crate::config::Config;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::log::now;
use crate::migrator;
use crate::output::Output;
use crate::progress::Progress;
use crate::report;
use crate::source::SourceFile;

pub(super) async fn run(
    config: &Config,
    files: &[SourceFile],
    interrupt: &mut Interrupt,
    output: &Output,
) -> Result<(), Error> {
    let (started_at, started) = (now(), Instant::now());
    let progress = Progress::default();
    let work = Box::pin(migrator::migrate(config, files, interrupt.signal(), &progress));
    let outcome = if output.can_draw() {
        bar::beside(work, &progress, output).await
    } else {
        work.await
    };
    if let Some(path) = &config.report {
        let verdict = report::verdict(config, &progress.lock(), &outcome, &started_at, started.elapsed());
        // What was done is done: a report that cannot be written does not change the verdict.
        if let Err(error) = report::write(path, &output.redacted_json(verdict)) {
            tracing::warn!("the report {} cannot be written: {error}", path.display());
        }
    }
    outcome
}
