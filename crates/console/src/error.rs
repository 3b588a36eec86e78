//! Why a program could not read its command line or write its output.

use std::io;

use zerostarter_diagnostic::{Diagnostic, ExitStatus};

use crate::command_line::Misuse;

/// Why a program could not read its command line or write its output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line is wrong.
    #[error("{0}")]
    CommandLine(Misuse),
    /// The thread that writes the log could not be started.
    #[error("cannot start")]
    LogThread(#[source] io::Error),
    /// Output could not be written.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self {
            Self::CommandLine(misuse) => misuse.details.clone(),
            Self::LogThread(source) | Self::Output(source) => vec![source.to_string()],
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::CommandLine(misuse) => misuse.hints.clone(),
            Self::LogThread(_) | Self::Output(_) => Vec::new(),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::CommandLine(_) => ExitStatus::Usage,
            Self::LogThread(_) | Self::Output(_) => ExitStatus::Failed,
        }
    }
}
