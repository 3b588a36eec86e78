//! The program `zerostarter-api`: settings, commands, signals.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
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
use crate::count::Count;
use crate::error::Error;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::places::Places;
use crate::rate_limit::Limiter;
use crate::routes::{internal_routes, public};
use crate::server;

/// Connections at a time; later ones wait. The memory of a container is limited.
const MOST_CONNECTIONS: usize = 2_000;

/// Connections of operators at a time.
const MOST_INTERNAL_CONNECTIONS: usize = 50;

/// Runs the command.
///
/// # Errors
///
/// See [`Error`].
pub async fn run(command: Command, settings: &Settings, output: &Output) -> Result<(), Error> {
    if command == Command::Check {
        let config = load(settings, output)?;
        return check(config.health_listen, output).await;
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
        count: Count::default(),
        health: Health::new(
            &config.pool,
            Ledger::of(&source),
            migrations.iter().map(Migration::version).collect(),
        ),
        limiter: config.rate_limit.and_then(Limiter::new),
        pool,
        config,
    });
    let internal = listen("API_HEALTH_LISTEN", app.config.health_listen).await?;
    let listener = listen("API_LISTEN", app.config.listen).await?;
    if let (Ok(address), Ok(health)) = (listener.local_addr(), internal.local_addr()) {
        tracing::info!(%address, %health, "listening at http://{address}; health and metrics at http://{health}");
    }
    let (is_over, over) = oneshot::channel::<()>();
    let internal = tokio::spawn(server::serve(
        internal,
        internal_routes(&app),
        Places::new(MOST_INTERNAL_CONNECTIONS, None),
        async { drop(over.await) },
        Duration::ZERO,
    ));
    let sweeping = tokio::spawn(forget_idle_clients(app.clone()));
    let grace = app.config.shutdown_timeout;
    // The peers are proxies, each with many clients.
    let of_one_client = app
        .config
        .client_connections
        .filter(|_| app.config.trusted_proxies == 0);
    let places = Places::new(MOST_CONNECTIONS, of_one_client);
    let is_complete = server::serve(listener, public(&app), places, stop, grace).await;
    drop(is_over);
    let _ = internal.await;
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

async fn listen(variable: &'static str, address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen {
        variable,
        address,
        source,
    })
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
