//! A question to the person at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _};

use zerostarter_diagnostic::threads;

use crate::output::Output;

impl Output {
    /// Whether somebody could answer a question: input and errors are a terminal.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks `question`, and waits for one line, on another thread: a signal can end the program meanwhile. Everything but `y`
    /// and `yes` is no.
    pub async fn ask(&self, question: &str) -> bool {
        self.to_stderr(&format!("{question} [y/N] "));
        self.flush();
        threads::elsewhere(|| {
            let mut answer = String::new();
            let is_read = io::stdin().lock().read_line(&mut answer).is_ok();
            is_read && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
        })
        .await
    }
}
