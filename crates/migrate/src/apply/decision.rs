//! Changes to the history table by decision of the operator, without running a migration.

use std::time::Duration;

use tokio::time::timeout;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError};

use super::error::Error;
use super::migrator::Migrator;
use super::pass_end::{PassEnd, pass_end};
use super::script::Script;
use super::transmission::ask;
use crate::ledger::Snapshot;

/// Changes to the history table, to be shown before they are made.
#[derive(Debug)]
pub struct Decision<'a> {
    pub(super) migrator: &'a Migrator,
    pub(super) connection: Connection,
    pub(super) snapshot: Snapshot,
    /// The migration on behalf of which they are made, as an index.
    pub(super) migration: usize,
    /// The statements that create or upgrade the history table.
    pub(super) preparation: Vec<String>,
    pub(super) statements: Vec<String>,
    /// One line for each change; empty if there is nothing to change.
    pub changes: Vec<String>,
}

impl Decision<'_> {
    /// Makes the changes, in one transaction under the migrators' lock.
    ///
    /// # Errors
    ///
    /// See [`Error`]: among others, another migrator holds the lock, or the history table has changed meanwhile.
    pub async fn execute(self) -> Result<(), Error> {
        let script = Script {
            config: self.migrator.config(),
            snapshot: &self.snapshot,
            reads_backslashes_literally: true,
            prepare_history: &self.preparation,
            last_version: self.snapshot.applied().last().map(|row| row.version),
            rows: self.snapshot.applied().len(),
            shares_history: true,
        };
        let ledger = self.snapshot.ledger;
        let migration = &self.migrator.migrations()[self.migration];
        let statements = script.resolving(self.statements);
        let asking = ask(&self.connection, ledger, migration, statements);
        let limit = self.migrator.config().query_limit();
        let outcome = match timeout(limit, asking).await {
            Ok(outcome) => outcome.map(drop),
            Err(_) => Err(super::failure::Failure::Lost(AttemptError::TimedOut(limit))),
        };
        let end = outcome.map_err(|failure| pass_end(failure, None, &self.snapshot.schema));
        self.connection.close().await;
        end.map_err(|end| error_of(end, self.migrator))
    }
}

/// The answer to a query, within the limit of an attempt.
pub(super) async fn within_limit<T>(
    doing: &'static str,
    query: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Error> {
    let failed = |source| Error::Database { doing, source };
    match timeout(ATTEMPT_LIMIT, query).await {
        Ok(outcome) => outcome.map_err(failed),
        Err(_) => Err(Error::Engine(AttemptError::TimedOut(ATTEMPT_LIMIT).to_string())),
    }
}

/// A person waits for the answer, so nothing is retried.
pub(super) fn error_of(end: PassEnd, migrator: &Migrator) -> Error {
    match end {
        PassEnd::Fatal(error) => error,
        PassEnd::Lost(lost) => Error::Connect(zerostarter_connect::Error::Unreachable {
            server: migrator.config().database.url.servers(),
            waited: Duration::ZERO,
            source: Box::new(lost),
        }),
        PassEnd::Contended { reason, holder, .. } => Error::Locked {
            waited: Duration::ZERO,
            reason,
            holder,
        },
        PassEnd::LockConflict(conflict) => Error::HistoryLocked {
            answer: conflict.reason,
            holder: None,
            is_migrator: false,
        },
    }
}
