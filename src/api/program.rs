//! What the program `zerostarter-api` does with its command line and its settings.

use super::check::check;
use super::cli::{ApiCli, ApiCommand};
use super::config::{API_VARIABLES, ApiConfig};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::log;
use crate::output::Output;
use crate::pool::POOL_VARIABLES;
use crate::settings::{Settings, VARIABLES};
use crate::variables::Layer;

/// The settings that `layers`, most important first, lay over the defaults.
#[must_use]
pub fn settings(layers: &[Layer]) -> Settings {
    let variables = VARIABLES.iter().chain(POOL_VARIABLES).chain(API_VARIABLES);
    Settings::with_defaults(layers, variables)
}

/// Runs the command.
///
/// # Errors
///
/// See [`Error`].
pub async fn run(cli: &ApiCli, settings: &Settings, output: &Output) -> Result<(), Error> {
    // Before the first line of the log: a signal must not be lost, nor end us while nobody listens for it.
    let mut interrupt = Interrupt::install().map_err(Error::Start)?;
    let config = ApiConfig::load(settings, &|path| std::fs::read(path)).map_err(Error::Config)?;
    output.hide(&config.pool.database.url);
    if cli.command == Some(ApiCommand::Check) {
        return check(config.listen, output).await;
    }
    log::start(output, config.pool.database.log_filter.clone());
    config.pool.database.tell_protection();
    let stop = async move {
        let signal = interrupt.signal().await;
        tracing::info!("{}: no more connections are taken in", signal.name());
    };
    super::run(config, stop).await
}
