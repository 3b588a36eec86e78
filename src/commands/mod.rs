//! One module a command.

mod check;
mod env;
mod migrate;
mod plan;
mod status;
mod wait;

use std::pin::pin;

use futures_util::future::{Either, select};

use crate::catalog::{self, Snapshot};
use crate::cli::{Cli, Command, MigrateFlags};
use crate::config::Config;
use crate::connect::connect;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::log;
use crate::migrator;
use crate::output::Output;
use crate::patience::Patience;
use crate::settings::Settings;
use crate::source::{self, SourceFile};

/// Runs the command.
///
/// # Errors
///
/// See [`Error`].
pub async fn run(cli: &Cli, settings: &Settings, output: &Output) -> Result<(), Error> {
    let command = cli
        .command
        .clone()
        .unwrap_or(Command::Migrate(MigrateFlags::default()));
    let mut interrupt = Interrupt::install().map_err(Error::Start)?;
    // Before anything about the settings is printed: another variable may repeat the password.
    for name in ["POSTGRES_URL", "POSTGRES_DIRECT_URL"] {
        if let Some(url) = settings.get(name).and_then(|setting| setting.value.parse().ok()) {
            output.hide(&url);
        }
    }
    let config = Config::load(settings, &|path| std::fs::read(path)).map_err(Error::Config);
    if matches!(command, Command::Env) {
        return env::run(settings, config, output);
    }
    let config = config?;
    output.hide(&config.url);
    log::start(output, config.log_filter.clone());
    config.tell();
    let files = source::load(config.migrations_dir.as_deref())?;
    if matches!(command, Command::Migrate(_)) {
        return migrate::run(&config, &files, &mut interrupt, output).await;
    }
    // The others change nothing, so that there is nothing to cancel.
    match select(
        pin!(look_only(command, &config, &files, output)),
        pin!(interrupt.signal()),
    )
    .await
    {
        Either::Left((outcome, _)) => outcome,
        Either::Right((signal, _)) => Err(Error::Interrupted {
            signal,
            under_way: None,
            is_confirmed: true,
            remains: None,
            applied: Vec::new(),
        }),
    }
}

async fn look_only(
    command: Command,
    config: &Config,
    files: &[SourceFile],
    output: &Output,
) -> Result<(), Error> {
    match command {
        Command::Status { .. } => status::run(config, files, output).await,
        Command::Check(_) => check::run(config, files).await,
        Command::Wait { .. } => wait::run(config, files).await,
        Command::Plan(_) => plan::run(config, files, output).await,
        Command::Migrate(_) | Command::Env | Command::Completions { .. } => {
            unreachable!("they are answered elsewhere")
        }
    }
}

/// Reads the database's state on a connection of its own, for commands that only look.
async fn look(config: &Config) -> Result<Snapshot, Error> {
    let mut patience = Patience::new(config);
    let mut connection = connect(config, patience.connect_deadline()).await?;
    loop {
        match catalog::read(connection.client(), config).await {
            Err(error) if error.is_transient() => connection = patience.reconnect(error).await?,
            Err(error) => {
                let error = migrator::reading_failed(&connection, config, error).await;
                connection.close().await;
                return Err(error);
            }
            Ok(snapshot) => {
                connection.close().await;
                return Ok(snapshot);
            }
        }
    }
}

/// The names of the migrations at `indexes`.
fn names(files: &[SourceFile], indexes: &[usize]) -> Vec<String> {
    indexes.iter().map(|index| files[*index].stem.clone()).collect()
}
