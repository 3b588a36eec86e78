//! `wait`: waits until nothing is pending.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use zerostarter_connect::Error as ConnectError;
use zerostarter_connect::connect::connect;
use zerostarter_diagnostic::Diagnostic as _;
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_migrate::apply::SnapshotFailure;
use zerostarter_migrate::{Error as MigrateError, Migrator};

use crate::config::Config;
use crate::error::Error;

/// How often to read the history table: a late start by a second is harmless, hundreds of replicas that query all the time
/// are not.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn run(config: &Config, migrator: &Migrator) -> Result<(), Error> {
    let database = &config.migrate.database;
    let started = Instant::now();
    let deadline = started + config.wait_timeout;
    let mut logged: Option<String> = None;
    loop {
        let connection = match connect(database, deadline).await {
            // The migrator may be about to create the database.
            Err(error) if error.is_missing_database() => {
                let error = error.into();
                if has_paused(&error, deadline, &mut logged).await {
                    continue;
                }
                return Err(error);
            }
            outcome => outcome?,
        };
        let outcome = loop {
            let not_yet = match migrator.snapshot_on(&connection).await {
                Ok(snapshot) => {
                    let pending = migrator.pending(&snapshot)?;
                    if pending.is_empty() {
                        break Some(Ok(()));
                    }
                    Error::Pending(migrator.labels(&pending))
                }
                Err(SnapshotFailure::Lost(error)) => {
                    let now = Instant::now();
                    if now >= deadline {
                        return Err(ConnectError::Unreachable {
                            server: database.url.servers(),
                            waited: now - started,
                            source: Box::new(error),
                        }
                        .into());
                    }
                    tracing::warn!("lost the connection ({error}); connecting again");
                    // A pause, because the server may keep dropping connections.
                    sleep(INTERVAL.min(deadline - now)).await;
                    break None;
                }
                Err(SnapshotFailure::Failed(locked @ MigrateError::HistoryLocked { .. })) => locked.into(),
                Err(SnapshotFailure::Failed(error)) => return Err(error.into()),
            };
            if !has_paused(&not_yet, deadline, &mut logged).await {
                break Some(Err(not_yet));
            }
        };
        let Some(outcome) = outcome else { continue };
        connection.close().await;
        outcome?;
        tracing::info!("nothing is pending");
        return Ok(());
    }
}

/// Logs what the run waits for, if that is news, and sleeps until the next look, if there is time for one.
async fn has_paused(not_yet: &Error, deadline: Instant, logged: &mut Option<String>) -> bool {
    let pause = INTERVAL.mul_f64(rand::random_range(0.5..=1.0));
    if Instant::now() + pause >= deadline {
        return false;
    }
    let (awaited, details) = match not_yet {
        Error::Pending(pending) => (format!("{} applied", are(pending)), String::new()),
        Error::Migrate(MigrateError::Connect(ConnectError::Refused { database, .. })) => {
            (format!("the database {database} exists"), String::new())
        }
        error => (
            "the history table can be read".to_owned(),
            format!(": {}", error.details().join(", ")),
        ),
    };
    if logged.as_ref() != Some(&awaited) {
        tracing::info!(
            "waiting until {awaited} (for up to {} more){details}",
            in_seconds(deadline - Instant::now())
        );
        *logged = Some(awaited);
    }
    sleep(pause).await;
    true
}

fn are(pending: &[String]) -> String {
    format!(
        "{} {}",
        pending.join(", "),
        if pending.len() == 1 { "is" } else { "are" }
    )
}
