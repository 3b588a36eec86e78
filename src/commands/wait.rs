//! `wait`: blocks until the database is where this program wants it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::names;
use crate::catalog;
use crate::config::Config;
use crate::connect::connect;
use crate::duration::in_seconds;
use crate::error::Error;
use crate::migrator;
use crate::source::SourceFile;

/// How often to look: an app that starts a second late is no harm, hundreds of pods that ask
/// all the time are.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn run(config: &Config, files: &[SourceFile]) -> Result<(), Error> {
    let started = Instant::now();
    let deadline = started + config.wait_timeout;
    let mut told: Option<String> = None;
    loop {
        let connection = match connect(config, deadline).await {
            // Another copy may be about to make it.
            Err(error) if error.is_missing_database() => {
                if has_paused(&error, deadline, &mut told).await {
                    continue;
                }
                return Err(error);
            }
            outcome => outcome?,
        };
        let verdict = loop {
            let not_yet = match catalog::read(connection.client(), config).await {
                Ok(snapshot) => {
                    let comparison = migrator::agree(config, &snapshot, files)?;
                    let pending = migrator::pending_up_to_target(config, files, &comparison)?;
                    let pending = names(files, &pending);
                    if pending.is_empty() {
                        break Some(Ok(()));
                    }
                    Error::Pending(pending)
                }
                Err(error) if error.is_transient() => {
                    let now = Instant::now();
                    if now >= deadline {
                        return Err(Error::Unreachable {
                            server: config.url.servers(),
                            waited: now - started,
                            source: Box::new(error),
                        });
                    }
                    tracing::warn!("lost the connection ({error}); connecting again");
                    // A server that drops every connection again must not be hammered.
                    sleep(INTERVAL.min(deadline - now)).await;
                    break None;
                }
                Err(error) => match migrator::reading_failed(&connection, config, error).await {
                    locked @ Error::HistoryLocked { .. } => locked,
                    error => return Err(error),
                },
            };
            if !has_paused(&not_yet, deadline, &mut told).await {
                break Some(Err(not_yet));
            }
        };
        let Some(verdict) = verdict else { continue };
        connection.close().await;
        verdict?;
        tracing::info!("nothing is pending");
        return Ok(());
    }
}

/// Says what is waited for, where that is news, and sleeps until the next look, if there is time for one.
async fn has_paused(not_yet: &Error, deadline: Instant, told: &mut Option<String>) -> bool {
    let pause = INTERVAL.mul_f64(rand::random_range(0.5..=1.0));
    if Instant::now() + pause >= deadline {
        return false;
    }
    let (awaited, details) = match not_yet {
        Error::Pending(pending) => (format!("{} applied", are(pending)), String::new()),
        Error::Refused { database, .. } => (format!("there is a database {database}"), String::new()),
        error => (
            "the history can be read".to_owned(),
            format!(": {}", error.details().join(", ")),
        ),
    };
    if told.as_ref() != Some(&awaited) {
        tracing::info!(
            "waiting until {awaited} (for up to {} more){details}",
            in_seconds(deadline - Instant::now())
        );
        *told = Some(awaited);
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
