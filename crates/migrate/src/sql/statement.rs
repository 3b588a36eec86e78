//! The statements of a migration file, split as PostgreSQL's lexer does.
//!
//! What a file contains is decided on tokens: a `COMMIT` in a comment, a string or a function body is no `COMMIT`.

use std::ops::Range;

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

use super::copy_data::{CopyData, copies_from_client, copy_data, end_of_line};
use super::nesting::Nesting;
use super::string_run::StringRun;
use super::token::{Kind, Token};

/// One statement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its bytes in the file, from its first to its last token, without the semicolon.
    pub span: Range<usize>,
    /// Its tokens; of a longer statement the first 10,000.
    pub tokens: Vec<Token<'a>>,
    /// The lines after `COPY … FROM STDIN;`, as psql reads them.
    pub data: Option<CopyData>,
    /// Where the next statement may begin: after the semicolon, and after the data.
    pub end: usize,
}

/// How many tokens of a statement are kept. What a statement does stands in its first tokens; millions of rows may follow.
const KEPT_TOKENS: usize = 10_000;

impl Statement<'_> {
    /// Whether the statement begins with these keywords (given in capitals).
    #[must_use]
    pub fn begins_with(&self, keywords: &[&str]) -> bool {
        self.tokens.len() >= keywords.len()
            && keywords
                .iter()
                .zip(&self.tokens)
                .all(|(keyword, token)| token.is(keyword))
    }

    /// Whether the keyword occurs outside parentheses.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.tokens
            .iter()
            .any(|token| token.depth == 0 && token.is(keyword))
    }

    /// Whether the two keywords follow one another outside parentheses.
    pub(super) fn has_pair(&self, first: &str, second: &str) -> bool {
        let is_it = |pair: &[Token<'_>]| pair[0].depth == 0 && pair[0].is(first) && pair[1].is(second);
        self.tokens.windows(2).any(is_it)
    }
}

/// Text that PostgreSQL rejects too, or that it reads differently from the lexer used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// Splits `sql` at the semicolons that end statements.
///
/// # Errors
///
/// The first [`Unreadable`] place: a string or comment that is never closed would include what follows the file, and a
/// backslash outside a string is a psql command.
pub fn split(sql: &str) -> Result<Vec<Statement<'_>>, Unreadable> {
    statements(sql).collect()
}

/// The statements of `sql`, one after the other; the first [`Unreadable`] place is the last item.
///
/// Two things are for psql alone and are understood: the data lines after `COPY … FROM STDIN;`, and the commands
/// `\restrict` and `\unrestrict`, which `pg_dump` writes around its output.
pub fn statements(sql: &str) -> impl Iterator<Item = Result<Statement<'_>, Unreadable>> {
    statements_in(sql, 0..sql.len())
}

/// The statements in the bytes `part` of `sql`, as if there was nothing around them. Their places are those in `sql`.
pub fn statements_in(
    sql: &str,
    part: Range<usize>,
) -> impl Iterator<Item = Result<Statement<'_>, Unreadable>> {
    let sql = &sql[..part.end];
    let mut offset = part.start;
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let next = next_statement(sql, offset);
        match &next {
            Some(Ok(statement)) => offset = statement.end,
            Some(Err(_)) | None => is_over = true,
        }
        next
    })
}

/// The statement that begins at or after `offset`.
fn next_statement(sql: &str, mut offset: usize) -> Option<Result<Statement<'_>, Unreadable>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut last: Option<Token<'_>> = None;
    let mut nesting = Nesting::default();
    let mut strings = StringRun::default();
    let mut lexer = tokenize(&sql[offset..]);
    while let Some(lexed) = lexer.next() {
        let length = usize::try_from(lexed.len).unwrap_or(usize::MAX);
        let text = &sql[offset..offset + length];
        if tokens.is_empty() && lexed.kind == TokenKind::Unknown && is_dump_guard(sql, offset) {
            offset += end_of_line(&sql[offset..]);
            lexer = tokenize(&sql[offset..]);
            continue;
        }
        if let Some(problem) = unreadable(lexed.kind, text) {
            return Some(Err(Unreadable { offset, problem }));
        }
        if strings.continues_escapes(lexed.kind, text) {
            return Some(Err(Unreadable {
                offset,
                problem: "an E'…' string is continued on this line with a backslash in it; write it as one string",
            }));
        }
        match lexed.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment
            | TokenKind::BlockComment { .. }
            | TokenKind::Eof => {}
            TokenKind::Semi if nesting.is_closed() => {
                if let Some(first) = tokens.first() {
                    let span = first.offset..end_of(last);
                    let data = copies_from_client(&tokens).then(|| copy_data(sql, offset + length));
                    let end = data.as_ref().map_or(offset + length, |(_, end)| *end);
                    return Some(Ok(Statement {
                        span,
                        tokens,
                        data: data.map(|(data, _)| data),
                        end,
                    }));
                }
            }
            kind => {
                let kind = if kind == TokenKind::Ident {
                    Kind::Bare
                } else {
                    Kind::Other
                };
                let token = Token {
                    offset,
                    text,
                    kind,
                    depth: nesting.parentheses,
                };
                nesting.enter(&tokens, last.as_ref(), &token);
                last = Some(token);
                if tokens.len() < KEPT_TOKENS {
                    tokens.push(token);
                }
            }
        }
        offset += length;
    }
    let first = tokens.first()?.offset;
    Some(Ok(Statement {
        span: first..end_of(last),
        tokens,
        data: None,
        end: sql.len(),
    }))
}

