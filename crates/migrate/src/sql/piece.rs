//! A part of a migration file that is sent without a break.

use std::ops::Range;

use super::copy_data::CopyData;
use super::statement::Statement;

/// How long a piece becomes before the next statement begins a new one, in bytes. The server holds the parse trees of a
/// whole message in memory, and this process holds the message besides the file.
pub(crate) const PIECE_SIZE: usize = 1 << 20;

/// A part of a file that is sent without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Statements, with what stands between them.
    Statements {
        /// Their bytes in the file.
        span: Range<usize>,
        /// How many they are.
        count: usize,
    },
    /// A `COPY … FROM STDIN`.
    Copy {
        /// The bytes of the statement in the file, without the semicolon.
        statement: Range<usize>,
        /// The bytes of the data lines.
        lines: Range<usize>,
    },
}

impl Piece {
    /// How many bytes are sent.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Statements { span, .. } => span.len(),
            Self::Copy { statement, lines } => statement.len() + lines.len(),
        }
    }

    /// How many bytes its largest message has.
    #[must_use]
    pub fn message_size(&self) -> usize {
        match self {
            Self::Statements { span, .. } => span.len(),
            Self::Copy { statement, .. } => statement.len(),
        }
    }
}

/// Adds `statement` of the text `sql` to `pieces`: to the last one, if it `continues` that one and nothing between the two
/// must stay behind.
pub(super) fn add_statement(pieces: &mut Vec<Piece>, statement: &Statement<'_>, sql: &str, continues: bool) {
    if let Some(CopyData { lines, .. }) = &statement.data {
        pieces.push(Piece::Copy {
            statement: statement.span.clone(),
            lines: lines.clone(),
        });
        return;
    }
    // The file's own semicolons are sent, so that the server finds an incomplete statement where it ends.
    let end = sql[..statement.end].trim_end().len().max(statement.span.end);
    if continues
        && let Some(Piece::Statements { span, count }) = pieces.last_mut()
        && span.len() + statement.span.len() <= PIECE_SIZE
        && is_sendable(&sql[span.end..statement.span.start])
    {
        span.end = end;
        *count += 1;
    } else {
        pieces.push(Piece::Statements {
            span: statement.span.start..end,
            count: 1,
        });
    }
}

/// Whether the text between two statements has nothing but white space and comments, and no line for psql.
fn is_sendable(between: &str) -> bool {
    !between.lines().any(|line| line.starts_with('\\'))
}
