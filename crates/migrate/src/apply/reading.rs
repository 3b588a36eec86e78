//! Reading the state of the database, and what to do if another session locks the history table.

use std::time::Duration;

use tokio::time::timeout;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError};
use zerostarter_connect::connect::connect;

use super::error::Error;
use super::facts::find_facts;
use super::pass_end::{LockConflict, PassEnd, is_lock_conflict};
use super::retries::Retries;
use crate::config::Config;
use crate::ledger::{self, Ledger, Snapshot};
use crate::source::Migration;
use crate::watch::{Blocker, LockWait, find_history_locker, find_holder};

/// Reads the state, and what else the comparison with `migrations` needs.
pub(super) async fn read_state(
    connection: &Connection,
    config: &Config,
    ledger: Ledger,
    migrations: &[Migration],
) -> Result<Snapshot, AttemptError> {
    let query = config.snapshot_query(ledger);
    let mut snapshot = ledger::read(connection.client(), &query).await?;
    find_facts(connection.client(), &mut snapshot, migrations).await?;
    Ok(snapshot)
}

/// Reads the state at the beginning of a pass.
pub(super) async fn read(
    connection: &Connection,
    config: &Config,
    ledger: Ledger,
    migrations: &[Migration],
) -> Result<Snapshot, PassEnd> {
    let error = match read_state(connection, config, ledger, migrations).await {
        Ok(snapshot) => return Ok(snapshot),
        Err(error) if error.is_transient() => return Err(PassEnd::Lost(error)),
        Err(error) => error,
    };
    if !error.sql_state().is_some_and(is_lock_conflict) {
        return Err(ledger::Error::reading(error).into());
    }
    if let Some(holder) = migrator_with_lock(connection, ledger).await {
        return Err(PassEnd::Contended {
            reason: "another migrator holds the lock".to_owned(),
            schema: String::new(),
            holder: Some(Box::new(holder)),
        });
    }
    let locker = history_locker(connection, config, ledger).await;
    Err(PassEnd::LockConflict(LockConflict {
        label: None,
        reason: error.to_string(),
        wait: locker.map(|blocker| LockWait {
            since: String::new(),
            waited: Duration::ZERO,
            relation: Some(ledger.table().to_owned()),
            is_for_transaction: false,
            blockers: vec![blocker],
        }),
    }))
}

/// Reads the state once, on a separate connection, for commands that change nothing.
pub(super) async fn read_once(
    config: &Config,
    ledger: Ledger,
    migrations: &[Migration],
) -> Result<Snapshot, Error> {
    let mut retries = Retries::new(config, ledger);
    let mut connection = connect(&config.database, retries.connect_deadline()).await?;
    loop {
        match read_state(&connection, config, ledger, migrations).await {
            Err(error) if error.is_transient() => connection = retries.reconnect(error).await?,
            Err(error) => {
                let error = reading_failed(&connection, config, ledger, error).await;
                connection.close().await;
                return Err(error);
            }
            Ok(snapshot) => {
                connection.close().await;
                return Ok(snapshot);
            }
        }
    }
}

/// The failure of reading the history table, for a command that changes nothing.
pub(super) async fn reading_failed(
    connection: &Connection,
    config: &Config,
    ledger: Ledger,
    failure: AttemptError,
) -> Error {
    if failure.sql_state().is_some_and(is_lock_conflict) {
        let migrator = migrator_with_lock(connection, ledger).await;
        let is_migrator = migrator.is_some();
        let locker = match migrator {
            Some(migrator) => Some(migrator),
            None => history_locker(connection, config, ledger).await,
        };
        Error::HistoryLocked {
            answer: failure.to_string(),
            holder: locker.map(Box::new),
            is_migrator,
        }
    } else {
        ledger::Error::reading(failure).into()
    }
}

/// The session that locks the history table, as far as our role may see it.
async fn history_locker(connection: &Connection, config: &Config, ledger: Ledger) -> Option<Blocker> {
    let schema = config.database.url.parameters.schema.as_deref();
    let finding = find_history_locker(connection, ledger, schema);
    timeout(ATTEMPT_LIMIT, finding).await.ok()?.ok()?
}

/// The migrator at work, if it may be what locks Drizzle's table: a run locks that while it applies a migration with data.
async fn migrator_with_lock(connection: &Connection, ledger: Ledger) -> Option<Blocker> {
    let schema = ledger.own_schema()?;
    let finding = find_holder(connection, ledger, schema);
    timeout(ATTEMPT_LIMIT, finding).await.ok()?.ok()?
}
