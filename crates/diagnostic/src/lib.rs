//! What an error tells an operator.
//!
//! Every crate of the workspace has an error type that knows only what that crate knows. Each implements [`Diagnostic`]
//! beside its declaration, so that no error is without details, hints and an [`ExitStatus`].

#![forbid(unsafe_code)]

pub mod duration;
pub mod escape;
pub mod excerpt;
mod exit_status;
pub mod regular_file;
pub mod signal;
pub mod threads;

use escape::escaped;
pub use exit_status::ExitStatus;

/// An error that ends a program, with what to do about it. Its `Display` is the headline: lower case, no full stop.
pub trait Diagnostic: std::error::Error {
    /// The lines below the headline: causes with their SQLSTATE, findings, the place in a file.
    fn details(&self) -> Vec<String>;

    /// What to do about it: actions in the imperative.
    fn hints(&self) -> Vec<String>;

    /// The status to exit with.
    fn exit_status(&self) -> ExitStatus;
}

/// `hints` without repetition, in the order of their first occurrence.
pub fn distinct(hints: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for hint in hints {
        if !seen.contains(&hint) {
            seen.push(hint);
        }
    }
    seen
}

/// The text that ends a program's output: headline, details, hints, each on one line.
pub fn explain(error: &dyn Diagnostic) -> String {
    let mut text = format!("error: {}\n", escaped(&error.to_string()));
    for line in error.details() {
        text.push_str("  ");
        text.push_str(&escaped(&line));
        text.push('\n');
    }
    let hints = error.hints();
    if !hints.is_empty() {
        text.push('\n');
    }
    for hint in hints {
        text.push_str("hint: ");
        text.push_str(&escaped(&hint));
        text.push('\n');
    }
    text
}
