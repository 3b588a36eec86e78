//! Why a pass over the pending migrations ended early, and so what is done next.

use tokio_postgres::error::SqlState;

use crate::attempt::AttemptError;
use crate::blocker::{Blocker, Wait};
use crate::duration::in_seconds;
use crate::error::Error;
use crate::message::SessionError;
use crate::patience::Defeat;

/// Why a pass over the pending migrations ended early without a verdict.
pub(crate) enum Interruption {
    /// The connection is gone.
    Lost(AttemptError),
    /// Another migrator is at work, or has been, on the history in this schema; or somebody else is at what a file
    /// that runs outside a transaction does.
    Contended {
        reason: String,
        schema: String,
        holder: Option<Box<Blocker>>,
    },
    /// A lock timeout, a deadlock or a serialization failure.
    Beaten(Defeat),
    /// There is nothing to be gained by another try.
    Fatal(Error),
}

impl From<Error> for Interruption {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

/// What the failure of a migration means for the run.
pub(crate) fn interruption(failure: SessionError, wait: Option<Wait>, schema: &str) -> Interruption {
    let contended = |reason: &str, holder| Interruption::Contended {
        reason: reason.to_owned(),
        schema: schema.to_owned(),
        holder,
    };
    match failure {
        SessionError::LockTaken => contended("another migrator holds the lock", None),
        SessionError::HistoryMoved => contended("another migrator has just changed the history", None),
        SessionError::Occupied(holder) => contended("another session is at work on the same", Some(holder)),
        SessionError::Fatal(error) => Interruption::Fatal(*error),
        SessionError::Lost(error) => Interruption::Lost(error),
        SessionError::BehindOld(stem) => Interruption::Beaten(Defeat {
            stem: Some(stem),
            reason: wait.as_ref().map_or_else(
                || "it did not queue behind a transaction older than MIGRATE_LOCK_BUDGET".to_owned(),
                |wait| {
                    format!("it did not queue behind a transaction older than MIGRATE_LOCK_BUDGET for {wait}")
                },
            ),
            wait,
        }),
        SessionError::OverBudget(stem, waited) => Interruption::Beaten(Defeat {
            stem: Some(stem),
            reason: format!(
                "it had waited {} for locks, which is all of MIGRATE_LOCK_BUDGET",
                in_seconds(waited)
            ),
            wait,
        }),
        SessionError::Rejected(rejection) if is_beaten(&rejection.sql_state) => {
            Interruption::Beaten(Defeat {
                reason: format!("{} (SQLSTATE {})", rejection.message, rejection.sql_state.code()),
                stem: Some(rejection.stem),
                wait,
            })
        }
        SessionError::Rejected(rejection) => Interruption::Fatal(Error::Migration {
            rejection,
            applied: Vec::new(),
        }),
        SessionError::Driver(source) => Interruption::Fatal(Error::Database {
            doing: "applying a migration",
            source,
        }),
        SessionError::Stopped => Interruption::Fatal(Error::Engine("it was stopped".to_owned())),
        SessionError::Unconfirmed(stem) => Interruption::Fatal(Error::Unconfirmed(stem)),
    }
}

/// A lock timeout, a deadlock, a serialization failure: the transaction lost against others and can be tried again.
pub(crate) fn is_beaten(code: &SqlState) -> bool {
    [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ]
    .contains(code)
}
