//! The data lines after `COPY … FROM STDIN;`, as psql reads them.

use std::ops::Range;

use squawk_lexer::{TokenKind, tokenize};

use super::token::Token;

/// The data lines of a `COPY … FROM STDIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyData {
    /// Their bytes in the file, with the last line break.
    pub lines: Range<usize>,
    /// Whether the line `\.` ends them; otherwise they reach to the end of the file.
    pub is_closed: bool,
    /// Whether something other than a comment stands between the semicolon and the data.
    pub is_preceded: bool,
}

/// How many bytes are left in the line, with its line break.
pub(super) fn end_of_line(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |newline| newline + 1)
}

/// The data lines after the line of `after_semicolon`, and where they and their end mark end.
pub(super) fn copy_data(sql: &str, after_semicolon: usize) -> (CopyData, usize) {
    let start = after_semicolon + end_of_line(&sql[after_semicolon..]);
    let is_preceded = tokenize(&sql[after_semicolon..start])
        .any(|token| !matches!(token.kind, TokenKind::Whitespace | TokenKind::LineComment));
    let mut offset = start;
    while offset < sql.len() {
        let length = end_of_line(&sql[offset..]);
        if sql[offset..offset + length].trim_end_matches(['\n', '\r']) == "\\." {
            let data = CopyData {
                lines: start..offset,
                is_closed: true,
                is_preceded,
            };
            return (data, offset + length);
        }
        offset += length;
    }
    let data = CopyData {
        lines: start..sql.len(),
        is_closed: false,
        is_preceded,
    };
    (data, sql.len())
}

/// Whether this is a `COPY … FROM STDIN`. The server takes both words for either direction.
pub(super) fn copies_from_client(tokens: &[Token<'_>]) -> bool {
    let outside = || tokens.iter().filter(|token| token.depth == 0);
    tokens.first().is_some_and(|token| token.is("COPY"))
        && outside()
            .zip(outside().skip(1))
            .any(|(direction, end)| direction.is("FROM") && (end.is("STDIN") || end.is("STDOUT")))
}
