//! Everything that can end the program.

use std::io;
use std::net::SocketAddr;

use zerostarter_console as console;
use zerostarter_diagnostic::{Diagnostic, ExitStatus};
use zerostarter_migrate::source;
use zerostarter_settings as settings;

/// Why the program ended without success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line is wrong, or output could not be written.
    #[error(transparent)]
    Console(#[from] console::Error),
    /// An address cannot be used.
    #[error("cannot listen at {address}")]
    Listen {
        /// The variable.
        variable: &'static str,
        /// Its value.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// The embedded migrations cannot be used.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The asynchronous runtime or the signal handlers could not be started.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// `check` found that the running web app is not healthy.
    #[error("{server} is not healthy: {reason}")]
    Unhealthy {
        /// The address that was asked.
        server: SocketAddr,
        /// Its answer, or why there is none.
        reason: String,
    },
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self {
            Self::Console(error) => error.details(),
            Self::Settings(error) => error.details(),
            Self::Source(error) => error.details(),
            Self::Listen { source, .. } | Self::Start(source) => vec![source.to_string()],
            Self::Unhealthy { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Console(error) => error.hints(),
            Self::Listen { variable, .. } => {
                vec![format!(
                    "set {variable} to an address of this machine and a free port"
                )]
            }
            Self::Settings(error) => error.hints(),
            Self::Source(error) => error.hints(),
            Self::Start(_) | Self::Unhealthy { .. } => Vec::new(),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Console(error) => error.exit_status(),
            Self::Settings(error) => error.exit_status(),
            Self::Source(error) => error.exit_status(),
            Self::Listen { .. } => ExitStatus::Usage,
            Self::Start(_) | Self::Unhealthy { .. } => ExitStatus::Failed,
        }
    }
}
