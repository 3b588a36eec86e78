//! Reads `.env` files.
//!
//! The file belongs to the application, so it is read as Bun and Docker Compose read it, line by line: what cannot be read
//! spoils neither the lines after it nor the run. The crate dotenvy stops at the first such line, knows no `${X:-default}`,
//! and refuses spaces in a value without quotes.

use std::collections::BTreeMap;

/// What a file has.
#[derive(Debug, Default)]
pub(crate) struct Dotenv {
    /// The variables. Of two lines with one name, the later counts.
    pub(crate) values: BTreeMap<String, String>,
    /// The lines that cannot be read.
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A line that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Counted from 1.
    pub(crate) line: usize,
    /// The word at its beginning, which may be a name.
    pub(crate) name: String,
    /// What is wrong. Never the line itself, which may hold a password.
    pub(crate) reason: &'static str,
}

const NO_PAIR: &str = "cannot be read as NAME=value";
const OPEN_QUOTE: &str = "has a quote that is not closed";
const AFTER_QUOTE: &str = "has text after its closing quote";
const SUBSTITUTION: &str = "has a substitution other than ${X}, ${X-default} and ${X:-default}";
const NOT_UTF8: &str = "is not UTF-8";

/// Returns the value of a variable.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a file. In a substitution, variables of `above` win over those of the file, and these over those of `below`.
pub(crate) fn read(bytes: &[u8], above: Lookup<'_>, below: Lookup<'_>) -> Dotenv {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut found = Dotenv::default();
    let mut line = 1;
    while !rest.is_empty() {
        let first = rest.split('\n').next().unwrap_or_default();
        let mut length = first.len();
        let pair = first.trim_start();
        if !pair.is_empty() && !pair.starts_with('#') {
            let exported = pair
                .strip_prefix("export")
                .filter(|rest| rest.starts_with([' ', '\t']));
            let pair = exported.unwrap_or(pair).trim_start();
            let end = pair.find(|c: char| !is_in_name(c)).unwrap_or(pair.len());
            let (name, after) = pair.split_at(end);
            let value_at = |after: &str| length - after.len();
            let known = |name: &str| {
                let of_file = || found.values.get(name).cloned();
                above(name).or_else(of_file).or_else(|| below(name))
            };
            let read = match separator(after) {
                Some(value) if !name.is_empty() => read_value(&rest[value_at(value)..], &known)
                    .map(|(text, used)| (text, value_at(value) + used)),
                _ => Err(NO_PAIR),
            };
            match read {
                Ok((text, _)) if text.contains(char::REPLACEMENT_CHARACTER) => {
                    found.note(line, name, NOT_UTF8);
                }
                Ok((text, used)) => {
                    length = used;
                    found.values.insert(name.to_owned(), text);
                }
                Err(reason) => found.note(line, name, reason),
            }
        }
        line += 1 + rest[..length].matches('\n').count();
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    found
}

impl Dotenv {
    fn note(&mut self, line: usize, name: &str, reason: &'static str) {
        self.unreadable.push(Unreadable {
            line,
            name: name.to_owned(),
            reason,
        });
    }
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// What follows `=`, or a colon and a space, as in YAML.
fn separator(after_name: &str) -> Option<&str> {
    let after = after_name.trim_start();
    let after_colon = || {
        after
            .strip_prefix(':')
            .filter(|rest| rest.starts_with([' ', '\t']))
    };
    after.strip_prefix('=').or_else(after_colon)
}

/// The value at the beginning of `text`, and how much of `text` it takes, up to the end of its last line.
fn read_value(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<(String, usize), &'static str> {
    let value = text.trim_start_matches([' ', '\t']);
    let indent = text.len() - value.len();
    let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |length| from + length);
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
        let used = line_end(0);
        let line = &text[..used];
        // In a value, such as that of a URL, a # without a space before it begins no comment.
        let comment = line
            .match_indices('#')
            .find(|(at, _)| line[..*at].ends_with([' ', '\t']));
        let bare = comment.map_or(line, |(at, _)| &line[..at]).trim();
        return Ok((substitute(bare, false, lookup)?, used));
    };
    let mut is_escaped = false;
    let closing = value[1..].find(|c| {
        let is_closing = c == quote && !is_escaped;
        is_escaped = c == '\\' && quote == '"' && !is_escaped;
        is_closing
    });
    let inner = &value[1..=closing.ok_or(OPEN_QUOTE)?];
    let after = indent + inner.len() + 2;
    let used = line_end(after);
    let behind = text[after..used].trim_start();
    if !(behind.is_empty() || behind.starts_with('#')) {
        return Err(AFTER_QUOTE);
    }
    let value = if quote == '"' {
        substitute(inner, true, lookup)?
    } else {
        inner.to_owned()
    };
    Ok((value, used))
}

