//! Why an import did not happen.

use zerostarter_connect as connect;
use zerostarter_diagnostic::{Diagnostic, ExitStatus};
use zerostarter_migrate as migrate;

/// Why an import did not happen. Nothing was written or recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder, or the directory to write to, cannot be used.
    #[error("{path} cannot be imported; nothing was changed")]
    Folder {
        /// The folder.
        path: String,
        /// What is wrong with it, a line each.
        problems: Vec<String>,
        /// What to do about it.
        hint: &'static str,
    },
    /// The tool's table, the folder and the database disagree.
    #[error("{table} and the database disagree; nothing was changed")]
    Disagreement {
        /// The tool's table.
        table: String,
        /// What differs, a line each.
        lines: Vec<String>,
        /// What to do about it.
        hint: &'static str,
    },
    /// The database, or the migrations that were made.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
}

impl From<connect::Error> for Error {
    fn from(error: connect::Error) -> Self {
        Self::Migrate(error.into())
    }
}

impl Error {
    /// An error of the database while `doing`.
    pub(crate) fn database(doing: &'static str, source: tokio_postgres::Error) -> Self {
        Self::Migrate(migrate::Error::Database { doing, source })
    }
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self {
            Self::Folder { problems, .. } => problems.clone(),
            Self::Disagreement { lines, .. } => lines.clone(),
            Self::Migrate(error) => error.details(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Folder { hint, .. } | Self::Disagreement { hint, .. } => vec![(*hint).to_owned()],
            Self::Migrate(error) => error.hints(),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Folder { .. } => ExitStatus::Usage,
            Self::Disagreement { .. } => ExitStatus::Conflict,
            Self::Migrate(error) => error.exit_status(),
        }
    }
}
