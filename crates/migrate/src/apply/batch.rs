//! A batch: the statements of one message to the server, and what the server's errors mean.

use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};
use zerostarter_connect::attempt::{AttemptError, is_transient};

use super::failure::Failure;
use super::rejection::{Place, Rejection, Site};
use crate::ledger::{LOCK_TAKEN, Ledger};
use crate::source::Migration;
use crate::sql::split;
use crate::watch::LONG_RUNNING_TRANSACTION;

/// The complaint of the server if the history table has changed since it was read.
pub(crate) const HISTORY_CHANGED: &str = "zerostarter-db: the history table has changed";
/// The complaint of the server if the migration has ended our transaction.
pub(crate) const TRANSACTION_ENDED: &str = "zerostarter-db: the migration ended its transaction";

/// The statements of one message, and the places of migration files among them.
pub(crate) struct Batch<'a> {
    ledger: Ledger,
    pub(crate) text: String,
    parts: Vec<Part<'a>>,
}

/// A migration file inside a batch.
struct Part<'a> {
    file: &'a Migration,
    /// Where it begins, in bytes.
    start: usize,
    /// How many statements precede it.
    statements_before: usize,
}

impl<'a> Batch<'a> {
    /// Each migration with the statements before it, and the statements after the last. A line break and a semicolon follow
    /// each file, because its last line may be a comment.
    pub(crate) fn new(ledger: Ledger, files: &[(&'a Migration, Vec<String>)], closing: &[String]) -> Self {
        let mut text = String::new();
        let mut parts: Vec<Part<'a>> = Vec::new();
        for (file, ahead) in files {
            let statements_before = parts.last().map_or(0, |last| {
                let statements = split(last.file.sql()).unwrap_or_default();
                last.statements_before + statements.len()
            });
            text.push_str(&ahead.join(";\n"));
            text.push_str(";\n");
            parts.push(Part {
                file,
                start: text.len(),
                statements_before: statements_before + ahead.len(),
            });
            text.push_str(file.sql());
            text.push_str("\n;\n");
        }
        text.push_str(&closing.join(";\n"));
        Self { ledger, text, parts }
    }

    /// A non-transactional migration, after the comment `tag`.
    pub(crate) fn non_transactional(ledger: Ledger, file: &'a Migration, tag: &str) -> Self {
        let part = Part {
            file,
            start: tag.len(),
            statements_before: 0,
        };
        Self {
            ledger,
            text: format!("{tag}{}", file.sql()),
            parts: vec![part],
        }
    }

    /// Statements of ours on behalf of a migration, whose file is not among them.
    pub(crate) fn around(ledger: Ledger, file: &'a Migration, statements: &str) -> Self {
        let part = Part {
            file,
            start: usize::MAX,
            statements_before: usize::MAX,
        };
        Self {
            ledger,
            text: statements.to_owned(),
            parts: vec![part],
        }
    }

    fn first(&self) -> &Part<'a> {
        self.parts.first().expect("a batch has a migration")
    }

    pub(crate) fn preamble(&self) -> &str {
        &self.text[..self.first().start]
    }

    pub(crate) fn drop_preamble(&mut self) {
        let (bytes, statements) = (self.first().start, self.first().statements_before);
        self.text.drain(..bytes);
        for part in &mut self.parts {
            part.start -= bytes;
            part.statements_before -= statements;
        }
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
        if *answer.code() == SqlState::INVALID_TEXT_REPRESENTATION && answer.message().contains(LOCK_TAKEN) {
            return Failure::LockTaken;
        }
        if *answer.code() == SqlState::INVALID_TEXT_REPRESENTATION
            && answer.message().contains(HISTORY_CHANGED)
        {
            return Failure::HistoryChanged;
        }
        if *answer.code() == SqlState::INVALID_TEXT_REPRESENTATION
            && answer.message().contains(LONG_RUNNING_TRANSACTION)
        {
            return Failure::BehindLongRunning(self.first().file.label.clone());
        }
        // A tool that takes no lock, such as refinery's CLI, created the table or the row at the same time.
        let is_duplicate = [SqlState::DUPLICATE_TABLE, SqlState::UNIQUE_VIOLATION].contains(answer.code());
        if is_duplicate
            && (completed < self.first().statements_before || answer.table() == Some(self.ledger.table()))
        {
            return Failure::HistoryChanged;
        }
        Failure::Rejected(Box::new(self.rejection(answer, completed)))
    }

    fn rejection(&self, answer: &DbError, completed: usize) -> Rejection {
        let message = if answer.message().contains(TRANSACTION_ENDED) {
            "the migration ended its transaction"
        } else {
            answer.message()
        };
        let (file, site) = self.site(answer, completed);
        Rejection {
            label: file.label.clone(),
            path: file.path.clone(),
            site,
            sql_state: answer.code().clone(),
            message: message.to_owned(),
            detail: answer.detail().map(str::to_owned),
            hint: answer.hint().map(str::to_owned),
            context: answer.where_().map(str::to_owned),
            leftovers: None,
        }
    }

    /// The place of the error: the position that the server reports, else the beginning of the statement that did not
    /// complete.
    fn site(&self, answer: &DbError, completed: usize) -> (&Migration, Site) {
        let first = self.first();
        if let Some(ErrorPosition::Original(position)) = answer.position() {
            let character = usize::try_from(*position).unwrap_or(usize::MAX).saturating_sub(1);
            let byte = self
                .text
                .char_indices()
                .nth(character)
                .map_or(self.text.len(), |(byte, _)| byte);
            let Some(part) = self.parts.iter().rfind(|part| part.start <= byte) else {
                return (first.file, Site::Preparation);
            };
            let (sql, offset) = (part.file.sql(), byte - part.start);
            // The server finds an incomplete statement at our semicolon after the file.
            let site = if offset <= sql.len() + 1 {
                Site::File(Place::new(sql, offset.min(sql.trim_end().len())))
            } else {
                Site::Commit
            };
            return (part.file, site);
        }
        let reached = |part: &&Part<'_>| part.statements_before <= completed;
        let Some(part) = self.parts.iter().rfind(reached) else {
            return (first.file, Site::Preparation);
        };
        let sql = part.file.sql();
        let statements = split(sql).unwrap_or_default();
        let site = statements
            .get(completed - part.statements_before)
            .map_or(Site::Commit, |statement| {
                Site::File(Place::new(sql, statement.span.start))
            });
        (part.file, site)
    }
}
