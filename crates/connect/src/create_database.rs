//! `CREATE DATABASE` for a database of the URL that does not exist.

use tokio::time::{Instant, timeout_at};
use tokio_postgres::error::SqlState;

use crate::attempt::{ATTEMPT_LIMIT, AttemptError, describe};
use crate::config::Config;
use crate::connect::connect;
use crate::error::Error;
use crate::quote::identifier;

/// Creates the database of the URL, through the database `postgres` that every cluster has. If another instance has just
/// created it, that is success too.
///
/// # Errors
///
/// Those of [`connect`], and [`Error::CreateDenied`] if the role lacks the privilege CREATEDB.
pub async fn create_database(config: &Config, deadline: Instant) -> Result<(), Error> {
    let database = config.url.database.clone();
    let mut maintenance = config.clone();
    "postgres".clone_into(&mut maintenance.url.database);
    let connection = connect(&maintenance, deadline).await?;
    let started = Instant::now();
    let statement = format!("CREATE DATABASE {}", identifier(&database));
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
            return Err(Error::CreateDenied {
                database,
                answer: describe(&error),
            });
        }
        Err(source) => {
            return Err(Error::CreateFailed(source));
        }
    }
    Ok(())
}
