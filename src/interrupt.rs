//! SIGINT and SIGTERM: how a run ends early. As process 1 of a container we would ignore both without a handler.

use std::io;

use futures_util::future::{Either, select};
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

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
}

/// The handlers, from the moment in which they are installed.
pub(crate) struct Interrupt {
    int: Listener,
    term: Listener,
}

impl Interrupt {
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
        })
    }

    /// The next signal, or one that has come since they were installed.
    pub(crate) async fn signal(&mut self) -> Signal {
        match select(Box::pin(self.int.recv()), Box::pin(self.term.recv())).await {
            Either::Left(_) => Signal::Int,
            Either::Right(_) => Signal::Term,
        }
    }
}
