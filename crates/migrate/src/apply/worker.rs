//! The second connection of a non-transactional migration, the worker, and what is done about the first one, the guard.

use tokio::time::{Instant, timeout, timeout_at};
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError, describe, is_transient};
use zerostarter_connect::connect::connect;
use zerostarter_connect::host::Host;
use zerostarter_connect::search_path::captured;
use zerostarter_connect::{self as connect, Connection};
use zerostarter_diagnostic::duration::millis;

use super::error::Error;
use super::failure::Failure;
use super::message::Message;
use super::pending::Pending;
use super::script::{GUARD_LIMIT, clean_up, terminate_guard};
use crate::config::Config;
use crate::ledger::{Snapshot, advisory_key, take_or_raise};
use crate::sql::{Contents, NonTransactional};
use crate::watch::Progress;
use crate::watch::catalog_query::{rows, rows_with, text};

/// What a migration demands of the worker's session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// What needs it, for messages.
    command: &'static str,
    /// Whether a lock timeout may end its statements.
    allows_lock_timeout: bool,
}

impl Default for Demand {
    /// The demand of steps in transactions.
    fn default() -> Self {
        Self {
            command: "a migration in several steps",
            allows_lock_timeout: true,
        }
    }
}

impl Demand {
    /// The demand of a file with these contents, if it needs a worker.
    pub(super) fn of(contents: &Contents) -> Option<Self> {
        let strictest = contents.without_transaction().map(Self::of_statement);
        let strictest = strictest.min_by_key(|demand| demand.allows_lock_timeout);
        strictest.or_else(|| (!contents.is_whole()).then(Self::default))
    }

    pub(super) fn of_statement(statement: &NonTransactional) -> Self {
        Self {
            command: statement.command,
            allows_lock_timeout: statement.blocks_readers,
        }
    }
}

/// Terminates the session of a guard whose connection was lost and whose server has not noticed: it would hold the lock
/// until then.
pub(crate) async fn terminate_lost_guard(
    connection: &Connection,
    progress: &Progress,
) -> Result<(), Failure> {
    let Some(guard) = progress.lock().guard.clone() else {
        return Ok(());
    };
    let query = terminate_guard(&guard);
    let ending = timeout(ATTEMPT_LIMIT, rows(connection, &query));
    let unanswered = |_| Failure::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT));
    ending
        .await
        .map_err(unanswered)?
        .map_err(Failure::of_connection)?;
    progress.lock().guard = None;
    Ok(())
}

/// Checks, before anything is changed, that the second connection for a non-transactional migration can be opened and has
/// suitable settings.
pub(crate) async fn rehearse(
    guard: &Connection,
    config: &Config,
    snapshot: &Snapshot,
    pending: &[Pending<'_>],
) -> Result<(), Failure> {
    let strictest = pending
        .iter()
        .filter_map(|file| Some((file.migration, Demand::of(&file.contents)?)))
        .min_by_key(|(_, demand)| demand.allows_lock_timeout);
    let Some((file, demand)) = strictest else {
        return Ok(());
    };
    // In a transaction, so that a pool of one connection has no second one, as later. And under the lock: instances that
    // hold one connection each and wait for a second one could exhaust a pool together.
    let opening = format!(
        "BEGIN;\nSET LOCAL idle_in_transaction_session_timeout = {};\n{}",
        millis(GUARD_LIMIT),
        take_or_raise(advisory_key(snapshot.ledger, &snapshot.schema))
    );
    let unanswered = |_| Failure::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT));
    let begun = timeout(ATTEMPT_LIMIT, guard.client().batch_execute(&opening)).await;
    let outcome = match begun.map_err(unanswered)? {
        Ok(()) => open(guard.host(), config, snapshot, demand).await,
        Err(error) => Err(Message::new(guard, snapshot.ledger, file).failure(error, 0)),
    };
    let ended = timeout(ATTEMPT_LIMIT, guard.client().batch_execute("ROLLBACK")).await;
    outcome?.close().await;
    ended.map_err(unanswered)?.map_err(Failure::of_connection)
}

