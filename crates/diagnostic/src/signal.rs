//! SIGINT and SIGTERM. The process 1 of a container ignores both unless it installs handlers.

use std::io;

use futures_util::future::{Either, select};
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

use crate::exit_status::ExitStatus;

/// The signal that ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Int,
    /// SIGTERM: `docker stop`, a pod that is deleted, a job that is cancelled.
    Term,
}

impl Signal {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "SIGINT",
            Self::Term => "SIGTERM",
        }
    }

    /// The exit status of a run that it ended.
    #[must_use]
    pub const fn exit_status(self) -> ExitStatus {
        match self {
            Self::Int => ExitStatus::Interrupted,
            Self::Term => ExitStatus::Terminated,
        }
    }
}

/// The installed handlers.
#[derive(Debug)]
pub struct Interrupt {
    int: Listener,
    term: Listener,
}

impl Interrupt {
    /// Installs the handlers.
    ///
    /// # Errors
    ///
    /// The operating system's, and that there is no tokio runtime.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
        })
    }

    /// The next signal, or one that arrived since the handlers were installed.
    pub async fn signal(&mut self) -> Signal {
        match select(Box::pin(self.int.recv()), Box::pin(self.term.recv())).await {
            Either::Left(_) => Signal::Int,
            Either::Right(_) => Signal::Term,
        }
    }
}
