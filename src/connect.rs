//! Connecting: every host in turn, again and again, until the server answers or the time is over.

use std::time::Duration;

use rand::seq::SliceRandom as _;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::config::LoadBalanceHosts;
use tokio_postgres::error::SqlState;

use crate::attempt::{AttemptError, describe};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::connection::{ATTEMPT_LIMIT, Connection, attempt};
use crate::duration::{in_seconds, millis};
use crate::error::{Denial, Error};
use crate::postgres_url::Host;
use crate::sql::identifier;

/// How often the log repeats what is being waited for.
const WAITING_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Connects, waiting until `deadline` for a server that is not there yet.
///
/// # Errors
///
/// [`Error::Unreachable`] or [`Error::ReadOnly`] when the time is over, [`Error::Refused`] at once when the server
/// says no.
pub async fn connect(config: &Config, deadline: Instant) -> Result<Connection, Error> {
    let started = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    let mut last_log: Option<(Instant, String)> = None;
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
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let waited = started.elapsed();
            return Err(if failure.is_read_only() {
                Error::ReadOnly { server, waited }
            } else {
                let source = Box::new(failure);
                Error::Unreachable {
                    server,
                    waited,
                    source,
                }
            });
        }
        let reason = failure.to_string();
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

/// Makes the database of the URL, through the database `postgres` that every cluster has. That somebody
/// else has just made it is as good.
///
/// # Errors
///
/// Those of [`connect`], and [`Error::Denied`] where the role may not create databases.
pub async fn create_database(config: &Config, deadline: Instant) -> Result<(), Error> {
    let database = config.url.database.clone();
    let mut maintenance = config.clone();
    "postgres".clone_into(&mut maintenance.url.database);
    let connection = connect(&maintenance, deadline).await?;
    let started = Instant::now();
    let statement = format!("CREATE DATABASE {}", identifier(&database));
    // It copies a whole database, which may take longer than any other question.
    let until = deadline.max(started + ATTEMPT_LIMIT);
    let creating = timeout_at(until, connection.client().batch_execute(&statement));
    let Ok(outcome) = creating.await else {
        return Err(Error::Unreachable {
            server: connection.host().to_string(),
            waited: started.elapsed(),
            source: Box::new(AttemptError::TimedOut(until - started)),
        });
    };
    connection.close().await;
    match outcome {
        Ok(()) => tracing::info!(database, "created the database {database}"),
        Err(error)
            if [
                Some(&SqlState::DUPLICATE_DATABASE),
                Some(&SqlState::UNIQUE_VIOLATION),
            ]
            .contains(&error.code()) => {}
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            return Err(Error::Denied(Denial::CreateDatabase {
                database,
                answer: describe(&error),
            }));
        }
        Err(source) => {
            return Err(Error::Database {
                doing: "creating the database",
                source,
            });
        }
    }
    Ok(())
}

/// Tries every host once. The failure that is reported is the first that waiting cannot mend, else that of a server
/// which can only be read, else the last.
pub(crate) async fn attempt_each_host(
    config: &Config,
    deadline: Instant,
) -> Result<Connection, (String, AttemptError)> {
    let mut hosts: Vec<&Host> = config.url.hosts.iter().collect();
    if config.url.parameters.load_balance_hosts == Some(LoadBalanceHosts::Random) {
        hosts.shuffle(&mut rand::rng());
    }
    let mut failure: Option<(String, AttemptError)> = None;
    for (index, host) in hosts.iter().enumerate() {
        // A host that is silent must not use up the time of those behind it.
        let now = Instant::now();
        let hosts_left = u32::try_from(hosts.len() - index).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(now) / hosts_left;
        match attempt(config, host, now + share).await {
            Ok(connection) => return Ok(connection),
            Err(error) => {
                tracing::debug!(server = %host, "{host}: {error}");
                let says_less = |first: &AttemptError| {
                    first.is_transient() && !(first.is_read_only() && error.is_transient())
                };
                if failure.as_ref().is_none_or(|(_, first)| says_less(first)) {
                    failure = Some((host.to_string(), error));
                }
            }
        }
    }
    Err(failure.expect("a URL has at least one host"))
}
