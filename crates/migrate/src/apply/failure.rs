//! Why a migration was not applied.

use std::time::Duration;

use tokio_postgres::error::DbError;
use zerostarter_connect::attempt::{AttemptError, is_transient};

use super::error::Error;
use super::rejection::{Rejection, Site};
use crate::source::Migration;
use crate::watch::Blocker;

/// The complaint of the server if the migration has ended our transaction.
pub(crate) const TRANSACTION_ENDED: &str = "zerostarter-db: the migration ended its transaction";

/// The complaint of the server if the history table has not kept the row of the migration.
pub(crate) const ROW_MISSING: &str =
    "zerostarter-db: the history table has not kept the row of the migration";

/// The complaint of the server if a non-transactional statement has left no effect.
pub(crate) const NOT_DONE: &str = "zerostarter-db: the statement has not done what the file says";

/// Why a migration was not applied.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another migrator holds the lock.
    LockTaken,
    /// The history table has changed since it was read.
    HistoryChanged,
    /// The connection was lost. The history table shows whether the migration was committed.
    Lost(AttemptError),
    /// The migration would have queued behind a transaction older than `MIGRATE_LOCK_BUDGET`.
    BehindLongRunning(String),
    /// The server rejected a statement.
    Rejected(Box<Rejection>),
    /// The lock waits of the migration, this long in total, used up `MIGRATE_LOCK_BUDGET`.
    OverBudget(String, Duration),
    /// Another session, or an earlier attempt that still runs, is doing what the migration does.
    InProgress(Box<Blocker>),
    /// A signal has arrived; the migration was not begun.
    Stopped,
    /// A retry cannot help.
    Fatal(Box<Error>),
    /// The driver could not read an answer.
    Driver(tokio_postgres::Error),
    /// The server reported success, but the history table does not have the migration.
    Unconfirmed(String),
}

impl Failure {
    /// An error that a retry cannot help.
    pub(crate) fn fatal(error: impl Into<Error>) -> Self {
        Self::Fatal(Box::new(error.into()))
    }

    /// What the server said against `file`, at `site`.
    pub(crate) fn rejected(file: &Migration, site: Site, answer: &DbError) -> Self {
        let message = if answer.message().contains(TRANSACTION_ENDED) {
            "the migration ended its transaction"
        } else if answer.message().contains(ROW_MISSING) {
            "the history table has not kept the row of the migration; look for its rules and triggers"
        } else if answer.message().contains(NOT_DONE) {
            "the statement has succeeded, but what it should have done is not there; look for event triggers, and in a pool for temporary objects of other clients"
        } else {
            answer.message()
        };
        Self::Rejected(Box::new(Rejection {
            label: file.label.clone(),
            path: file.path.clone(),
            site,
            sql_state: answer.code().clone(),
            message: message.to_owned(),
            detail: answer.detail().map(str::to_owned),
            hint: answer.hint().map(str::to_owned),
            context: answer.where_().map(str::to_owned),
            leftovers: None,
            position: None,
        }))
    }

    /// The failure of a statement that is not part of a migration.
    pub(crate) fn of_connection(error: tokio_postgres::Error) -> Self {
        if is_transient(&error) {
            Self::Lost(AttemptError::Postgres(error))
        } else {
            Self::Driver(error)
        }
    }
}
