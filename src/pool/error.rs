//! Why a pool has no connection for somebody, told apart by what was waited for.

use std::time::Duration;

use crate::attempt::AttemptError;
use crate::duration::in_seconds;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// All connections were in use for as long as was waited: the pool is too small, or something holds them too long.
    #[error("all {size} connections were in use for {}", in_seconds(*waited))]
    Wait {
        /// How many there are.
        size: usize,
        /// `POSTGRES_POOL_WAIT`.
        waited: Duration,
    },
    /// No connection could be opened in time: the server, or the way to it, does not answer.
    #[error("no connection to {server} could be opened within {}", in_seconds(*waited))]
    Create {
        /// The server.
        server: String,
        /// How long that was waited for.
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

impl PoolError {
    /// Whether trying again later can help: nothing is wrong with the settings.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Wait { .. } | Self::Create { .. } => true,
            Self::Connect { reason, .. } => reason.is_transient(),
            Self::Closed => false,
        }
    }
}
