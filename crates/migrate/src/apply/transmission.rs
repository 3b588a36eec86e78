//! The transmission of a migration's transaction: as one message if it is small, else as several, one after the other.

use std::io::{self, Cursor};
use std::ops::Range;
use std::pin::pin;

use futures_util::{SinkExt as _, TryStreamExt as _};
use tokio_postgres::SimpleQueryMessage;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::AttemptError;

use super::failure::Failure;
use super::message::{Message, copy_failure};
use super::parse_error;
use super::script::check_transaction;
use crate::ledger::{CONFIRMATION, Ledger};
use crate::source::Migration;
use crate::sql::{PIECE_SIZE, Piece};

/// How many bytes of the data lines of a COPY are sent at once.
const DATA_BLOCK: usize = 64 * 1024;

/// What the server confirms: the first columns of a row that begins with [`CONFIRMATION`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// Mostly the version that was committed.
    pub(crate) value: Option<String>,
    /// The first schema of the search path that the next session begins with.
    pub(crate) current_schema: Option<String>,
}

/// The part of one migration in a transaction.
pub(crate) struct Part<'p> {
    pub(crate) migration: &'p Migration,
    /// Statements of the file that are repeated before the pieces: bytes of its text.
    pub(crate) settings: &'p [Range<usize>],
    pub(crate) pieces: &'p [Piece],
    /// What records it.
    pub(crate) record: Vec<String>,
    /// What follows if another part does.
    pub(crate) between: Vec<String>,
}

/// Sends a transaction, and returns what the server confirms after the commit.
pub(crate) async fn transmit<'p>(
    connection: &Connection,
    ledger: Ledger,
    opening: Vec<String>,
    parts: impl IntoIterator<Item = Part<'p>>,
    closing: Vec<String>,
) -> Result<Option<Confirmation>, Failure> {
    let mut parts = parts.into_iter().peekable();
    let Some(first) = parts.peek() else {
        return Ok(None);
    };
    let mut message = Message::new(connection, ledger, first.migration);
    message.push_all(opening);
    if !connection.reads_backslashes_literally() {
        // The server parses a whole message before it runs the first statement, so the setting that changes how it parses
        // strings needs a message before.
        message = send(connection, message).await?;
    }
    while let Some(part) = parts.next() {
        message.begin_file(part.migration);
        message = send_pieces(connection, message, &part).await?;
        message.push_all(part.record);
        if parts.peek().is_some() {
            message.push_all(part.between);
            if message.text().len() > PIECE_SIZE {
                message = send(connection, message).await?;
            }
        }
    }
    message.push_all(closing);
    confirmation(connection, &message).await
}

/// Sends the pieces of a part, up to the last, which stays in the message that is returned.
async fn send_pieces<'m>(
    connection: &Connection,
    mut message: Message<'m>,
    part: &Part<'m>,
) -> Result<Message<'m>, Failure> {
    let sql = part.migration.sql().map_err(Failure::fatal)?;
    for setting in part.settings {
        message.push_piece(&sql, setting.clone(), 1);
    }
    let mut is_continued = false;
    for piece in part.pieces {
        let exceeds = message.text().len() + piece.message_size() > PIECE_SIZE;
        if is_continued && (exceeds || matches!(piece, Piece::Copy { .. })) {
            message = send_checked(connection, message).await?;
        }
        match piece {
            Piece::Statements { span, .. } if span.len() > PIECE_SIZE => {
                message = send(connection, message).await?;
                let mut whole = message.following();
                whole.set_piece(&sql, span.clone());
                confirmation(connection, &whole).await?;
                message.continue_file();
                message.push_all([check_transaction()]);
            }
            Piece::Statements { span, count } => message.push_piece(&sql, span.clone(), *count),
            Piece::Copy { statement, lines } => {
                message = send(connection, message).await?;
                copy(connection, &message, &sql, statement, lines).await?;
                message.continue_file();
                message.push_all([check_transaction()]);
            }
        }
        is_continued = true;
    }
    Ok(message)
}

/// Sends `message`, and begins the one that follows with a check: what this one has ended must not go on outside a
/// transaction.
async fn send_checked<'m>(connection: &Connection, message: Message<'m>) -> Result<Message<'m>, Failure> {
    let mut next = send(connection, message).await?;
    next.push_all([check_transaction()]);
    Ok(next)
}

/// Sends `message`, and returns the one that follows.
async fn send<'m>(connection: &Connection, message: Message<'m>) -> Result<Message<'m>, Failure> {
    if !message.text().is_empty() {
        confirmation(connection, &message).await?;
    }
    Ok(message.following())
}

/// Sends the statement and the data lines of a COPY.
async fn copy(
    connection: &Connection,
    before: &Message<'_>,
    sql: &str,
    statement: &Range<usize>,
    lines: &Range<usize>,
) -> Result<(), Failure> {
    let mut message = before.following();
    message.set_piece(sql, statement.clone());
    let outcome = async {
        let mut sink = pin!(connection.client().copy_in(message.text()).await?);
        for block in sql.as_bytes()[lines.clone()].chunks(DATA_BLOCK) {
            // The sink closes when the server has refused a line; the end of the COPY returns that error.
            if sink.send(Cursor::new(block.to_vec())).await.is_err() {
                break;
            }
        }
        sink.finish().await
    };
    match outcome.await {
        Ok(_) => Ok(()),
        Err(error) => Err(copy_failure(&message, error, sql, lines)),
    }
}

/// Sends a message, and returns what the server confirms.
pub(crate) async fn confirmation(
    connection: &Connection,
    message: &Message<'_>,
) -> Result<Option<Confirmation>, Failure> {
    let mut completed = 0;
    let mut confirmed = None;
    let answers = if message.text().len() > PIECE_SIZE {
        connection.large_query(message.text().to_owned()).await
    } else {
        let answers = connection.client().simple_query_raw(message.text()).await;
        answers.map_err(AttemptError::Postgres)
    };
    let mut answers = pin!(answers.map_err(|error| match error {
        AttemptError::Postgres(error) => message.failure(error, 0),
        error => Failure::Lost(error),
    })?);
    loop {
        match answers.try_next().await {
            Ok(Some(SimpleQueryMessage::CommandComplete(_))) => completed += 1,
            Ok(Some(SimpleQueryMessage::Row(row)))
                if row
                    .columns()
                    .first()
                    .is_some_and(|column| column.name() == CONFIRMATION) =>
            {
                let text = |column| row.try_get(column).ok().flatten().map(str::to_owned);
                confirmed = Some(Confirmation {
                    value: text(0),
                    current_schema: text(1),
                });
            }
            // The rows of a migration's own SELECT.
            Ok(Some(_)) => {}
            Ok(None) if connection.keeps_large_query() => {
                let unsent = io::Error::other("the driver did not send the statements");
                return Err(Failure::Lost(AttemptError::Io("sending a migration", unsent)));
            }
            Ok(None) => return Ok(confirmed),
            Err(error) => {
                let failure = message.failure(error, completed);
                return Err(if completed == 0 && message.is_unplaced(&failure) {
                    parse_error::placed(connection, message, failure).await
                } else {
                    failure
                });
            }
        }
    }
}

/// Sends statements of ours on behalf of a migration.
pub(crate) async fn ask(
    connection: &Connection,
    ledger: Ledger,
    file: &Migration,
    statements: Vec<String>,
) -> Result<Option<Confirmation>, Failure> {
    let mut message = Message::new(connection, ledger, file);
    message.push_all(statements);
    confirmation(connection, &message).await
}
