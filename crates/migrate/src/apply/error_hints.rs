//! What to do about an error of the engine.

use tokio_postgres::error::SqlState;
use zerostarter_connect as connect;
use zerostarter_diagnostic::Diagnostic as _;

use super::rejection::Rejection;
use crate::watch::Blocker;

/// The hints of the error, and the settings of migrations that help.
pub(super) fn connect_hints(error: &connect::Error) -> Vec<String> {
    let mut hints = error.hints();
    hints.extend(match error {
        connect::Error::Unreachable { .. } => {
            Some("raise MIGRATE_WAIT (for wait: WAIT_TIMEOUT) if the server needs longer to start".to_owned())
        }
        connect::Error::ReadOnly { .. } => Some("raise MIGRATE_WAIT if a failover takes longer".to_owned()),
        error if error.is_missing_database() => {
            Some("set MIGRATE_CREATE_DATABASE=yes (--create-database) to let migrate create it".to_owned())
        }
        _ => None,
    });
    hints
}

pub(super) fn migration_hint(rejection: &Rejection) -> Option<String> {
    let hint = match rejection.sql_state {
        SqlState::QUERY_CANCELED => {
            "raise MIGRATE_STATEMENT_TIMEOUT if a statement ran longer than that; otherwise an administrator cancelled it"
        }
        SqlState::ACTIVE_SQL_TRANSACTION => {
            "this statement cannot run in a transaction block; move it into a separate migration, which then runs without one, or end the transaction before it with COMMIT"
        }
        SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE => {
            "add the new enum value in a separate migration, and apply that without --atomic: it must be committed before it is used"
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "grant the privilege to the role of the URL, or set MIGRATE_ROLE to the role that owns the tables"
        }
        SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT => {
            "find out whether another tool or a person created the schema: it exists in the database but not in the history table"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What to do about blockers, and the variable that lets a run wait longer.
pub(super) fn blocker_hints(blockers: &[Blocker], variable: &str) -> Vec<String> {
    let mut hints: Vec<String> = blockers
        .iter()
        .filter_map(|blocker| blocker.pid)
        .map(|pid| {
            format!(
                "let pid {pid} finish, terminate it with SELECT pg_terminate_backend({pid}), or raise {variable}"
            )
        })
        .collect();
    if blockers.iter().any(|blocker| blocker.pid.is_none()) {
        hints.push("COMMIT PREPARED or ROLLBACK PREPARED what pg_prepared_xacts lists".to_owned());
    }
    if blockers.iter().any(Blocker::is_hidden) {
        hints.push(
            "GRANT pg_read_all_stats to the role of the URL to see what such a session does".to_owned(),
        );
    }
    hints
}
