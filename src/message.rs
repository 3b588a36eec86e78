//! What is sent for one migration, and what the server's answer means.

use std::time::Duration;

use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

use crate::attempt::{AttemptError, is_transient};
use crate::blocker::Blocker;
use crate::error::Error;
use crate::history::HISTORY_TABLE;
use crate::lock::LOCK_TAKEN;
use crate::queue::OLD_TRANSACTION;
use crate::source::SourceFile;
use crate::statement::{line_and_column, split};

/// What PostgreSQL is made to complain about when the history has changed since it was read.
pub(crate) const HISTORY_MOVED: &str = "zerostarter-db: the history is not what it was";
/// What it is made to complain about when the file has ended our transaction.
pub(crate) const TRANSACTION_LEFT: &str = "zerostarter-db: the migration left its transaction";

/// Why a migration was not applied. In every case nothing of it remains.
#[derive(Debug)]
pub enum SessionError {
    /// Another migrator is at work.
    LockTaken,
    /// Somebody else has changed the history since it was read.
    HistoryMoved,
    /// The connection is gone; whether the migration was committed is for the history to say.
    Lost(AttemptError),
    /// This migration would have queued behind a transaction that is older than `MIGRATE_LOCK_BUDGET`.
    BehindOld(String),
    /// The server rejected something in the file.
    Rejected(Box<Rejection>),
    /// This migration waited for locks, this long in all, until `MIGRATE_LOCK_BUDGET` was used up.
    OverBudget(String, Duration),
    /// Somebody else is at what the migration does, or an earlier try of it is not dead yet.
    Occupied(Box<Blocker>),
    /// The run is being stopped; this migration was not begun.
    Stopped,
    /// There is nothing to be gained by another try.
    Fatal(Box<Error>),
    /// The driver could not make sense of an answer.
    Driver(tokio_postgres::Error),
    /// The server said that all is well, but the history row is not there.
    Unconfirmed(String),
}

impl SessionError {
    /// A failure of something that does nothing by itself.
    pub(crate) fn of_the_connection(error: tokio_postgres::Error) -> Self {
        if is_transient(&error) {
            Self::Lost(AttemptError::Postgres(error))
        } else {
            Self::Driver(error)
        }
    }
}

/// What the server said about a statement of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The migration.
    pub stem: String,
    /// What was being run.
    pub site: Site,
    /// The file.
    pub path: String,
    /// The class of the error.
    pub sql_state: SqlState,
    /// What happened.
    pub message: String,
    /// The server's DETAIL.
    pub detail: Option<String>,
    /// The server's HINT.
    pub hint: Option<String>,
    /// The server's CONTEXT, such as the line of a function.
    pub context: Option<String>,
    /// What remains of a statement that ran outside a transaction; `None` where everything was rolled back.
    pub remains: Option<String>,
}

/// The part of a migration's transaction that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// What comes before the file: settings, the role, the history table.
    Preparation,
    /// The file, at this place.
    File(Place),
    /// What comes after the file: the history row, deferred constraints, the commit.
    Commit,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// The line's text.
    pub text: String,
}

/// What is sent for the migrations of one transaction, and where in it their files lie.
pub(crate) struct Message<'a> {
    pub(crate) text: String,
    parts: Vec<Part<'a>>,
}

/// A file inside a message.
struct Part<'a> {
    file: &'a SourceFile,
    /// Where it begins, in bytes.
    start: usize,
    /// How many statements of the message come before it.
    statements_before: usize,
}

impl<'a> Message<'a> {
    /// Each file with the statements that go ahead of it, and those after the last. A file ends in a line and a
    /// semicolon of ours: its own last line may be a comment.
    pub(crate) fn new(files: &[(&'a SourceFile, Vec<String>)], closing: &[String]) -> Self {
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
        Self { text, parts }
    }

    /// The statement of a file that runs outside a transaction, with a comment of ours in front of it.
    pub(crate) fn alone(file: &'a SourceFile, tag: &str) -> Self {
        let part = Part {
            file,
            start: tag.len(),
            statements_before: 0,
        };
        Self {
            text: format!("{tag}{}", file.sql()),
            parts: vec![part],
        }
    }

    /// Statements of ours on behalf of a file, which is not among them.
    pub(crate) fn around(file: &'a SourceFile, statements: &str) -> Self {
        let part = Part {
            file,
            start: usize::MAX,
            statements_before: usize::MAX,
        };
        Self {
            text: statements.to_owned(),
            parts: vec![part],
        }
    }

    fn first(&self) -> &Part<'a> {
        self.parts.first().expect("a message has a file")
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

    /// What an error means that came after `completed` statements of the message.
    pub(crate) fn failure(&self, error: tokio_postgres::Error, completed: usize) -> SessionError {
        // A full disk or too little memory ends a statement with an error: a verdict on the file, which the next
        // try would meet again. Only what ends the connection is a loss. A pooler may leave the field out.
        let ends_the_connection = error
            .as_db_error()
            .and_then(DbError::parsed_severity)
            .is_none_or(|severity| matches!(severity, Severity::Fatal | Severity::Panic));
        if ends_the_connection && is_transient(&error) {
            return SessionError::Lost(AttemptError::Postgres(error));
        }
        let Some(answer) = error.as_db_error() else {
            return SessionError::Driver(error);
        };
        if *answer.code() == SqlState::INVALID_TEXT_REPRESENTATION && answer.message().contains(LOCK_TAKEN) {
            return SessionError::LockTaken;
        }
        if *answer.code() == SqlState::INVALID_TEXT_REPRESENTATION && answer.message().contains(HISTORY_MOVED)
        {
            return SessionError::HistoryMoved;
        }
        if *answer.code() == SqlState::INVALID_TEXT_REPRESENTATION
            && answer.message().contains(OLD_TRANSACTION)
        {
            return SessionError::BehindOld(self.first().file.stem.clone());
        }
        // A tool that takes no lock, such as refinery's own, created the table or the row at the same moment.
        let is_duplicate = [SqlState::DUPLICATE_TABLE, SqlState::UNIQUE_VIOLATION].contains(answer.code());
        if is_duplicate
            && (completed < self.first().statements_before || answer.table() == Some(HISTORY_TABLE))
        {
            return SessionError::HistoryMoved;
        }
        SessionError::Rejected(Box::new(self.rejection(answer, completed)))
    }

    fn rejection(&self, answer: &DbError, completed: usize) -> Rejection {
        let message = if answer.message().contains(TRANSACTION_LEFT) {
            "the migration left its transaction"
        } else {
            answer.message()
        };
        let (file, site) = self.site(answer, completed);
        Rejection {
            stem: file.stem.clone(),
            path: file.path.clone(),
            site,
            sql_state: answer.code().clone(),
            message: message.to_owned(),
            detail: answer.detail().map(str::to_owned),
            hint: answer.hint().map(str::to_owned),
            context: answer.where_().map(str::to_owned),
            remains: None,
        }
    }

    /// Where the error lies: where the server says so, or else at the beginning of the statement that did
    /// not complete.
    fn site(&self, answer: &DbError, completed: usize) -> (&SourceFile, Site) {
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
            // A statement that breaks off is noticed at the semicolon of ours that follows the file.
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

impl Place {
    fn new(sql: &str, offset: usize) -> Self {
        let (line, column) = line_and_column(sql, offset);
        let text = sql.lines().nth(line - 1).unwrap_or_default().to_owned();
        Self { line, column, text }
    }
}
