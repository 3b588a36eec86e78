//! The statements of a migration file, split as PostgreSQL's lexer does.
//!
//! What a file contains is decided on tokens: a `COMMIT` in a comment, a string or a function body is no `COMMIT`.

use std::ops::Range;

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

/// A token other than white space and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// Its text as written.
    pub text: &'a str,
    kind: Kind,
    /// How many parentheses are open around it.
    pub depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bare,
    Other,
}

impl Token<'_> {
    /// Whether this is the unquoted word `keyword` (given in capitals), however it is capitalised.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Bare && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it can be a name: bare or in double quotes.
    #[must_use]
    pub fn is_name(&self) -> bool {
        self.kind == Kind::Bare || self.text.starts_with('"')
    }
}

/// One statement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its bytes in the file, from its first to its last token, without the semicolon.
    pub span: Range<usize>,
    /// Its tokens.
    pub tokens: Vec<Token<'a>>,
}

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
    let mut statements = Vec::new();
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut nesting = Nesting::default();
    let mut offset = 0;
    let mut strings = StringRun::default();
    for lexed in tokenize(sql) {
        let length = usize::try_from(lexed.len).unwrap_or(usize::MAX);
        let text = &sql[offset..offset + length];
        if let Some(problem) = unreadable(lexed.kind, text) {
            return Err(Unreadable { offset, problem });
        }
        if strings.continues_escapes(lexed.kind, text) {
            return Err(Unreadable {
                offset,
                problem: "an E'…' string is continued on this line with a backslash in it; write it as one string",
            });
        }
        match lexed.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment
            | TokenKind::BlockComment { .. }
            | TokenKind::Eof => {}
            TokenKind::Semi if nesting.is_closed() => {
                finish(&mut statements, &mut tokens);
                nesting = Nesting::default();
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
                nesting.enter(&tokens, &token);
                tokens.push(token);
            }
        }
        offset += length;
    }
    finish(&mut statements, &mut tokens);
    Ok(statements)
}

fn finish<'a>(statements: &mut Vec<Statement<'a>>, tokens: &mut Vec<Token<'a>>) {
    if let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
        let span = first.offset..last.offset + last.text.len();
        statements.push(Statement {
            span,
            tokens: std::mem::take(tokens),
        });
    }
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

/// PostgreSQL goes on reading backslash escapes in the second line of
/// `E'a'` newline `'b\''`; the lexer used here does not, so the two would disagree where it ends.
#[derive(Default)]
struct StringRun {
    escape_string_open: bool,
    newline_seen: bool,
}

impl StringRun {
    fn continues_escapes(&mut self, kind: TokenKind, text: &str) -> bool {
        match kind {
            TokenKind::Whitespace | TokenKind::LineComment => {
                self.newline_seen |= text.contains(['\n', '\r']);
                false
            }
            TokenKind::Literal {
                kind: LiteralKind::EscStr { .. },
            } => {
                *self = Self {
                    escape_string_open: true,
                    newline_seen: false,
                };
                false
            }
            TokenKind::Literal {
                kind: LiteralKind::Str { .. },
            } if self.escape_string_open && self.newline_seen => {
                self.newline_seen = false;
                text.contains('\\')
            }
            _ => {
                *self = Self::default();
                false
            }
        }
    }
}

/// What has to be closed before a semicolon ends the statement: parentheses (`CREATE RULE … DO (…; …)`)
/// and the `BEGIN ATOMIC … END` body of a function, in which `CASE … END` nests.
#[derive(Default)]
struct Nesting {
    parentheses: usize,
    blocks: usize,
}

impl Nesting {
    fn is_closed(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn enter(&mut self, before: &[Token<'_>], token: &Token<'_>) {
        if token.kind == Kind::Other {
            match token.text {
                "(" => self.parentheses += 1,
                ")" => self.parentheses = self.parentheses.saturating_sub(1),
                _ => {}
            }
        } else if self.blocks > 0 {
            if token.is("CASE") {
                self.blocks += 1;
            } else if token.is("END") {
                self.blocks -= 1;
            }
        } else if token.is("ATOMIC")
            && before.last().is_some_and(|token| token.is("BEGIN"))
            && creates_routine(before)
        {
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
    fn positions_count_characters_from_one() {
        assert_eq!(line_and_column("aé\nb", 0), (1, 1));
        assert_eq!(line_and_column("aé\nbc", 5), (2, 2));
    }
}
