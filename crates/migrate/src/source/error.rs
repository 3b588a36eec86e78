//! Why migrations cannot be loaded.

use std::fmt;

use zerostarter_diagnostic::{Diagnostic, ExitStatus, distinct};

/// What is wrong with a migration file, or with the directory of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or directory.
    pub path: String,
    /// What is wrong with it; follows its path: "is not UTF-8 at line 3".
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.problem)
    }
}

/// Migration files, or the directory of them, cannot be used: every problem, at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", headline(.problems))]
pub struct Error {
    /// The problems, in no order.
    pub problems: Vec<Problem>,
}

fn headline(problems: &[Problem]) -> String {
    match problems {
        [problem] => problem.to_string(),
        problems => format!(
            "{} migration files cannot be used; nothing was changed",
            problems.len()
        ),
    }
}

impl Error {
    pub(crate) fn new(path: String, problem: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            problems: vec![Problem {
                path,
                problem: problem.into(),
                hint: hint.map(str::to_owned),
            }],
        }
    }
}

/// Directories are listed in no order.
fn sorted(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.into_iter().collect();
    lines.sort();
    lines
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self.problems.as_slice() {
            [_] => Vec::new(),
            problems => sorted(problems.iter().map(ToString::to_string)),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hints = self.problems.iter().filter_map(|problem| problem.hint.clone());
        sorted(distinct(hints))
    }

    fn exit_status(&self) -> ExitStatus {
        ExitStatus::Usage
    }
}
