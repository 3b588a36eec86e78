//! The place of an error for which the server reports none, raised while it parsed a message and before it ran a statement.

use std::ops::Range;

use tokio_postgres::error::SqlState;
use zerostarter_connect::Connection;

use super::failure::Failure;
use super::message::Message;

/// Begins a transaction that has failed. The server still parses what it gets there, and runs nothing of it.
const FAILED_TRANSACTION: &str = "SELECT CAST('zerostarter-db: only to parse' AS integer)";

/// Precedes what is parsed: it fails before anything that follows could run, such as a `ROLLBACK`.
const PRECEDING: &str = "SELECT 1;\n";

/// `failure`, with the place of the first statement that the server cannot parse. It takes one round trip for each halving of
/// the number of statements.
pub(super) async fn placed(connection: &Connection, message: &Message<'_>, failure: Failure) -> Failure {
    let Failure::Rejected(mut rejection) = failure else {
        return failure;
    };
    let statements = message.statements_of_files();
    if let Some(statement) =
        first_unparsable(connection, message.text(), &statements, &rejection.sql_state).await
        && let Some((file, site)) = message.place_of(statements[statement].start)
    {
        rejection.label.clone_from(&file.label);
        rejection.path.clone_from(&file.path);
        rejection.site = site;
    }
    Failure::Rejected(rejection)
}

/// The number of the first of `statements`, which are bytes of `text`, that the server refuses with `code`.
async fn first_unparsable(
    connection: &Connection,
    text: &str,
    statements: &[Range<usize>],
    code: &SqlState,
) -> Option<usize> {
    let start = statements.first()?.start;
    let client = connection.client();
    client.batch_execute("ROLLBACK; BEGIN").await.ok()?;
    if !connection.reads_backslashes_literally() {
        client
            .batch_execute("SET LOCAL standard_conforming_strings = on")
            .await
            .ok()?;
    }
    client.batch_execute(FAILED_TRANSACTION).await.err()?;
    // The first `low` statements parse; the first `high` do not.
    let (mut low, mut high) = (0, statements.len() + 1);
    while low + 1 < high {
        let middle = usize::midpoint(low, high);
        let parsed = format!("{PRECEDING}{}", &text[start..statements[middle - 1].end]);
        let answer = client.batch_execute(&parsed).await.err()?;
        if *answer.code()? == SqlState::IN_FAILED_SQL_TRANSACTION {
            low = middle;
        } else if answer.code()? == code {
            high = middle;
        } else {
            return None;
        }
    }
    (high <= statements.len()).then(|| high - 1)
}
