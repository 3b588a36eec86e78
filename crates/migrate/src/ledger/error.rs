//! Why the history table does not allow a run.

use tokio_postgres::error::SqlState;
use zerostarter_connect::attempt::{AttemptError, describe};
use zerostarter_connect::server_details;
use zerostarter_diagnostic::{Diagnostic, ExitStatus, distinct};

use super::comparison::Conflict;
use super::privileges::Denial;
use super::trust::Untrusted;

/// Why the history table does not allow a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The history table and the migrations disagree.
    #[error("the history table and the migrations disagree")]
    Conflicts(Vec<Conflict>),
    /// A privilege is missing.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The history table is not in the schema in which migrations would now create tables.
    #[error("the history table is in the schema {found}, but migrations would now create tables in {schema}")]
    Elsewhere {
        /// The schema with the history table.
        found: String,
        /// The first schema of the search path.
        schema: String,
    },
    /// Drizzle's table does not have its columns.
    #[error(
        "the table of MIGRATIONS_TABLE is not one of Drizzle: it needs the columns hash and created_at, a whole number"
    )]
    NotDrizzles {
        /// What the server said.
        answer: String,
    },
    /// The history table could not be read for another reason.
    #[error("reading the history table failed")]
    Read(#[source] tokio_postgres::Error),
    /// A failure that is not the server's. It cannot happen: a timeout and an odd answer are retried, and a client certificate
    /// fails before there is a connection.
    #[error("reading the history table failed: {0}")]
    Unanswered(AttemptError),
    /// The history table may run code of another role.
    #[error("the history table is not trusted")]
    Untrusted(Untrusted),
}

impl Error {
    /// The failure of reading the history table.
    #[must_use]
    pub fn reading(failure: AttemptError) -> Self {
        let answer = failure.to_string();
        let AttemptError::Postgres(source) = failure else {
            return Self::Unanswered(failure);
        };
        if let Some(untrusted) = source
            .as_db_error()
            .and_then(|answer| Untrusted::parse(answer.message()))
        {
            return Self::Untrusted(untrusted);
        }
        match source.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) if is_row_security(&source) => {
                Denial::Hidden { answer }.into()
            }
            // SET ROLE comes before every statement that could be denied.
            Some(&SqlState::INVALID_PARAMETER_VALUE) => Denial::Role { answer }.into(),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) if answer.contains("role") => {
                Denial::Role { answer }.into()
            }
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Denial::Read { answer }.into(),
            // Only the query of Drizzle's table casts a column. refinery's is created by refinery.
            Some(code) if [SqlState::UNDEFINED_COLUMN, SqlState::CANNOT_COERCE].contains(code) => {
                Self::NotDrizzles { answer }
            }
            _ => Self::Read(source),
        }
    }
}

/// Whether row-level security would hide rows. The server's words depend on its language, the name of its function does not.
fn is_row_security(error: &tokio_postgres::Error) -> bool {
    error
        .as_db_error()
        .is_some_and(|answer| answer.routine() == Some("check_enable_rls"))
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self {
            Self::Conflicts(conflicts) => conflicts.iter().map(ToString::to_string).collect(),
            Self::Denied(Denial::Hidden { answer } | Denial::Read { answer } | Denial::Role { answer }) => {
                vec![answer.clone()]
            }
            Self::NotDrizzles { answer } => vec![answer.clone()],
            Self::Denied(_) | Self::Elsewhere { .. } | Self::Unanswered(_) => Vec::new(),
            Self::Untrusted(untrusted) => vec![untrusted.to_string()],
            Self::Read(source) => {
                let mut lines = vec![describe(source)];
                lines.extend(server_details(source));
                lines
            }
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Conflicts(conflicts) => {
                distinct(conflicts.iter().map(|conflict| conflict.hint().into_owned()))
            }
            Self::Denied(denial) => denial.hints(),
            Self::Elsewhere { found, .. } => vec![format!(
                "add schema={found} to the URL to continue with that history table, or choose a schema with options=-c%20search_path=…"
            )],
            Self::NotDrizzles { .. } => {
                vec!["set MIGRATIONS_TABLE to the table that drizzle.config names".to_owned()]
            }
            Self::Read(_) | Self::Unanswered(_) => Vec::new(),
            Self::Untrusted(untrusted) => untrusted.hints(),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Conflicts(_) | Self::Elsewhere { .. } | Self::Untrusted(_) => ExitStatus::Conflict,
            Self::Denied(_) => ExitStatus::Refused,
            Self::NotDrizzles { .. } => ExitStatus::Usage,
            Self::Read(_) | Self::Unanswered(_) => ExitStatus::Failed,
        }
    }
}
