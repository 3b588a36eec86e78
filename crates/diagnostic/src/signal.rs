//! SIGHUP, SIGINT and SIGTERM. The process 1 of a container ignores them unless it installs handlers.

use std::fs;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

use crate::exit_status::ExitStatus;

/// The signal that ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: the terminal was closed, or the connection to it was lost.
    Hup,
    /// SIGINT: Ctrl-C.
    Int,
    /// SIGTERM: `docker stop`, a pod that is deleted, a job that is cancelled.
    Term,
}

impl Signal {
    const ALL: [Self; 3] = [Self::Hup, Self::Int, Self::Term];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hup => "SIGHUP",
            Self::Int => "SIGINT",
            Self::Term => "SIGTERM",
        }
    }

    /// The exit status of a run that it ended.
    #[must_use]
    pub const fn exit_status(self) -> ExitStatus {
        match self {
            Self::Hup => ExitStatus::HungUp,
            Self::Int => ExitStatus::Interrupted,
            Self::Term => ExitStatus::Terminated,
        }
    }

    const fn kind(self) -> SignalKind {
        match self {
            Self::Hup => SignalKind::hangup(),
            Self::Int => SignalKind::interrupt(),
            Self::Term => SignalKind::terminate(),
        }
    }
}

/// The installed handlers.
#[derive(Debug)]
pub struct Interrupt {
    listeners: Vec<(Signal, Listener)>,
}

impl Interrupt {
    /// Installs the handlers. `nohup` asks for SIGHUP to be ignored, and it stays so.
    ///
    /// # Errors
    ///
    /// The operating system's, and that there is no tokio runtime.
    pub fn install() -> io::Result<Self> {
        let heard = Signal::ALL.into_iter();
        let listeners = heard
            .filter(|one| *one != Signal::Hup || !ignores_hangup())
            .map(|one| Ok((one, signal(one.kind())?)));
        Ok(Self {
            listeners: listeners.collect::<io::Result<_>>()?,
        })
    }

    /// The next signal, or one that arrived since the handlers were installed.
    pub async fn signal(&mut self) -> Signal {
        poll_fn(|context| {
            for (signal, listener) in &mut self.listeners {
                if listener.poll_recv(context).is_ready() {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Whether SIGHUP was ignored when this process started. Only Linux reports that.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A mask of 16 hexadecimal digits. SIGHUP, the first signal, is its last bit.
    ignored.is_some_and(|mask| mask.trim().ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']))
}