/// Where the last token of a statement ends.
fn end_of(last: Option<Token<'_>>) -> usize {
    last.map_or(0, |token| token.offset + token.text.len())
}

/// Whether a line of `\restrict` or `\unrestrict` begins at `offset`.
fn is_dump_guard(sql: &str, offset: usize) -> bool {
    let begins_line = offset == 0 || sql[..offset].ends_with(['\n', '\u{feff}']);
    begins_line
        && ["\\restrict ", "\\unrestrict "]
            .iter()
            .any(|command| sql[offset..].starts_with(command))
}

fn unreadable(kind: TokenKind, text: &str) -> Option<&'static str> {
    use LiteralKind::{BitStr, ByteStr, DollarQuotedString, EscStr, NationalStr, Str, UnicodeEscStr};
    match kind {
        TokenKind::BlockComment { terminated: false } => Some("a comment is opened with /* and never closed"),
        TokenKind::QuotedIdent {
            terminated: false, ..
        } => Some("a name is opened with \" and never closed"),
        TokenKind::Literal {
            kind: DollarQuotedString { terminated: false },
        } => Some("a dollar-quoted string is opened and never closed"),
        TokenKind::Literal {
            kind:
                Str { terminated: false }
                | NationalStr { terminated: false }
                | ByteStr { terminated: false }
                | BitStr { terminated: false }
                | UnicodeEscStr { terminated: false }
                | EscStr { terminated: false },
        } => Some("a string is opened with ' and never closed"),
        TokenKind::Unknown if text.starts_with('\\') => {
            Some("a backslash command is for psql; the server does not know it")
        }
        _ => None,
    }
}

/// Line and column, counted from 1 in characters, of the byte `offset`.
#[must_use]
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::{line_and_column, split};

    fn spans(sql: &str) -> Vec<&str> {
        split(sql)
            .unwrap()
            .into_iter()
            .map(|statement| &sql[statement.span])
            .collect()
    }

    #[test]
    fn semicolons_in_texts_comments_and_bodies_end_nothing() {
        assert_eq!(
            spans("SELECT ';'; SELECT \";\" /* ; /* ; */ */ -- ;\n; ;"),
            ["SELECT ';'", "SELECT \";\""]
        );
        assert_eq!(
            spans("DO $x$ a; $$ ; $x$; SELECT 1"),
            ["DO $x$ a; $$ ; $x$", "SELECT 1"]
        );
        assert_eq!(
            spans("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); SELECT 3").len(),
            2
        );
        assert_eq!(
            spans("SELECT E'\\'; x'; SELECT 2"),
            ["SELECT E'\\'; x'", "SELECT 2"]
        );
    }

    #[test]
    fn a_body_in_standard_sql_is_one_statement() {
        let sql = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3";
        assert_eq!(spans(sql).len(), 2);
        assert_eq!(spans("BEGIN; ATOMIC; END"), ["BEGIN", "ATOMIC", "END"]);
        for column in [
            "a.case",
            "a.end",
            "1 AS end",
            "1 AS case",
            "CASE WHEN a.end THEN 1 END",
        ] {
            let sql = format!(
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT {column}; END; COMMIT; SELECT 1"
            );
            assert_eq!(spans(&sql).len(), 3, "{column}");
        }
    }

    #[test]
    fn what_is_never_closed_is_found() {
        for sql in [
            "SELECT 'a",
            "/* /* */",
            "SELECT \"a",
            "DO $a$ x $b$",
            "\\copy t from x",
        ] {
            assert!(split(sql).is_err(), "{sql}");
        }
        assert_eq!(split("SELECT E'a'\n'b\\''; COMMIT; --'").unwrap_err().offset, 12);
    }

    #[test]
    fn what_pg_dump_writes_for_psql_is_understood() {
        let sql = "\\restrict aB\nCOPY public.t (a, b) FROM stdin; -- why\n1\t';\n\\.\n\nSELECT 2;\n\\unrestrict aB\n";
        let found = split(sql).unwrap();
        assert_eq!(found.len(), 2);
        let data = found[0].data.clone().unwrap();
        assert_eq!((&sql[data.lines], data.is_closed), ("1\t';\n", true));
        assert_eq!(&sql[found[1].span.clone()], "SELECT 2");
        let open = "COPY t FROM STDIN;\nSELECT 1;\n";
        let data = split(open).unwrap()[0].data.clone().unwrap();
        assert_eq!((&open[data.lines], data.is_closed), ("SELECT 1;\n", false));
        assert!(split("SELECT 1; \\restrict a").is_err());
        assert!(split("COPY t FROM 'file'; SELECT 1").unwrap()[0].data.is_none());
    }

    #[test]
    fn of_a_long_statement_the_first_tokens_are_kept() {
        let sql = format!("INSERT INTO t VALUES (1){}; SELECT 1", ", (1)".repeat(100_000));
        let found = split(&sql).unwrap();
        assert_eq!((found.len(), found[0].tokens.len()), (2, super::KEPT_TOKENS));
        assert_eq!(found[0].span.end, sql.find(';').unwrap());
        for padding in 0..4 {
            let body = format!("SELECT 1{};", " + 1".repeat(5_000 + padding));
            let sql = format!(
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC {body} SELECT a.end AS end FROM a; END; COMMIT;"
            );
            assert_eq!(split(&sql).unwrap().len(), 2, "{padding}");
        }
    }

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(line_and_column("aé\nb", 0), (1, 1));
        assert_eq!(line_and_column("aé\nbc", 5), (2, 2));
    }
}
