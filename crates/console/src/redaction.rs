//! Removes secrets from everything that a program prints.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_settings::Secret;

/// Secrets shorter than this are words like `app`: redacting them would make the log unreadable and hide nothing. No
/// message contains a password to begin with; redaction is the second line of defence.
const SHORTEST_REDACTED: usize = 6;

/// What stands for the rest of a text that was cut, perhaps inside a secret.
const CUT: char = '…';

/// `text` without the parts of `secret` that end or begin where the text was cut.
fn without_parts(text: &str, secret: &str) -> String {
    let long_enough = |part: &&str| part.len() >= SHORTEST_REDACTED / 2;
    let offsets = || secret.char_indices().map(|(offset, _)| offset);
    let beginnings = || {
        offsets()
            .rev()
            .map(|offset| &secret[..offset])
            .filter(long_enough)
    };
    let ends = || {
        offsets()
            .skip(1)
            .map(|offset| &secret[offset..])
            .filter(long_enough)
    };
    let mut pieces: Vec<String> = text.split(CUT).map(str::to_owned).collect();
    for index in 1..pieces.len() {
        if let Some(part) = beginnings().find(|part| pieces[index - 1].ends_with(part)) {
            let kept = pieces[index - 1].len() - part.len();
            pieces[index - 1].replace_range(kept.., "***");
        }
        if let Some(part) = ends().find(|part| pieces[index].starts_with(part)) {
            pieces[index].replace_range(..part.len(), "***");
        }
    }
    pieces.join(&CUT.to_string())
}

/// The secrets of this process, as a server or a file may repeat them.
#[derive(Clone, Default)]
pub(crate) struct Redaction(Arc<Mutex<Vec<String>>>);

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").finish_non_exhaustive()
    }
}

impl Redaction {
    /// Hides `secret` from now on.
    pub(crate) fn hide(&self, secret: &Secret) {
        let secret = secret.expose();
        if secret.len() < SHORTEST_REDACTED {
            return;
        }
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.push(secret.to_owned());
        if secret.contains('\'') {
            secrets.push(secret.replace('\'', "''")); // in SQL
        }
        if escaped(secret) != secret {
            secrets.push(escaped(secret));
        }
    }

    /// `text` without the secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = secrets
            .iter()
            .fold(text.to_owned(), |text, secret| without(&text, secret));
        if whole.contains(CUT) {
            secrets
                .iter()
                .fold(whole, |text, secret| without_parts(&text, secret))
        } else {
            whole
        }
    }

    /// A JSON value without the secrets. Inside the value, not in the serialised line: a password of quotes or brackets
    /// must not break the JSON.
    pub(crate) fn redact_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.redact(&text).into(),
            Value::Array(values) => values.into_iter().map(|value| self.redact_value(value)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (name, self.redact_value(value)))
                .collect(),
            value => value,
        }
    }
}

/// `text` without `secret`, whichever of its bytes are percent-encoded: programs differ in what they encode, and in the case
/// of the digits.
fn without(text: &str, secret: &str) -> String {
    let mut redacted = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = length_of(secret, rest.as_bytes()) {
            redacted.push_str("***");
            rest = &rest[length..];
        } else {
            redacted.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    redacted
}

/// How many bytes at the beginning of `text` are `secret`, if they are.
fn length_of(secret: &str, text: &[u8]) -> Option<usize> {
    let mut length = 0;
    for byte in secret.bytes() {
        let rest = &text[length..];
        length += match rest {
            [b'%', high, low, ..] if hexadecimal(*high, *low) == Some(u32::from(byte)) => 3,
            [b'+', ..] if byte == b' ' => 1,
            [raw, ..] if *raw == byte => 1,
            _ => return None,
        };
    }
    Some(length)
}

fn hexadecimal(high: u8, low: u8) -> Option<u32> {
    let digit = |byte| char::from(byte).to_digit(16);
    Some(digit(high)? * 16 + digit(low)?)
}

#[cfg(test)]
mod tests {
    use zerostarter_settings::Secret;

    use super::Redaction;

    #[test]
    fn a_secret_that_was_cut_is_redacted_too() {
        let redaction = Redaction::default();
        redaction.hide(&Secret::new("correct-horse"));
        for (text, expected) in [
            ("a correct-horse b", "a *** b"),
            ("a correct-ho… b", "a ***… b"),
            ("a …rect-horse b", "a …*** b"),
            ("cor…rse", "***…***"),
            ("the co… se", "the co… se"),
        ] {
            assert_eq!(redaction.redact(text), expected);
        }
    }

    #[test]
    fn a_secret_is_hidden_however_much_of_it_is_encoded() {
        let redaction = Redaction::default();
        redaction.hide(&Secret::new("p/W d%41'ü"));
        for text in [
            "p/W d%41'ü",
            "p%2fW%20d%2541%27%c3%bc",
            "p%2FW+d%2541''%C3%BC",
            "%70%2F%57%20%64%25%34%31%27%C3%BC",
        ] {
            assert_eq!(redaction.redact(&format!("a {text} é")), "a *** é", "{text}");
        }
        for text in ["p/W d%42'ü", "p/W d%4", "", "%", "p%2", "é%é"] {
            assert_eq!(redaction.redact(text), text);
        }
    }
}
