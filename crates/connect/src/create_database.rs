//! `CREATE DATABASE` for a database of the URL that does not exist.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use crate::attempt::{ATTEMPT_LIMIT, AttemptError, describe};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::connect::connect;
use crate::connection::Connection;
use crate::error::Error;
use crate::quote::identifier;

/// The databases that every cluster has, and from which another one can be created. Either may be closed or missing.
const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// Creates the database of the URL, and connects to it. If another instance has just created it, that is success too.
///
/// # Errors
///
/// Those of [`connect`]; [`Error::CreateDenied`] if the role lacks the privilege CREATEDB; [`Error::NoMaintenance`] if no
/// database can be connected to.
pub async fn create_database(config: &Config, deadline: Instant) -> Result<Connection, Error> {
    let database = &config.url.database;
    let statement = format!("CREATE DATABASE {}", identifier(database));
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    loop {
        let connection = connect_for_maintenance(config, deadline).await?;
        let started = Instant::now();
        if !is_alone(&connection).await && Instant::now() < deadline {
            connection.close().await;
            sleep(backoff.next_pause()).await;
            continue;
        }
        // It copies a whole database, which may take longer than any other query.
        let until = deadline.max(started + ATTEMPT_LIMIT);
        let creating = timeout_at(until, connection.client().batch_execute(&statement));
        let Ok(outcome) = creating.await else {
            return Err(Error::Unreachable {
                server: connection.host().to_string(),
                waited: started.elapsed(),
                source: Box::new(AttemptError::TimedOut(until - started)),
            });
        };
        // A pool keeps the session, and with it the lock.
        let unlocking = connection
            .client()
            .batch_execute("SELECT pg_catalog.pg_advisory_unlock_all()");
        let _ = timeout(ATTEMPT_LIMIT, unlocking).await;
        connection.close().await;
        let Err(error) = outcome else {
            tracing::info!(database, "created the database {database}");
            break;
        };
        match error.code() {
            Some(&SqlState::DUPLICATE_DATABASE | &SqlState::UNIQUE_VIOLATION) => break,
            // Another session is connected to template1, which the statement copies.
            Some(&SqlState::OBJECT_IN_USE) if Instant::now() < deadline => {}
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                return Err(Error::CreateDenied {
                    database: database.clone(),
                    answer: describe(&error),
                });
            }
            _ => return Err(Error::CreateFailed(error)),
        }
        sleep(backoff.next_pause()).await;
    }
    loop {
        match connect(config, deadline).await {
            // A connection pooler may go on for a while with the answer that it had before.
            Err(error) if error.is_missing_database() && Instant::now() < deadline => {
                sleep(backoff.next_pause()).await;
            }
            outcome => return outcome,
        }
    }
}

/// Whether no other instance creates a database through the same one. The statement copies template1, and fails while others
/// are connected to that; so only one stays.
async fn is_alone(connection: &Connection) -> bool {
    let query = "SELECT 1 WHERE pg_catalog.pg_try_advisory_lock(4203841276403216725)";
    let answer = timeout(ATTEMPT_LIMIT, connection.client().simple_query(query)).await;
    answer.is_ok_and(|rows| {
        rows.is_ok_and(|rows| rows.iter().any(|row| matches!(row, SimpleQueryMessage::Row(_))))
    })
}

async fn connect_for_maintenance(config: &Config, deadline: Instant) -> Result<Connection, Error> {
    let mut answers = Vec::new();
    for name in MAINTENANCE {
        let mut maintenance = config.clone();
        name.clone_into(&mut maintenance.url.database);
        match connect(&maintenance, deadline).await {
            Err(Error::Refused { source, .. }) if source.is_closed_database() => {
                answers.push(format!("{name}: {source}"));
            }
            outcome => return outcome,
        }
    }
    Err(Error::NoMaintenance {
        database: config.url.database.clone(),
        answers,
    })
}
