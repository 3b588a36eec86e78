//! What is wrong with the settings.

use std::fmt;

use zerostarter_diagnostic::{Diagnostic, ExitStatus, distinct};

use crate::layer::DotenvError;

/// What is wrong with one variable. It names the variable and never shows its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable, with the place it came from.
    pub variable: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.message)
    }
}

/// Why the settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `.env` file cannot be used.
    #[error("{0}")]
    Dotenv(#[from] DotenvError),
    /// Variables are missing or cannot be used: every problem with every variable.
    #[error("the configuration cannot be used")]
    Variables(Vec<Problem>),
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self {
            Self::Dotenv(_) => Vec::new(),
            Self::Variables(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Dotenv(_) => {
                vec!["write NAME=value, and quote a value that has spaces or a #".to_owned()]
            }
            Self::Variables(problems) => distinct(problems.iter().filter_map(|problem| problem.hint.clone())),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        ExitStatus::Usage
    }
}
