//! Why a pass over the pending migrations ended early, and so what the run does next.

use tokio_postgres::error::SqlState;
use zerostarter_connect::attempt::AttemptError;
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_diagnostic::excerpt::shortened;

use super::error::Error;
use super::failure::Failure;
use crate::watch::{Blocker, LockWait};

/// Why a pass over the pending migrations ended early.
pub(super) enum PassEnd {
    /// The connection was lost: connect again.
    Lost(AttemptError),
    /// Another migrator works on the history table in this schema, or another session works on the table of a
    /// non-transactional migration: wait, then read again.
    Contended {
        reason: String,
        schema: String,
        holder: Option<Box<Blocker>>,
    },
    /// A lock timeout, a deadlock or a serialization failure: retry.
    LockConflict(LockConflict),
    /// A retry cannot help.
    Fatal(Error),
}

/// An attempt that ended with a lock conflict.
pub(super) struct LockConflict {
    /// The migration; `None` for the reading of the history table.
    pub(super) label: Option<String>,
    /// What the server said.
    pub(super) reason: String,
    /// The lock wait, if it was seen.
    pub(super) wait: Option<LockWait>,
}

impl<E: Into<Error>> From<E> for PassEnd {
    fn from(error: E) -> Self {
        Self::Fatal(error.into())
    }
}

/// What the failure of a migration means for the run.
pub(super) fn pass_end(failure: Failure, wait: Option<LockWait>, schema: &str) -> PassEnd {
    let contended = |reason: &str, holder| PassEnd::Contended {
        reason: reason.to_owned(),
        schema: schema.to_owned(),
        holder,
    };
    match failure {
        Failure::LockTaken => contended("another migrator holds the lock", None),
        Failure::HistoryChanged => contended("another migrator has just changed the history table", None),
        Failure::InProgress(holder) => contended(
            "another session runs this statement or builds an index on the same table",
            Some(holder),
        ),
        Failure::Fatal(error) => PassEnd::Fatal(*error),
        Failure::Lost(error) => PassEnd::Lost(error),
        Failure::BehindLongRunning(label) => PassEnd::LockConflict(LockConflict {
            label: Some(label),
            reason: wait.as_ref().map_or_else(
                || "it did not queue behind a transaction older than MIGRATE_LOCK_BUDGET".to_owned(),
                |wait| {
                    format!("it did not queue behind a transaction older than MIGRATE_LOCK_BUDGET for {wait}")
                },
            ),
            wait,
        }),
        Failure::OverBudget(label, waited) => PassEnd::LockConflict(LockConflict {
            label: Some(label),
            reason: format!(
                "its lock waits of {} used up MIGRATE_LOCK_BUDGET",
                in_seconds(waited)
            ),
            wait,
        }),
        Failure::Rejected(rejection) if is_lock_conflict(&rejection.sql_state) => {
            PassEnd::LockConflict(LockConflict {
                reason: format!(
                    "{} (SQLSTATE {})",
                    shortened(&rejection.message),
                    rejection.sql_state.code()
                ),
                label: Some(rejection.label),
                wait,
            })
        }
        Failure::Rejected(rejection) => PassEnd::Fatal(Error::Migration {
            rejection,
            applied: Vec::new(),
        }),
        Failure::Driver(source) => PassEnd::Fatal(Error::Database {
            doing: "applying a migration",
            source,
        }),
        Failure::Stopped => PassEnd::Fatal(Error::Engine("it was stopped".to_owned())),
        Failure::Unconfirmed(label) => PassEnd::Fatal(Error::Unconfirmed(label)),
    }
}

/// Lock timeout, deadlock, serialization failure: the transaction can be retried. So can a COPY for which the driver prepared
/// a statement under a name that another client of a pool has left: each attempt uses the next name.
pub(super) fn is_lock_conflict(code: &SqlState) -> bool {
    [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::DUPLICATE_PSTATEMENT,
    ]
    .contains(code)
}
