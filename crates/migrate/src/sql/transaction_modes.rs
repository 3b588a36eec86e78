//! `SET TRANSACTION` at the beginning of a file: the modes of its transaction.
//!
//! The server takes them before the first query of a transaction only, and the statements before a file are queries. So the
//! transaction begins with these modes, and the statements are not sent.

use std::ops::Range;

use super::statement::{Statement, statements};
use super::token::Token;
use super::transaction_control::begins_plainly;

/// The modes that a file sets for its transaction before its first query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionModes {
    /// The statements that set them.
    pub spans: Vec<Range<usize>>,
    /// Where the transaction is made read-only: its history row cannot be written then.
    pub read_only: Option<usize>,
    isolation: Option<&'static str>,
    is_deferrable: Option<bool>,
}

const LEVELS: [&str; 4] = [
    "READ UNCOMMITTED",
    "READ COMMITTED",
    "REPEATABLE READ",
    "SERIALIZABLE",
];

impl TransactionModes {
    /// The modes that `sql` sets, also after a `BEGIN`.
    pub(super) fn of(sql: &str) -> Self {
        let mut modes = Self::default();
        for (number, statement) in statements(sql).map_while(Result::ok).enumerate() {
            if number == 0 && begins_plainly(&statement) {
                continue;
            }
            // Other settings are no queries.
            if !statement.begins_with(&["SET"]) {
                break;
            }
            modes.add(&statement);
        }
        modes
    }

    /// `ISOLATION LEVEL …`, for `BEGIN`. A migrator's transaction is READ COMMITTED by default.
    #[must_use]
    pub fn begin(&self) -> String {
        let isolation = self.isolation.unwrap_or("READ COMMITTED");
        let deferrable = match self.is_deferrable {
            Some(true) => " DEFERRABLE",
            Some(false) => " NOT DEFERRABLE",
            None => "",
        };
        format!("ISOLATION LEVEL {isolation} READ WRITE{deferrable}")
    }

    /// Whether the first query takes the snapshot of the whole transaction.
    #[must_use]
    pub fn keeps_snapshot(&self) -> bool {
        self.isolation.is_some_and(|level| !level.starts_with("READ "))
    }

    fn add(&mut self, statement: &Statement<'_>) {
        let words = match &statement.tokens[1..] {
            [scope, rest @ ..] if scope.is("LOCAL") || scope.is("SESSION") => rest,
            rest => rest,
        };
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        let names = |name: &str| first.text.trim_matches('"').eq_ignore_ascii_case(name);
        let value = value_of(rest);
        let before = (self.isolation, self.is_deferrable, self.read_only);
        let is_known = if first.is("TRANSACTION") {
            self.add_modes(rest)
        } else if names("transaction_isolation") {
            value.is_some_and(|value| self.set_isolation(&value))
        } else if names("transaction_deferrable") {
            self.is_deferrable = value.as_deref().and_then(boolean).or(self.is_deferrable);
            value.as_deref().and_then(boolean).is_some()
        } else if names("transaction_read_only") {
            let is_read_only = value.as_deref().and_then(boolean);
            self.set_read_only(is_read_only, first.offset);
            is_read_only.is_some()
        } else {
            return;
        };
        if is_known {
            self.spans.push(statement.span.clone());
        } else {
            // The server explains what it does not take, at its place.
            (self.isolation, self.is_deferrable, self.read_only) = before;
        }
    }

