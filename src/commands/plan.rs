//! `plan`: what `migrate` would run.

use std::fmt::Write as _;

use super::look;
use crate::config::Config;
use crate::error::Error;
use crate::migrator;
use crate::output::Output;
use crate::outside::only_statement;
use crate::source::SourceFile;

pub(super) async fn run(config: &Config, files: &[SourceFile], output: &Output) -> Result<(), Error> {
    let snapshot = look(config).await?;
    let comparison = migrator::agree(config, &snapshot, files)?;
    let pending = migrator::pending_up_to_target(config, files, &comparison)?;
    migrator::inspect(config, &snapshot, files, &pending)?;
    let mut text = String::new();
    for index in &pending {
        let file = &files[*index];
        let transaction = if only_statement(file.sql()).is_some() {
            "outside a transaction"
        } else if config.atomic {
            "in one transaction with all that is pending"
        } else {
            "in a transaction of its own"
        };
        let _ = writeln!(text, "-- {}, {transaction}", file.path);
        text.push_str(file.sql().trim_end());
        text.push_str("\n\n");
    }
    if pending.is_empty() {
        text.push_str("-- nothing is pending\n");
    }
    output.data(&text)
}
