//! Connecting: every host in turn, with pauses, until a server answers or the time is over.

use std::time::Duration;

use rand::seq::SliceRandom as _;
use tokio::time::{Instant, sleep};
use tokio_postgres::config::LoadBalanceHosts;
use zerostarter_diagnostic::duration::{in_seconds, millis};

use crate::attempt::AttemptError;
use crate::backoff::Backoff;
use crate::config::Config;
use crate::connection::{Connection, attempt};
use crate::error::Error;
use crate::host::Host;

/// How often the log repeats what is being waited for.
const WAITING_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Connects, waiting until `deadline` for a server that is not there yet.
///
/// # Errors
///
/// [`Error::Unreachable`] or [`Error::ReadOnly`] when the time is over, [`Error::Refused`] at once if the server
/// refuses.
pub async fn connect(config: &Config, deadline: Instant) -> Result<Connection, Error> {
    let started = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    let mut last_log: Option<(Instant, String)> = None;
    let mut most_telling: Option<Failure> = None;
    loop {
        let (server, failure) = match attempt_each_host(config, deadline).await {
            Ok(connection) => {
                if last_log.is_some() {
                    tracing::info!(
                        waited_ms = millis(started.elapsed()),
                        "the database answers after {}",
                        in_seconds(started.elapsed())
                    );
                }
                return Ok(connection);
            }
            Err(failure) => failure,
        };
        if !failure.is_transient() {
            return Err(Error::Refused {
                server,
                role: config.url.user.clone(),
                database: config.url.database.clone(),
                source: Box::new(failure),
            });
        }
        let reason = failure.to_string();
        // The deadline cuts the last attempt short, and then silence is all that it found.
        let telling = more_telling(most_telling.take(), (server.clone(), failure));
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let (server, failure) = telling;
            let waited = started.elapsed();
            if failure.is_read_only() {
                return Err(Error::ReadOnly { server, waited });
            }
            let is_docker_host =
                failure.sql_state().is_none() && config.url.hosts.iter().any(Host::is_rewritten);
            let source = Box::new(failure);
            return Err(if is_docker_host {
                Error::DockerHost {
                    server,
                    waited,
                    source,
                }
            } else {
                Error::Unreachable {
                    server,
                    waited,
                    source,
                }
            });
        }
        most_telling = Some(telling);
        let is_news = last_log
            .as_ref()
            .is_none_or(|(at, text)| *text != reason || at.elapsed() >= WAITING_LOG_INTERVAL);
        if is_news {
            tracing::info!(
                server,
                reason,
                left_ms = millis(left),
                "waiting for the database at {server}: {reason} (for up to {} more)",
                in_seconds(left)
            );
            last_log = Some((Instant::now(), reason));
        }
        sleep(backoff.next_pause().min(left)).await;
    }
}

/// A server and why an attempt at it failed.
type Failure = (String, AttemptError);

fn more_telling(before: Option<Failure>, new: Failure) -> Failure {
    match before {
        Some(before) if before.1.outweighs(&new.1) => before,
        _ => new,
    }
}

/// Tries every host once. It reports the first permanent failure, else that of a read-only server, else the one that says
/// most about the reason.
///
/// # Errors
///
/// The server and its [`AttemptError`].
///
/// # Panics
///
/// Never: a URL has at least one host.
pub async fn attempt_each_host(config: &Config, deadline: Instant) -> Result<Connection, Failure> {
    let mut hosts: Vec<&Host> = config.url.hosts.iter().collect();
    if config.url.parameters.load_balance_hosts == Some(LoadBalanceHosts::Random) {
        hosts.shuffle(&mut rand::rng());
    }
    let mut failure: Option<Failure> = None;
    for (index, host) in hosts.iter().enumerate() {
        // An unresponsive host must not use up the time of the next ones.
        let now = Instant::now();
        let hosts_left = u32::try_from(hosts.len() - index).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(now) / hosts_left;
        match attempt(config, host, now + share).await {
            Ok(connection) => return Ok(connection),
            Err(error) => {
                tracing::debug!(server = %host, "{host}: {error}");
                failure = Some(more_telling(failure, (host.to_string(), error)));
            }
        }
    }
    Err(failure.expect("a URL has at least one host"))
}
