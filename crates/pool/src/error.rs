//! Why a pool returned no connection.

use std::time::Duration;

use zerostarter_connect::attempt::AttemptError;
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_diagnostic::{Diagnostic, ExitStatus};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// All connections were in use during the wait: the pool is too small, or something holds connections too long.
    #[error("all {size} connections were in use for {}", in_seconds(*waited))]
    Wait {
        /// Its size.
        size: usize,
        /// `POSTGRES_POOL_WAIT`.
        waited: Duration,
    },
    /// No connection could be opened in time: the server or the network does not answer.
    #[error("no connection to {server} could be opened within {}", in_seconds(*waited))]
    Create {
        /// The server.
        server: String,
        /// How long it took.
        waited: Duration,
    },
    /// A connection could not be opened.
    #[error("no connection to {server}: {reason}")]
    Connect {
        /// The server.
        server: String,
        /// Why.
        reason: Box<AttemptError>,
    },
    /// The pool was closed.
    #[error("the pool is closed")]
    Closed,
}

impl Error {
    /// Whether a retry can help: the settings are right.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Wait { .. } | Self::Create { .. } => true,
            Self::Connect { reason, .. } => reason.is_transient(),
            Self::Closed => false,
        }
    }
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        Vec::new()
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Wait { .. } => vec![
                "raise POSTGRES_POOL_SIZE or POSTGRES_POOL_WAIT, or return connections sooner".to_owned(),
            ],
            Self::Create { .. } | Self::Connect { .. } => {
                vec!["check that the server runs and that the URL is right".to_owned()]
            }
            Self::Closed => Vec::new(),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Wait { .. } => ExitStatus::Blocked,
            Self::Create { .. } => ExitStatus::Unreachable,
            Self::Connect { reason, .. } if reason.is_transient() => ExitStatus::Unreachable,
            Self::Connect { .. } => ExitStatus::Refused,
            Self::Closed => ExitStatus::Failed,
        }
    }
}
