//! An error of the server in a migration, and its place in the file.

use tokio_postgres::error::SqlState;
use zerostarter_diagnostic::excerpt::window;

use crate::sql::line_and_column;

/// An error of the server in a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The migration.
    pub label: String,
    /// The part of the transaction that failed.
    pub site: Site,
    /// The file.
    pub path: String,
    /// Its SQLSTATE.
    pub sql_state: SqlState,
    /// Its message.
    pub message: String,
    /// Its DETAIL.
    pub detail: Option<String>,
    /// Its HINT.
    pub hint: Option<String>,
    /// Its CONTEXT, such as the line of a function.
    pub context: Option<String>,
    /// The leftovers of a non-transactional migration; `None` if everything was rolled back.
    pub leftovers: Option<String>,
    /// Which of its steps have run before; `None` if it has no steps.
    pub position: Option<String>,
}

impl Rejection {
    /// Whether the server refuses the statement because of the transaction block around it.
    pub(super) fn demands_no_transaction(&self) -> bool {
        [
            SqlState::ACTIVE_SQL_TRANSACTION,
            SqlState::INVALID_TRANSACTION_TERMINATION,
        ]
        .contains(&self.sql_state)
    }

    /// Logs that the statement is sent once more, without a transaction block.
    pub(super) fn log_second_run(&self) {
        let Self { label, message, .. } = self;
        tracing::info!(
            migration = label,
            "{label} cannot run in a transaction block ({message}); running it once more without one"
        );
    }
}

/// The part of a migration's transaction that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// Before the file: settings, role, history table.
    Preparation,
    /// In the file, at this place.
    File(Place),
    /// After the file: history row, deferred constraints, commit.
    Commit,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// The line's text around the place.
    pub text: String,
    /// The part of `text` before the place.
    pub before: String,
}

impl Place {
    pub(super) fn new(sql: &str, offset: usize) -> Self {
        let (line, column) = line_and_column(sql, offset);
        let (text, before) = window(sql.lines().nth(line - 1).unwrap_or_default(), column - 1);
        Self {
            line,
            column,
            text,
            before,
        }
    }
}
