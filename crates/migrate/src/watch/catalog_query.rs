//! Queries of the system catalogs, in the safe search path.

use std::time::Duration;

use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};
use zerostarter_connect::Connection;
use zerostarter_connect::search_path::{SAFE, capture, is_captured};

/// Precedes every query, so that defaults of the database and the role have no effect.
const PREAMBLE: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY;\n\
     SET LOCAL statement_timeout = 0;\n\
     SET LOCAL lock_timeout = 0;\n\
     SET LOCAL exit_on_error = off;\n\
     SET LOCAL DateStyle = 'ISO';\n\
     SET LOCAL TimeZone = 'UTC';\n";

/// The rows of a query.
pub(crate) async fn rows(
    connection: &Connection,
    query: &str,
) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    rows_with(connection, &[], query).await
}

/// The rows of a query that uses values which depend on the search path of the session: `values` are captured for it.
pub(crate) async fn rows_with(
    connection: &Connection,
    values: &[(&str, &str)],
    query: &str,
) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    let capture = if values.is_empty() {
        String::new()
    } else {
        format!("{};\n", capture(values))
    };
    let text = format!("{PREAMBLE}{capture}{SAFE};\n{query}");
    Ok(result_rows(connection.client().simple_query(&text).await?))
}

/// The rows among messages, without those of captured values.
pub(crate) fn result_rows(messages: Vec<SimpleQueryMessage>) -> Vec<SimpleQueryRow> {
    messages
        .into_iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) if !is_captured(&row) => Some(row),
            _ => None,
        })
        .collect()
}

pub(crate) fn text(row: &SimpleQueryRow, column: usize) -> Option<String> {
    row.try_get(column).ok().flatten().map(str::to_owned)
}

pub(crate) fn seconds(row: &SimpleQueryRow, column: usize) -> Option<Duration> {
    let seconds: f64 = row.try_get(column).ok().flatten()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}
