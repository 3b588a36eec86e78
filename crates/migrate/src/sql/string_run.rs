//! Strings that go on in the next line.

use squawk_lexer::{LiteralKind, TokenKind};

/// PostgreSQL goes on reading backslash escapes in the second line of
/// `E'a'` newline `'b\''`; the lexer used here does not, so the two would disagree where it ends.
#[derive(Default)]
pub(super) struct StringRun {
    escape_string_open: bool,
    newline_seen: bool,
}

impl StringRun {
    /// Whether the string `text` continues one with escapes, and has a backslash.
    pub(super) fn continues_escapes(&mut self, kind: TokenKind, text: &str) -> bool {
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
