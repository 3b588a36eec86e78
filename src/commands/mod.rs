//! One module a command.

mod adopt;
mod check;
mod env;
#[cfg(feature = "dev")]
mod import;
mod migrate;
mod plan;
mod resolve;
mod status;
mod wait;

use std::pin::pin;

use futures_util::future::{Either, select};
use zerostarter_connect::url::PostgresUrl;
use zerostarter_console::{Output, log};
use zerostarter_diagnostic::regular_file;
use zerostarter_migrate::{Error as MigrateError, Interrupt, Migrator};
use zerostarter_settings::Settings;

use crate::cli::Command;
use crate::config::Config;
use crate::error::Error;

/// Runs the command.
///
/// # Errors
///
/// See [`Error`].
pub async fn run(command: Command, settings: &Settings, output: &Output) -> Result<(), Error> {
    let mut interrupt = Interrupt::install().map_err(Error::Start)?;
    // Before anything about the settings is printed: another variable may contain the same password.
    for name in ["POSTGRES_URL", "POSTGRES_DIRECT_URL", "DATABASE_URL"] {
        let url = settings.get(name).and_then(|setting| setting.value.parse().ok());
        hide_password(output, url.as_ref());
    }
    let config = Config::load(settings, &regular_file::read);
    if let Ok(config) = &config {
        hide_password(output, Some(&config.migrate.database.url));
        log::start(output, config.console.filter.clone());
    }
    if command == Command::Env {
        return unless_signal(env::run(settings, config, output), &mut interrupt).await;
    }
    let config = config?;
    config.migrate.log();
    #[cfg(feature = "dev")]
    if let Command::Import(request) = &command {
        return unless_signal(import::run(&config, request, output), &mut interrupt).await;
    }
    let source = config.migrate.source(zerostarter_migrations::source())?;
    let migrator = Migrator::new(config.migrate.clone(), &source)?;
    if command == Command::Migrate {
        return migrate::run(&config, &migrator, &mut interrupt, output).await;
    }
    unless_signal(run_other(command, &config, &migrator, output), &mut interrupt).await
}

/// Does `work`, which changes nothing, or a row in one transaction: a signal ends it, and nothing needs to be cancelled.
async fn unless_signal(
    work: impl Future<Output = Result<(), Error>>,
    interrupt: &mut Interrupt,
) -> Result<(), Error> {
    match select(pin!(work), pin!(interrupt.signal())).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right((signal, _)) => Err(MigrateError::Interrupted {
            signal,
            running: None,
            is_confirmed: true,
            leftovers: None,
            applied: Vec::new(),
        }
        .into()),
    }
}

fn hide_password(output: &Output, url: Option<&PostgresUrl>) {
    if let Some(password) = url.and_then(PostgresUrl::redacted_password) {
        output.hide(password);
    }
}

async fn run_other(
    command: Command,
    config: &Config,
    migrator: &Migrator,
    output: &Output,
) -> Result<(), Error> {
    match command {
        Command::Status => status::run(config, migrator, output).await,
        Command::Check => check::run(migrator).await,
        Command::Wait => wait::run(config, migrator).await,
        Command::Plan => plan::run(migrator, output).await,
        Command::Resolve {
            version,
            resolution,
            is_confirmed,
        } => resolve::run(migrator, (version, resolution, is_confirmed), output).await,
        Command::Adopt {
            adoption,
            is_unchecked,
        } => adopt::run(migrator, (&adoption, is_unchecked), output).await,
        #[cfg(feature = "dev")]
        Command::Import(_) => unreachable!("run() has answered it"),
        Command::Migrate | Command::Env => unreachable!("run() has answered it"),
    }
}
