//! Why migrations cannot be loaded.

use zerostarter_diagnostic::{Diagnostic, ExitStatus};

/// A migration file, or the directory of them, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} {problem}")]
pub struct Error {
    /// The file or directory.
    pub path: String,
    /// What is wrong with it; follows its path: "is not UTF-8 at line 3".
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    pub(crate) fn new(path: String, problem: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            path,
            problem: problem.into(),
            hint: hint.map(str::to_owned),
        }
    }
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        Vec::new()
    }

    fn hints(&self) -> Vec<String> {
        self.hint.iter().cloned().collect()
    }

    fn exit_status(&self) -> ExitStatus {
        ExitStatus::Usage
    }
}
