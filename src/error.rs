//! Everything that can end the program: the errors of its crates, and two of its own.

use std::io;

use zerostarter_connect as connect;
use zerostarter_console as console;
use zerostarter_diagnostic::{Diagnostic, ExitStatus};
use zerostarter_migrate as migrate;
use zerostarter_migrate::{ledger, source};
use zerostarter_settings as settings;

/// Why the program ended without success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line is wrong, or output could not be written.
    #[error(transparent)]
    Console(#[from] console::Error),
    /// An import did not happen.
    #[cfg(feature = "dev")]
    #[error(transparent)]
    Import(#[from] zerostarter_import::Error),
    /// The engine ended without success.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// Migrations are pending, for a command that changes nothing.
    #[error("{} pending: {}", if .0.len() == 1 { "1 migration is".to_owned() } else { format!("{} migrations are", .0.len()) }, .0.join(", "))]
    Pending(Vec<String>),
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// `resolve` was not confirmed.
    #[error("nothing was changed")]
    Unconfirmed,
    /// The asynchronous runtime or the signal handlers could not be started.
    #[error("cannot start")]
    Start(#[source] io::Error),
}

impl From<connect::Error> for Error {
    fn from(error: connect::Error) -> Self {
        Self::Migrate(error.into())
    }
}

impl From<ledger::Error> for Error {
    fn from(error: ledger::Error) -> Self {
        Self::Migrate(error.into())
    }
}

impl From<source::Error> for Error {
    fn from(error: source::Error) -> Self {
        Self::Migrate(error.into())
    }
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self {
            Self::Console(error) => error.details(),
            #[cfg(feature = "dev")]
            Self::Import(error) => error.details(),
            Self::Migrate(error) => error.details(),
            Self::Pending(_) | Self::Unconfirmed => Vec::new(),
            Self::Settings(error) => error.details(),
            Self::Start(source) => vec![source.to_string()],
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Console(error) => error.hints(),
            #[cfg(feature = "dev")]
            Self::Import(error) => error.hints(),
            Self::Migrate(error) => error.hints(),
            Self::Pending(_) => vec!["run zerostarter-db migrate".to_owned()],
            Self::Settings(error) => error.hints(),
            Self::Unconfirmed => vec!["add --yes to make these changes".to_owned()],
            Self::Start(_) => Vec::new(),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Console(error) => error.exit_status(),
            #[cfg(feature = "dev")]
            Self::Import(error) => error.exit_status(),
            Self::Migrate(error) => error.exit_status(),
            Self::Pending(_) => ExitStatus::Pending,
            Self::Settings(error) => error.exit_status(),
            Self::Start(_) => ExitStatus::Failed,
            Self::Unconfirmed => ExitStatus::Usage,
        }
    }
}
