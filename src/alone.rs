//! A statement that runs outside a transaction: on a connection of its own, while the first one, the guard, holds
//! the migrators' lock in an open transaction.
//!
//! Invariant: nothing is sent on the guard while the statement runs. Each statement on it would take a snapshot, and
//! `CREATE INDEX CONCURRENTLY` waits for every transaction that it finds with an older snapshot to end.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::error::SqlState;

use crate::attempt::{AttemptError, describe, is_transient};
use crate::blocker::{Wait, rows, text};
use crate::catalog::Snapshot;
use crate::config::Config;
use crate::connect::connect;
use crate::connection::{ATTEMPT_LIMIT, Connection};
use crate::duration::millis;
use crate::envelope::{GUARD_LIMIT, end_guard};
use crate::error::Error;
use crate::history::Conflict;
use crate::lock::{self, advisory_key};
use crate::message::{Message, SessionError};
use crate::outside::{Outside, only_statement};
use crate::postgres_url::Host;
use crate::progress::Progress;
use crate::remains::{self, Remains, tag, workers_lock};
use crate::source::SourceFile;
use crate::watcher::Watcher;

/// How often to see whether the guard is still there.
const GUARD_INTERVAL: Duration = Duration::from_millis(100);

/// How long the server may take to cancel a statement whose guard is gone, or to say what remains of it.
const AFTERMATH_LIMIT: Duration = Duration::from_secs(5);

/// One such statement, and what is needed to run it.
pub(crate) struct Alone<'a> {
    pub(crate) config: &'a Config,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) progress: &'a Progress,
    pub(crate) guard: &'a Connection,
    pub(crate) file: &'a SourceFile,
    pub(crate) outside: &'a Outside,
    /// The last lock that the statement was seen to wait for.
    pub(crate) blocked: Option<Wait>,
}

impl Alone<'_> {
    /// Runs the statement, or finds that an earlier try has done what it does.
    pub(crate) async fn run(&mut self) -> Result<(), SessionError> {
        let worker = open(self.guard.host(), self.config, self.snapshot, self.outside).await?;
        self.progress.lock().brake = Some(worker.brake().clone());
        let outcome = self.run_on(&worker).await;
        self.progress.lock().brake = Some(self.guard.brake().clone());
        worker.close().await;
        outcome
    }

    async fn run_on(&mut self, worker: &Connection) -> Result<(), SessionError> {
        let stem = &self.file.stem;
        match self.find_remains(worker).await? {
            Remains::Nothing => self.send(worker, Message::alone(self.file, &self.tag())).await,
            Remains::Whole(what) => {
                tracing::info!(migration = stem, "{stem} is done already: {what}");
                Ok(())
            }
            Remains::Invalid(indexes) => {
                for index in indexes {
                    tracing::warn!(
                        migration = stem,
                        index,
                        "{stem} was interrupted before; dropping the invalid index {index}, which it left"
                    );
                    let drop = format!("{}DROP INDEX CONCURRENTLY IF EXISTS {index}", self.tag());
                    self.send(worker, Message::around(self.file, &drop)).await?;
                }
                self.send(worker, Message::alone(self.file, &self.tag())).await
            }
            Remains::Pending { what, finish } => {
                tracing::warn!(
                    migration = stem,
                    "{stem} was interrupted before: {what}; finishing it"
                );
                let finish = format!("{}{finish}", self.tag());
                self.send(worker, Message::around(self.file, &finish)).await
            }
            Remains::InTheMaking(who) => Err(SessionError::Occupied(who)),
            Remains::Other { what, hint } => {
                let path = self.file.path.clone();
                let conflict = Conflict::Occupied { path, what, hint };
                Err(SessionError::Fatal(Box::new(Error::Conflicts(vec![conflict]))))
            }
        }
    }

    async fn find_remains(&self, worker: &Connection) -> Result<Remains, SessionError> {
        let tag = self.tag();
        let found = timeout(ATTEMPT_LIMIT, remains::find(worker, self.outside, &tag)).await;
        let found = found.map_err(|_| SessionError::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT)))?;
        found.map_err(|error| {
            if is_transient(&error) {
                SessionError::Lost(AttemptError::Postgres(error))
            } else {
                SessionError::Fatal(Box::new(Error::Database {
                    doing: "looking for what an earlier try has left",
                    source: error,
                }))
            }
        })
    }

    fn tag(&self) -> String {
        tag(advisory_key(&self.snapshot.schema), self.file.version())
    }

    /// Runs one statement for as long as the guard is there.
    async fn send(&mut self, worker: &Connection, message: Message<'_>) -> Result<(), SessionError> {
        if self.progress.lock().is_stopping {
            return Err(SessionError::Stopped);
        }
        let tag = self.tag();
        let mut watcher = Watcher::new(
            self.config,
            self.progress,
            worker.host(),
            workers_lock(&tag),
            &self.file.stem,
        );
        if !self.outside.is_in_the_way {
            watcher.forget_the_budget();
        }
        let outcome = {
            let work = pin!(watcher.over(message.text.len(), worker.client().batch_execute(&message.text)));
            match select(work, pin!(self.lose_the_guard())).await {
                Either::Left((outcome, _)) => outcome.map_err(SessionError::Lost)?,
                Either::Right((lost, work)) => {
                    // Without the lock, another migrator may begin the same.
                    worker.brake().pull().await;
                    let _ = timeout(AFTERMATH_LIMIT, work).await;
                    return Err(SessionError::Lost(AttemptError::Postgres(lost)));
                }
            }
        };
        let Err(error) = outcome else {
            return Ok(());
        };
        let cancelled_after = watcher.cancelled_after;
        self.blocked = watcher.last;
        match message.failure(error, 0) {
            SessionError::Rejected(mut rejection) => {
                let looking = timeout(AFTERMATH_LIMIT, self.find_remains(worker));
                let remains = looking.await.ok().and_then(Result::ok);
                let remains = remains.map_or_else(
                    || "the next run looks for what remains of it".to_owned(),
                    |remains| remains.describe(),
                );
                self.progress.lock().remains = Some(remains.clone());
                rejection.remains = Some(remains);
                match cancelled_after {
                    Some(waited) if rejection.sql_state == SqlState::QUERY_CANCELED => {
                        Err(SessionError::OverBudget(rejection.stem, waited))
                    }
                    _ => Err(SessionError::Rejected(rejection)),
                }
            }
            failure => Err(failure),
        }
    }

    /// Ends when the guard's connection is closed, with the driver's word for it.
    async fn lose_the_guard(&self) -> tokio_postgres::Error {
        let client = self.guard.client();
        loop {
            if client.is_closed()
                && let Err(error) = client.batch_execute("").await
            {
                return error;
            }
            sleep(GUARD_INTERVAL).await;
        }
    }
}

