//! The program `zerostarter-api`: settings, commands, signals.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::time::interval;
use zerostarter_console::{Output, log};
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_diagnostic::signal::Interrupt;
use zerostarter_migrate::ledger::Ledger;
use zerostarter_migrate::source::Migration;
use zerostarter_pool::Pool;
use zerostarter_settings::Settings;

use crate::app::App;
use crate::check::check;
use crate::cli::Command;
use crate::config::Config;
use crate::error::Error;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::rate_limit::Limiter;
use crate::routes::router;
use crate::server;

/// Runs the command.
///
/// # Errors
///
/// See [`Error`].
pub async fn run(command: Command, settings: &Settings, output: &Output) -> Result<(), Error> {
    if command == Command::Check {
        let config = load(settings, output)?;
        return check(config.listen, output).await;
    }
    // Before the first line of the log: a signal must not be lost, nor kill the process without a handler.
    let mut interrupt = Interrupt::install().map_err(Error::Start)?;
    let config = load(settings, output)?;
    log::start(output, config.console.filter.clone());
    config.pool.database.log_protection();
    let stop = async move {
        let signal = interrupt.signal().await;
        tracing::info!("{}: no more connections are accepted", signal.name());
    };
    serve(config, stop).await
}

fn load(settings: &Settings, output: &Output) -> Result<Config, Error> {
    let config = Config::load(settings)?;
    if let Some(password) = config.pool.database.url.redacted_password() {
        output.hide(password);
    }
    Ok(config)
}

/// Serves until `stop`, and until the running requests are answered.
///
/// # Errors
///
/// [`Error::Listen`] if the address cannot be used, and [`Error::Source`].
async fn serve(config: Config, stop: impl Future<Output = ()>) -> Result<(), Error> {
    let source = zerostarter_migrations::source();
    let migrations = source.load()?;
    let pool = Pool::new(config.pool.clone());
    let app = Arc::new(App {
        metrics: Metrics::new(pool.clone()),
        health: Health::new(
            &config.pool,
            Ledger::of(&source),
            migrations.iter().map(Migration::version).collect(),
        ),
        limiter: config.rate_limit.and_then(Limiter::new),
        pool,
        config,
    });
    let address = app.config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "listening at http://{address}");
    let sweeping = tokio::spawn(forget_idle_clients(app.clone()));
    let grace = app.config.shutdown_timeout;
    let is_complete = server::serve(listener, router(&app), stop, grace).await;
    sweeping.abort();
    app.pool.close();
    app.health.close();
    if is_complete {
        tracing::info!("stopped; every request was answered");
    } else {
        tracing::warn!(
            "stopped; some requests were not answered within {}",
            in_seconds(grace)
        );
    }
    Ok(())
}

/// The memory for clients must not grow without limit.
async fn forget_idle_clients(app: Arc<App>) {
    let (Some(limiter), Some(limit)) = (&app.limiter, app.config.rate_limit) else {
        return;
    };
    let mut ticks = interval(limit.window);
    loop {
        ticks.tick().await;
        limiter.forget_idle();
    }
}
