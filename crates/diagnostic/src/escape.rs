//! Characters of foreign texts that must not reach a log as they are.

use std::fmt::Write as _;

/// Whether `c` could begin a line, control a terminal, or show what follows in another order. A tab does not.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` on one line: with `\n` and `\u{202e}` in place of such characters.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// `json` with `\u202e` in place of such characters, which mean the same. Line breaks between its values stay.
#[must_use]
pub fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) && c != '\n' {
            // All of them are in the basic multilingual plane.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{escaped, escaped_json};

    #[test]
    fn what_could_forge_a_line_is_escaped() {
        assert_eq!(escaped("a\tb\nc\r\u{1b}[2J"), "a\tb\\nc\\r\\u{1b}[2J");
        assert_eq!(
            escaped("\u{85}\u{2028}\u{202e}\u{2066}\u{7f}"),
            "\\u{85}\\u{2028}\\u{202e}\\u{2066}\\u{7f}"
        );
        assert_eq!(escaped("größe 数 🦀 \\n"), "größe 数 🦀 \\n");
        assert_eq!(
            escaped_json("{\n\"a\": \"\u{202e}\u{85}ü\"}"),
            "{\n\"a\": \"\\u202e\\u0085ü\"}"
        );
    }
}