/// Replaces `$X` and `${X}`, and between double quotes also `\n` and the like.
fn substitute(text: &str, in_quotes: bool, lookup: Lookup<'_>) -> Result<String, &'static str> {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['$', '\\']) {
        done.push_str(&rest[..at]);
        let special = &rest[at..];
        let next = special[1..].chars().next();
        let (replacement, length) = if special.starts_with('\\') {
            match next {
                Some('$') => ("$".to_owned(), 2),
                Some('n') if in_quotes => ("\n".to_owned(), 2),
                Some('r') if in_quotes => ("\r".to_owned(), 2),
                Some('t') if in_quotes => ("\t".to_owned(), 2),
                Some(c @ ('"' | '\\')) if in_quotes => (c.to_string(), 2),
                _ => ("\\".to_owned(), 1),
            }
        } else if next == Some('{') {
            let end = closing_brace(special).ok_or(SUBSTITUTION)?;
            (braced(&special[2..end], in_quotes, lookup)?, end + 1)
        } else {
            let name = variable_name(&special[1..]);
            let value = (!name.is_empty()).then(|| lookup(name).unwrap_or_default());
            (value.unwrap_or_else(|| "$".to_owned()), 1 + name.len())
        };
        done.push_str(&replacement);
        rest = &special[length..];
    }
    done.push_str(rest);
    Ok(done)
}

/// The value of what stands between the braces of `${X:-default}`.
fn braced(inner: &str, in_quotes: bool, lookup: Lookup<'_>) -> Result<String, &'static str> {
    let name = variable_name(inner);
    let value = lookup(name);
    match &inner[name.len()..] {
        _ if name.is_empty() => Err(SUBSTITUTION),
        "" => Ok(value.unwrap_or_default()),
        rest => {
            let (value, default) = match rest.strip_prefix(":-") {
                Some(default) => (value.filter(|value| !value.is_empty()), default),
                None => (value, rest.strip_prefix('-').ok_or(SUBSTITUTION)?),
            };
            value.map_or_else(|| substitute(default, in_quotes, lookup), Ok)
        }
    }
}

fn variable_name(text: &str) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        ""
    } else {
        &text[..end]
    }
}

