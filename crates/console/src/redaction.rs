//! Removes secrets from everything that a program prints.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_settings::Secret;

/// Secrets shorter than this are words like `app`: redacting them would make the log unreadable and hide nothing. No
/// message contains a password to begin with; redaction is the second line of defence.
const SHORTEST_REDACTED: usize = 6;

/// What JavaScript's `encodeURIComponent` encodes: the usual way of a password into a URL.
const URI_COMPONENT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

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

/// The secrets of this process, in the encodings in which a server or a file may repeat them.
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
        let encoded = |set| percent_encoding::utf8_percent_encode(secret, set).to_string();
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.extend([
            secret.to_owned(),
            encoded(percent_encoding::NON_ALPHANUMERIC),
            encoded(URI_COMPONENT),
            secret.replace('\'', "''"), // in SQL
            escaped(secret),
        ]);
        // Most passwords are the same in all of these, and every text is searched for each.
        secrets.sort();
        secrets.dedup();
    }

    /// `text` without the secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
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

#[cfg(test)]
mod tests {
    use super::{Redaction, Secret};

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
}
