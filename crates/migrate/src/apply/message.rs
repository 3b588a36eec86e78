//! One message to the server: statements of ours, pieces of migration files among them, and what the server's errors mean.

use std::borrow::Cow;
use std::ops::Range;

use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{AttemptError, is_transient};

use super::failure::{Failure, ROW_MISSING, TRANSACTION_ENDED};
use super::rejection::{Place, Site};
use crate::ledger::{LOCK_TAKEN, Ledger};
use crate::source::Migration;
use crate::sql::statements;
use crate::watch::LONG_RUNNING_TRANSACTION;

/// The complaint of the server if the history table has changed since it was read.
pub(crate) const HISTORY_CHANGED: &str = "zerostarter-db: the history table has changed";

/// The statements of one message, on behalf of a migration.
pub(crate) struct Message<'m> {
    ledger: Ledger,
    file: &'m Migration,
    /// Whether a piece of the file was sent before.
    is_continued: bool,
    /// Whether the server counts positions in bytes.
    counts_bytes: bool,
    text: Cow<'m, str>,
    statements: usize,
    pieces: Vec<SentPiece<'m>>,
}

/// A piece of a migration file inside a message.
struct SentPiece<'m> {
    file: &'m Migration,
    /// Where it begins in the message, in bytes.
    start: usize,
    /// Its bytes in the file.
    span: Range<usize>,
    /// How many statements of the message precede it.
    statements_before: usize,
}

impl<'m> Message<'m> {
    /// A message without statements.
    pub(crate) fn new(connection: &Connection, ledger: Ledger, file: &'m Migration) -> Self {
        Self {
            ledger,
            file,
            is_continued: false,
            counts_bytes: connection.counts_bytes(),
            text: Cow::Borrowed(""),
            statements: 0,
            pieces: Vec::new(),
        }
    }

    /// An empty message that follows this one.
    pub(crate) fn following(&self) -> Self {
        Self {
            is_continued: self.is_continued || !self.pieces.is_empty(),
            text: Cow::Borrowed(""),
            statements: 0,
            pieces: Vec::new(),
            ..*self
        }
    }

    /// The SQL.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Adds statements of ours.
    pub(crate) fn push_all(&mut self, statements: impl IntoIterator<Item = String>) {
        for statement in statements {
            let text = self.text.to_mut();
            text.push_str(&statement);
            text.push_str(";\n");
            self.statements += 1;
        }
    }

    /// Begins the part of another migration of the same transaction.
    pub(crate) fn begin_file(&mut self, file: &'m Migration) {
        self.file = file;
        self.is_continued = false;
    }

    /// Notes that a piece of the file was sent in another message.
    pub(crate) fn continue_file(&mut self) {
        self.is_continued = true;
    }

    /// Adds the bytes `span` of `sql`, the text of the migration, with `count` statements. A line break and a semicolon
    /// follow, because its last line may be a comment.
    pub(crate) fn push_piece(&mut self, sql: &str, span: Range<usize>, count: usize) {
        let piece = self.piece(span.clone());
        self.pieces.push(piece);
        self.statements += count;
        let text = self.text.to_mut();
        text.push_str(&sql[span]);
        text.push_str("\n;\n");
    }

    /// Makes the bytes `span` of `sql` the whole message, without a copy.
    pub(crate) fn set_piece(&mut self, sql: &'m str, span: Range<usize>) {
        let piece = self.piece(span.clone());
        self.pieces.push(piece);
        self.text = Cow::Borrowed(&sql[span]);
    }