/// Ends what is left of a guard whose connection was lost without a word to the server: it would hold the lock
/// until the server notices.
pub(crate) async fn end_lost_guard(connection: &Connection, progress: &Progress) -> Result<(), SessionError> {
    let Some(guard) = progress.lock().guard.clone() else {
        return Ok(());
    };
    let question = end_guard(&guard);
    let ending = timeout(ATTEMPT_LIMIT, rows(connection, &question));
    let silent = |_| SessionError::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT));
    ending
        .await
        .map_err(silent)?
        .map_err(SessionError::of_the_connection)?;
    progress.lock().guard = None;
    Ok(())
}

/// Whether the second connection that a pending file needs is to be had, and is fit: before anything is changed.
pub(crate) async fn rehearse<'a>(
    guard: &Connection,
    config: &Config,
    snapshot: &Snapshot,
    pending: impl Iterator<Item = &'a SourceFile>,
) -> Result<(), SessionError> {
    let outside = |file: &'a SourceFile| Some((file, only_statement(file.sql())?));
    let strictest = pending
        .filter_map(outside)
        .min_by_key(|(_, outside)| outside.is_in_the_way);
    let Some((file, outside)) = strictest else {
        return Ok(());
    };
    // In a transaction, so that a pool of one connection has none to spare, as later. And under the lock: copies
    // that hold one connection each, and wait for a second one, could use up a pool together.
    let opening = format!(
        "BEGIN;\nSET LOCAL idle_in_transaction_session_timeout = {};\n{}",
        millis(GUARD_LIMIT),
        lock::take_or_raise(&snapshot.schema)
    );
    let silent = |_| SessionError::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT));
    let begun = timeout(ATTEMPT_LIMIT, guard.client().batch_execute(&opening)).await;
    let outcome = match begun.map_err(silent)? {
        Ok(()) => open(guard.host(), config, snapshot, &outside).await,
        Err(error) => Err(Message::around(file, &opening).failure(error, 0)),
    };
    let ended = timeout(ATTEMPT_LIMIT, guard.client().batch_execute("ROLLBACK")).await;
    outcome?.close().await;
    ended.map_err(silent)?.map_err(SessionError::of_the_connection)
}