/// Where the brace of a `${` at the beginning is closed. A default may have braces of its own.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{AFTER_QUOTE, Dotenv, NO_PAIR, NOT_UTF8, OPEN_QUOTE, SUBSTITUTION};

    fn read(bytes: &[u8]) -> Dotenv {
        let lookup = |known, text: &'static str| move |name: &str| (name == known).then(|| text.to_owned());
        super::read(bytes, &lookup("SHELL_VARIABLE", "shell"), &lookup("BASE", "base"))
    }

    /// Bun 1.4 and Docker Compose 2.26 read the same, except where a comment says otherwise.
    #[test]
    fn values_are_read() {
        for (line, value) in [
            ("X=1", "1"),
            ("X=My App", "My App"),
            ("X = spaced  ", "spaced"),
            ("\tX=tab\tinside\t", "tab\tinside"),
            ("export X=1", "1"),
            ("export\t X=1", "1"),
            ("export=1\nX=$export", "1"),
            ("X: yaml", "yaml"),
            ("X=", ""),
            ("X=a=b=c", "a=b=c"),
            ("X=it's", "it's"),
            ("X={\"a\":1,\"b\":\"x y\"}", "{\"a\":1,\"b\":\"x y\"}"),
            ("X='{\"a\": \"#1\"}' # a comment", "{\"a\": \"#1\"}"),
            ("X=a #b", "a"),
            ("X= # only a comment", ""),
            // Bun ends the value here.
            ("X=a#b", "a#b"),
            ("X=\"a # b\"", "a # b"),
            ("X=\"a\\nb\\t\\\"c\\\" \\\\ \\$X\"", "a\nb\t\"c\" \\ $X"),
            ("X=a\\nb", "a\\nb"),
            ("X='a\\nb $SHELL_VARIABLE'", "a\\nb $SHELL_VARIABLE"),
            // Compose knows no backticks.
            ("X=`a \"b\" 'c'`", "a \"b\" 'c'"),
            ("X=\"one\ntwo\"", "one\ntwo"),
            ("X=\"one\r\ntwo\"\r", "one\ntwo"),
            ("X=$SHELL_VARIABLE", "shell"),
            ("X=\"<${SHELL_VARIABLE}>\"", "<shell>"),
            ("X=${NOSUCH}y$NOSUCH z", "y z"),
            ("X=${NOSUCH:-default}", "default"),
            ("X=${NOSUCH-${NOSUCH:-inner}}", "inner"),
            ("X=${SHELL_VARIABLE:-default}", "shell"),
            ("EMPTY=\nX=${EMPTY:-default}", "default"),
            ("EMPTY=\nX=${EMPTY-default}", ""),
            ("A=1\nX=${A}2", "12"),
            ("SHELL_VARIABLE=file\nX=$SHELL_VARIABLE", "shell"),
            ("X=$BASE", "base"),
            ("BASE=file\nX=$BASE", "file"),
            ("X=costs 5$ or \\$5", "costs 5$ or $5"),
            ("X=1\nX=2", "2"),
            ("X=1\nX=", ""),
            ("\u{feff}X=1", "1"),
            ("# X=2\n\n  # X=3\nX=1\n#", "1"),
            ("X=1\r\n", "1"),
            ("FOO-BAR=1\nA.B=2\n1C=3\nX=1", "1"),
        ] {
            let found = read(line.as_bytes());
            assert_eq!(found.values.get("X").map(String::as_str), Some(value), "{line:?}");
            assert!(found.unreadable.is_empty(), "{line:?}: {found:?}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_spoils_nothing_else() {
        for (line, name, reason) in [
            ("NAME", "NAME", NO_PAIR),
            ("TWO WORDS=1", "TWO", NO_PAIR),
            ("=1", "", NO_PAIR),
            ("}", "", NO_PAIR),
            ("NAME:1", "NAME", NO_PAIR),
            ("NAME=\"open", "NAME", OPEN_QUOTE),
            ("NAME='open", "NAME", OPEN_QUOTE),
            ("NAME=\"a\\\"", "NAME", OPEN_QUOTE),
            ("NAME=\"a\"b", "NAME", AFTER_QUOTE),
            ("NAME=${X", "NAME", SUBSTITUTION),
            ("NAME=${X:?}", "NAME", SUBSTITUTION),
            ("NAME=${}", "NAME", SUBSTITUTION),
        ] {
            let file = format!("A=1\n\n{line}\nX=2\n");
            let found = read(file.as_bytes());
            assert_eq!(found.values.get("X").map(String::as_str), Some("2"), "{line}");
            let [unreadable] = &found.unreadable[..] else {
                panic!("{line}: {found:?}");
            };
            assert_eq!(
                (unreadable.line, &*unreadable.name, unreadable.reason),
                (3, name, reason),
                "{line}"
            );
        }
        let quoted = read(b"A=\"open\nX=\"2\"\nB=\"1\n2\"\nC\n");
        assert_eq!(quoted.values.get("X").map(String::as_str), Some("2"));
        let lines: Vec<_> = quoted.unreadable.iter().map(|it| it.line).collect();
        assert_eq!(lines, [1, 5]);
        let latin1 = read(b"# caf\xe9\nA=caf\xe9\nX=2\n");
        assert_eq!(latin1.values.get("X").map(String::as_str), Some("2"));
        assert_eq!(latin1.unreadable[0].reason, NOT_UTF8);
    }
}