    fn piece(&self, span: Range<usize>) -> SentPiece<'m> {
        SentPiece {
            file: self.file,
            start: self.text.len(),
            span,
            statements_before: self.statements,
        }
    }

    /// Adds the comment `tag`, which identifies the session of a non-transactional migration.
    pub(crate) fn push_tag(&mut self, tag: &str) {
        self.text.to_mut().push_str(tag);
    }

    /// The meaning of an error after `completed` statements.
    pub(crate) fn failure(&self, error: tokio_postgres::Error, completed: usize) -> Failure {
        // A full disk or too little memory ends a statement with an error, which a retry would meet again. Only an error
        // that ends the connection is a lost connection. A connection pooler may leave the severity out.
        let ends_the_connection = error
            .as_db_error()
            .and_then(DbError::parsed_severity)
            .is_none_or(|severity| matches!(severity, Severity::Fatal | Severity::Panic));
        if ends_the_connection && is_transient(&error) {
            return Failure::Lost(AttemptError::Postgres(error));
        }
        let Some(answer) = error.as_db_error() else {
            return Failure::Driver(error);
        };
        let complains = |complaint| {
            *answer.code() == SqlState::INVALID_TEXT_REPRESENTATION && answer.message().contains(complaint)
        };
        if complains(LOCK_TAKEN) {
            return Failure::LockTaken;
        }
        if complains(HISTORY_CHANGED) {
            return Failure::HistoryChanged;
        }
        if complains(LONG_RUNNING_TRANSACTION) {
            let file = self.pieces.first().map_or(self.file, |piece| piece.file);
            return Failure::BehindLongRunning(file.label.clone());
        }
        // A tool that takes no lock, such as refinery's CLI, created the table or the row at the same time.
        let is_duplicate = [
            SqlState::DUPLICATE_TABLE,
            SqlState::DUPLICATE_SCHEMA,
            SqlState::DUPLICATE_COLUMN,
            SqlState::UNIQUE_VIOLATION,
        ]
        .contains(answer.code());
        let precedes_the_file = !self.is_continued
            && self
                .pieces
                .first()
                .is_none_or(|piece| completed < piece.statements_before);
        if is_duplicate && (precedes_the_file || answer.table() == Some(self.ledger.table())) {
            return Failure::HistoryChanged;
        }
        let (file, site) = if complains(TRANSACTION_ENDED) || complains(ROW_MISSING) {
            let mut before = self.pieces.iter().rev();
            let piece = before.find(|piece| piece.statements_before <= completed);
            (piece.map_or(self.file, |piece| piece.file), Site::Commit)
        } else {
            self.site(answer, completed)
        };
        Failure::rejected(file, site, answer)
    }

    /// The place of the error: the position that the server reports, else the beginning of the statement that did not
    /// complete.
    fn site(&self, answer: &DbError, completed: usize) -> (&'m Migration, Site) {
        let piece_and_offset = match answer.position() {
            Some(ErrorPosition::Original(position)) => {
                let byte = self.byte_of(*position);
                let piece = self.pieces.iter().rfind(|piece| piece.start <= byte);
                piece.map(|piece| {
                    let offset = byte - piece.start;
                    // The server finds an incomplete statement at our semicolon after the file.
                    (piece, (offset <= piece.span.len() + 1).then_some(offset))
                })
            }
            _ if *answer.code() == SqlState::UNTRANSLATABLE_CHARACTER && completed == 0 => {
                self.find_untranslatable(answer.message())
            }
            _ => {
                let reached = |piece: &&SentPiece<'_>| piece.statements_before <= completed;
                let piece = self.pieces.iter().rfind(reached);
                piece.map(|piece| {
                    let nth = completed - piece.statements_before;
                    let found = statements(self.text_of(piece)).map_while(Result::ok).nth(nth);
                    (piece, found.map(|statement| statement.span.start))
                })
            }
        };
        match piece_and_offset {
            Some((piece, Some(offset))) => {
                let offset = piece.span.start + offset.min(self.text_of(piece).trim_end().len());
                let place = piece.file.sql().ok().map(|sql| Place::new(&sql, offset));
                (piece.file, place.map_or(Site::Commit, Site::File))
            }
            Some((piece, None)) => (piece.file, Site::Commit),
            None if self.is_continued => (self.file, Site::Commit),
            None => (
                self.pieces.first().map_or(self.file, |piece| piece.file),
                Site::Preparation,
            ),
        }
    }

    /// Whether `failure` of the first statement, which is one of ours, has no place: the server parses a whole message first.
    pub(super) fn is_unplaced(&self, failure: &Failure) -> bool {
        let is_ours = self
            .pieces
            .first()
            .is_some_and(|piece| piece.statements_before > 0);
        is_ours && matches!(failure, Failure::Rejected(rejection) if !matches!(rejection.site, Site::File(_)))
    }

    /// The statements of migration files in this message: their bytes in it.
    pub(super) fn statements_of_files(&self) -> Vec<Range<usize>> {
        let of_piece = |piece: &SentPiece<'_>| {
            let start = piece.start;
            let found = statements(self.text_of(piece)).map_while(Result::ok);
            let spans: Vec<_> = found
                .map(|statement| start + statement.span.start..start + statement.span.end)
                .collect();
            spans
        };
        self.pieces.iter().flat_map(of_piece).collect()
    }

    /// The place of a byte in the piece that has it.
    pub(super) fn place_of(&self, byte: usize) -> Option<(&'m Migration, Site)> {
        let piece = self.pieces.iter().rfind(|piece| piece.start <= byte)?;
        let sql = piece.file.sql().ok()?;
        let place = Place::new(&sql, piece.span.start + byte - piece.start);
        Some((piece.file, Site::File(place)))
    }

    fn text_of(&self, piece: &SentPiece<'_>) -> &str {
        &self.text[piece.start..piece.start + piece.span.len()]
    }

    /// The byte of a position, which counts from 1, in characters of the server's encoding.
    fn byte_of(&self, position: u32) -> usize {
        let position = usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1);
        if self.counts_bytes {
            return (position.min(self.text.len())..=self.text.len())
                .find(|byte| self.text.is_char_boundary(*byte))
                .unwrap_or_default();
        }
        self.text
            .char_indices()
            .nth(position)
            .map_or(self.text.len(), |(byte, _)| byte)
    }

    /// The place of a character that the database's encoding does not have. The server finds it before the first statement,
    /// and names its bytes: `0xe2 0x82 0xac`.
    fn find_untranslatable(&self, message: &str) -> Option<(&SentPiece<'m>, Option<usize>)> {
        let bytes = message
            .split_whitespace()
            .filter_map(|word| u8::from_str_radix(word.strip_prefix("0x")?, 16).ok());
        let character = String::from_utf8(bytes.collect())
            .ok()
            .filter(|text| !text.is_empty())?;
        self.pieces
            .iter()
            .find_map(|piece| Some((piece, Some(self.text_of(piece).find(&character)?))))
    }
}