/// Opens the connection that the statement runs on, to the server where the guard is. Its settings come with the connection: a `SET` before the
/// statement would stay behind in a session that a pooler gives to others.
async fn open(
    host: &Host,
    config: &Config,
    snapshot: &Snapshot,
    outside: &Outside,
) -> Result<Connection, SessionError> {
    let limit = config.wait.min(ATTEMPT_LIMIT);
    let deadline = Instant::now() + limit;
    let mut plain = config.clone();
    plain.url.hosts = vec![host.clone()];
    let mut fitted = plain.clone();
    let parameters = &mut fitted.url.parameters;
    let options = parameters
        .options
        .iter()
        .cloned()
        .chain(options(config, snapshot, outside));
    parameters.options = Some(options.collect::<Vec<_>>().join(" "));
    let unreachable = |reason: String| {
        SessionError::Fatal(Box::new(Error::NoSecondConnection {
            command: outside.command,
            waited: limit,
            reason,
        }))
    };
    let connection = match connect(&fitted, deadline).await {
        // Poolers take no settings along, and each refuses them in words of its own.
        Err(Error::Refused { .. }) => connect(&plain, deadline).await,
        outcome => outcome,
    };
    let connection = connection.map_err(|error| match error {
        Error::Unreachable { source, .. } => unreachable(source.to_string()),
        error => SessionError::Fatal(Box::new(error)),
    })?;
    match timeout_at(deadline, find_unfit(&connection, snapshot, outside)).await {
        Err(_) => Err(unreachable("it was opened and got no answer".to_owned())),
        Ok(Err(error)) if is_transient(&error) => Err(SessionError::Lost(AttemptError::Postgres(error))),
        Ok(Err(error)) => Err(unreachable(describe(&error))),
        Ok(Ok(unfit)) if unfit.is_empty() => Ok(connection),
        Ok(Ok(unfit)) => Err(SessionError::Fatal(Box::new(Error::UnfitSession {
            command: outside.command,
            unfit,
        }))),
    }
}

/// What makes the defaults of the database and the role not matter, as options of a connection.
fn options(config: &Config, snapshot: &Snapshot, outside: &Outside) -> Vec<String> {
    let lock_timeout = if outside.is_in_the_way {
        millis(config.longest_lock_wait())
    } else {
        0
    };
    let mut settings = vec![
        ("lock_timeout", lock_timeout.to_string()),
        ("statement_timeout", "0".to_owned()),
        ("idle_session_timeout", "0".to_owned()),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("default_transaction_read_only", "off".to_owned()),
        ("standard_conforming_strings", "on".to_owned()),
    ];
    if snapshot.server_version >= 170_000 {
        settings.push(("transaction_timeout", "0".to_owned()));
    }
    if snapshot.can_check_client {
        settings.push(("client_connection_check_interval", "1s".to_owned()));
    }
    if !snapshot.schema_is_current {
        settings.push(("search_path", crate::sql::identifier(&snapshot.schema)));
    }
    if let Some(role) = &config.role {
        settings.push(("role", role.clone()));
    }
    settings
        .into_iter()
        .map(|(name, value)| format!("-c {name}={}", value.replace('\\', "\\\\").replace(' ', "\\ ")))
        .collect()
}

/// The settings of the connection that would end the statement early, or make it another one.
async fn find_unfit(
    connection: &Connection,
    snapshot: &Snapshot,
    outside: &Outside,
) -> Result<Vec<String>, tokio_postgres::Error> {
    const SETTINGS: [(&str, &str); 5] = [
        ("statement_timeout", "0"),
        ("transaction_timeout", "0"),
        ("default_transaction_read_only", "off"),
        ("standard_conforming_strings", "on"),
        ("lock_timeout", "0"),
    ];
    let values: Vec<String> = SETTINGS
        .iter()
        .map(|(name, _)| format!("(SELECT reset_val FROM pg_catalog.pg_settings WHERE name = '{name}')"))
        .collect();
    let question = format!(
        "SELECT current_user, pg_catalog.current_schema(), {}",
        values.join(", ")
    );
    let found = rows(connection, &question).await?;
    let value = |column| found.first().and_then(|row| text(row, column));
    let mut unfit = Vec::new();
    if value(0).as_ref() != Some(&snapshot.role) {
        unfit.push(format!("the role is {}", value(0).unwrap_or_default()));
    }
    if value(1).as_ref() != Some(&snapshot.schema) {
        unfit.push(format!("the schema is {}", value(1).unwrap_or_default()));
    }
    for (column, (name, wanted)) in (2..).zip(SETTINGS) {
        let is_ours = name == "lock_timeout" && outside.is_in_the_way;
        if let Some(value) = value(column).filter(|value| value != wanted && !is_ours) {
            unfit.push(format!("{name} is {value}"));
        }
    }
    Ok(unfit)
}
