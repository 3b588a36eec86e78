//! What is open where a semicolon stands.

use super::token::{Kind, Token};

/// What has to be closed before a semicolon ends the statement: parentheses (`CREATE RULE … DO (…; …)`)
/// and the `BEGIN ATOMIC … END` body of a function, in which `CASE … END` nests.
#[derive(Default)]
pub(super) struct Nesting {
    pub(super) parentheses: usize,
    blocks: usize,
}

impl Nesting {
    /// Whether a semicolon ends the statement.
    pub(super) fn is_closed(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    /// `first` are the first tokens of the statement, `last` is the one before `token`.
    pub(super) fn enter(&mut self, first: &[Token<'_>], last: Option<&Token<'_>>, token: &Token<'_>) {
        if token.kind == Kind::Other {
            match token.text {
                "(" => self.parentheses += 1,
                ")" => self.parentheses = self.parentheses.saturating_sub(1),
                _ => {}
            }
        } else if self.blocks > 0 {
            // `a.end` is a column, and `AS end` a label.
            if last.is_some_and(|last| last.text == "." || last.is("AS")) {
                return;
            }
            if token.is("CASE") {
                self.blocks += 1;
            } else if token.is("END") {
                self.blocks -= 1;
            }
        } else if token.is("ATOMIC") && last.is_some_and(|last| last.is("BEGIN")) && creates_routine(first) {
            self.blocks = 1;
        }
    }
}

fn creates_routine(tokens: &[Token<'_>]) -> bool {
    let mut tokens = tokens.iter();
    tokens.next().is_some_and(|token| token.is("CREATE"))
        && tokens
            .find(|token| !token.is("OR") && !token.is("REPLACE"))
            .is_some_and(|token| token.is("FUNCTION") || token.is("PROCEDURE"))
}