/// Opens the worker's connection, to the server of the guard. Its settings are options of the connection: a `SET` would stay
/// in a session that a connection pooler gives to other clients.
pub(super) async fn open(
    host: &Host,
    config: &Config,
    snapshot: &Snapshot,
    demand: Demand,
) -> Result<Connection, Failure> {
    let limit = config.wait.min(ATTEMPT_LIMIT);
    let deadline = Instant::now() + limit;
    let mut plain = config.database.clone();
    plain.url.hosts = vec![host.clone()];
    let mut fitted = plain.clone();
    let parameters = &mut fitted.url.parameters;
    let options = parameters
        .options
        .iter()
        .cloned()
        .chain(options(config, snapshot, demand));
    parameters.options = Some(options.collect::<Vec<_>>().join(" "));
    let unreachable = |reason: String| {
        Failure::fatal(Error::NoSecondConnection {
            command: demand.command,
            waited: limit,
            reason,
        })
    };
    let connection = match connect(&fitted, deadline).await {
        // Connection poolers do not pass options on, and each refuses them with another error.
        Err(connect::Error::Refused { .. }) => connect(&plain, deadline).await,
        outcome => outcome,
    };
    let connection = connection.map_err(|error| match error {
        connect::Error::Unreachable { source, .. } => unreachable(source.to_string()),
        error => Failure::fatal(error),
    })?;
    // A pool gives out sessions in which other clients have left temporary objects and settings.
    let preparing = async {
        let cleaning = clean_up([]).join(";\n");
        connection.client().batch_execute(&cleaning).await?;
        find_unsuitable(&connection, snapshot, demand).await
    };
    match timeout_at(deadline, preparing).await {
        Err(_) => Err(unreachable(
            "it was opened, and the server did not answer".to_owned(),
        )),
        Ok(Err(error)) if is_transient(&error) => Err(Failure::Lost(AttemptError::Postgres(error))),
        Ok(Err(error)) => Err(unreachable(describe(&error))),
        Ok(Ok(unsuitable)) if unsuitable.is_empty() => Ok(connection),
        Ok(Ok(unsuitable)) => Err(Failure::fatal(Error::UnsuitableSession {
            command: demand.command,
            unsuitable,
        })),
    }
}

/// Options of the connection that override the defaults of the database and the role.
fn options(config: &Config, snapshot: &Snapshot, demand: Demand) -> Vec<String> {
    let lock_timeout = if demand.allows_lock_timeout {
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
        ("exit_on_error", "off".to_owned()),
    ];
    if snapshot.server_version >= 170_000 {
        settings.push(("transaction_timeout", "0".to_owned()));
    }
    if snapshot.can_check_client {
        settings.push(("client_connection_check_interval", "1s".to_owned()));
    }
    settings.push(("search_path", snapshot.search_path.clone()));
    if let Some(role) = &config.role {
        settings.push(("role", role.clone()));
    }
    settings
        .into_iter()
        .map(|(name, value)| format!("-c {name}={}", value.replace('\\', "\\\\").replace(' ', "\\ ")))
        .collect()
}

/// The settings of the connection that would end the statement early, or change what it does.
async fn find_unsuitable(
    connection: &Connection,
    snapshot: &Snapshot,
    demand: Demand,
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
    let query = format!(
        "SELECT current_user, {}, {}",
        captured("current_schema"),
        values.join(", ")
    );
    let schema = [("current_schema", "pg_catalog.current_schema()")];
    let found = rows_with(connection, &schema, &query).await?;
    let value = |column| found.first().and_then(|row| text(row, column));
    let mut unsuitable = Vec::new();
    if value(0).as_ref() != Some(&snapshot.role) {
        unsuitable.push(format!("the role is {}", value(0).unwrap_or_default()));
    }
    if value(1).as_ref() != Some(&snapshot.schema) {
        unsuitable.push(format!("the schema is {}", value(1).unwrap_or_default()));
    }
    for (column, (name, wanted)) in (2..).zip(SETTINGS) {
        let is_ours = name == "lock_timeout" && demand.allows_lock_timeout;
        if let Some(value) = value(column).filter(|value| value != wanted && !is_ours) {
            unsuitable.push(format!("{name} is {value}"));
        }
    }
    Ok(unsuitable)
}
