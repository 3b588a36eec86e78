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
    let mut told: Option<Vec<String>> = None;
    loop {
        let connection = connect(config, deadline).await?;
        let pending = loop {
            let snapshot = match catalog::read(&connection, config).await {
                Ok(snapshot) => snapshot,
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
                Err(error) => return Err(Error::reading_failed(error)),
            };
            let pending = names(files, &migrator::agree(config, &snapshot, files)?.pending);
            let pause = INTERVAL.mul_f64(rand::random_range(0.5..=1.0));
            if pending.is_empty() || Instant::now() + pause >= deadline {
                break Some(pending);
            }
            if told.as_ref() != Some(&pending) {
                tracing::info!(
                    pending = pending.len(),
                    "waiting until {} applied (for up to {} more)",
                    are(&pending),
                    in_seconds(deadline - Instant::now())
                );
                told = Some(pending);
            }
            sleep(pause).await;
        };
        let Some(pending) = pending else { continue };
        connection.close().await;
        if !pending.is_empty() {
            return Err(Error::Pending(pending));
        }
        tracing::info!("nothing is pending");
        return Ok(());
    }
}

fn are(pending: &[String]) -> String {
    format!(
        "{} {}",
        pending.join(", "),
        if pending.len() == 1 { "is" } else { "are" }
    )
}