/// The error of the server in the data lines of a COPY, or in the statement itself.
pub(crate) fn copy_failure(
    message: &Message<'_>,
    error: tokio_postgres::Error,
    sql: &str,
    lines: &Range<usize>,
) -> Failure {
    let failure = message.failure(error, 0);
    let Failure::Rejected(mut rejection) = failure else {
        return failure;
    };
    if let Some(place) = rejection
        .context
        .as_deref()
        .and_then(|context| place_in_data(sql, lines, context))
    {
        rejection.site = Site::File(place);
    }
    Failure::Rejected(rejection)
}

/// The place that the server's context names: `COPY t, line 3, column b: "x"`, in whatever language.
fn place_in_data(sql: &str, lines: &Range<usize>, context: &str) -> Option<Place> {
    let (_, rest) = context.lines().next()?.strip_prefix("COPY ")?.split_once(", ")?;
    let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    let number: usize = digits.parse().ok()?;
    let data = &sql[lines.clone()];
    let line = data.split_inclusive('\n').nth(number.checked_sub(1)?)?;
    let line_start = line.as_ptr().addr() - data.as_ptr().addr();
    let value = rest
        .split_once(": \"")
        .map(|(_, value)| value.trim_end_matches('"').trim_end_matches("..."));
    let column = value.and_then(|value| line.find(value)).unwrap_or_default();
    Some(Place::new(sql, lines.start + line_start + column))
}
