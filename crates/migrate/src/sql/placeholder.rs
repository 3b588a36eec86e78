//! `${name}`, which Flyway replaces with a value.

use super::statement::Statement;
use super::token::Token;

/// A placeholder in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// As it is written: `${name}`.
    pub text: &'a str,
    /// Whether it is a part of a string or a quoted name, where it may be meant as it stands. Elsewhere it is a syntax error.
    pub is_quoted: bool,
}

/// The placeholders of `statement`, which stands in `sql`. Those in comments do not count.
#[must_use]
pub fn placeholders<'a>(sql: &'a str, statement: &Statement<'a>) -> Vec<Placeholder<'a>> {
    let mut found = Vec::new();
    for token in &statement.tokens {
        // The dollar sign may belong to the name before it.
        let is_bare = token.text.starts_with('{') && sql[..token.offset].ends_with('$');
        let (at, is_quoted) = if is_bare {
            (Some(token.offset - 1), false)
        } else {
            (in_quotes(token).map(|at| token.offset + at), true)
        };
        let placeholder = at.and_then(|offset| Some((offset, name_and_braces(&sql[offset..])?)));
        if let Some((offset, text)) = placeholder {
            found.push(Placeholder {
                offset,
                text,
                is_quoted,
            });
        }
    }
    found
}

/// Where the first placeholder of a string or quoted name begins.
fn in_quotes(token: &Token<'_>) -> Option<usize> {
    let starts = token.text.match_indices("${").map(|(at, _)| at);
    let mut starts = starts.filter(|_| token.text.contains(['\'', '"', '$']));
    starts.find(|at| name_and_braces(&token.text[*at..]).is_some())
}

/// `${name}` at the beginning of `text`. Flyway's own have a colon in them.
fn name_and_braces(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("${")?;
    let end = inside.find('}')?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    (end > 0 && inside[..end].chars().all(is_name)).then(|| &text[..end + 3])
}

#[cfg(test)]
mod tests {
    use super::placeholders;
    use crate::sql::split;

    #[test]
    fn placeholders_stand_outside_comments() {
        for (sql, expected) in [
            ("CREATE TABLE ${schema}.t (id int)", vec![("${schema}", false)]),
            ("SELECT 1 FROM a${b}", vec![("${b}", false)]),
            ("SELECT ${flyway:timestamp}", vec![("${flyway:timestamp}", false)]),
            ("GRANT ALL ON t TO \"${user-name}\"", vec![("${user-name}", true)]),
            ("SELECT '${a}', E'${b}'", vec![("${a}", true), ("${b}", true)]),
            ("DO $$ BEGIN PERFORM '${a}'; END $$", vec![("${a}", true)]),
            (
                "SELECT '$', '{a}', $1, '${}', '${a b}' -- ${c}\n /* ${d} */",
                vec![],
            ),
        ] {
            let statement = split(sql).unwrap().remove(0);
            let found = placeholders(sql, &statement);
            let found: Vec<_> = found.iter().map(|found| (found.text, found.is_quoted)).collect();
            assert_eq!(found, expected, "{sql}");
        }
    }
}