    /// Whether all of `tokens` are modes.
    fn add_modes(&mut self, tokens: &[Token<'_>]) -> bool {
        let mut rest = tokens;
        while !rest.is_empty() {
            let is = |words: &[&str]| {
                rest.len() >= words.len() && words.iter().zip(rest).all(|(word, token)| token.is(word))
            };
            let length = if is(&["ISOLATION", "LEVEL"]) {
                let words = if is(&["ISOLATION", "LEVEL", "SERIALIZABLE"]) {
                    1
                } else {
                    2
                };
                let level: Vec<&str> = rest.iter().skip(2).take(words).map(|token| token.text).collect();
                if !self.set_isolation(&level.join(" ")) {
                    return false;
                }
                2 + words
            } else if is(&["READ", "ONLY"]) {
                self.set_read_only(Some(true), rest[0].offset);
                2
            } else if is(&["READ", "WRITE"]) {
                self.set_read_only(Some(false), rest[0].offset);
                2
            } else if is(&["DEFERRABLE"]) {
                self.is_deferrable = Some(true);
                1
            } else if is(&["NOT", "DEFERRABLE"]) {
                self.is_deferrable = Some(false);
                2
            } else {
                return false;
            };
            rest = &rest[length.min(rest.len())..];
            if let [comma, following @ ..] = rest
                && comma.text == ","
            {
                rest = following;
            }
        }
        !tokens.is_empty()
    }

    fn set_isolation(&mut self, level: &str) -> bool {
        let known = LEVELS.iter().find(|name| name.eq_ignore_ascii_case(level));
        self.isolation = known.copied().or(self.isolation);
        known.is_some()
    }

    fn set_read_only(&mut self, is_read_only: Option<bool>, offset: usize) {
        if let Some(is_read_only) = is_read_only {
            self.read_only = is_read_only.then_some(offset);
        }
    }
}

/// The value after `=` or `TO`, without quotes.
fn value_of(tokens: &[Token<'_>]) -> Option<String> {
    match tokens {
        [to, value] if to.text == "=" || to.is("TO") => Some(value.text.trim_matches(['\'', '"']).to_owned()),
        _ => None,
    }
}

fn boolean(value: &str) -> Option<bool> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
    if is_one_of(&["on", "true", "yes", "1"]) {
        Some(true)
    } else {
        is_one_of(&["off", "false", "no", "0"]).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::TransactionModes;

    #[test]
    fn modes_are_read_before_the_first_query() {
        for (sql, begin, count) in [
            (
                "SELECT 1; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "READ COMMITTED READ WRITE",
                0,
            ),
            (
                "set transaction isolation level serializable;",
                "SERIALIZABLE READ WRITE",
                1,
            ),
            (
                "SET LOCAL lock_timeout = 1; SET SESSION TRANSACTION READ WRITE, ISOLATION LEVEL REPEATABLE READ NOT DEFERRABLE; SELECT 1",
                "REPEATABLE READ READ WRITE NOT DEFERRABLE",
                1,
            ),
            (
                "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
                "READ UNCOMMITTED READ WRITE",
                1,
            ),
            (
                "SET LOCAL transaction_isolation TO 'repeatable read'",
                "REPEATABLE READ READ WRITE",
                1,
            ),
            (
                "SET transaction_deferrable = on",
                "READ COMMITTED READ WRITE DEFERRABLE",
                1,
            ),
            (
                "SET TRANSACTION ISOLATION LEVEL NONE",
                "READ COMMITTED READ WRITE",
                0,
            ),
            ("SET TRANSACTION SNAPSHOT 'a'", "READ COMMITTED READ WRITE", 0),
            ("SET TRANSACTION ISOLATION LEVEL", "READ COMMITTED READ WRITE", 0),
            (
                "SET default_transaction_isolation = 'serializable'",
                "READ COMMITTED READ WRITE",
                0,
            ),
        ] {
            let modes = TransactionModes::of(sql);
            assert_eq!(modes.begin(), format!("ISOLATION LEVEL {begin}"), "{sql}");
            assert_eq!(modes.spans.len(), count, "{sql}");
            assert_eq!(modes.read_only, None, "{sql}");
        }
        for sql in ["SET TRANSACTION READ ONLY", "SET transaction_read_only = on"] {
            assert!(TransactionModes::of(sql).read_only.is_some(), "{sql}");
        }
    }
}
