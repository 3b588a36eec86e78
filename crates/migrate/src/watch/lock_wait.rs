//! A migration that waits for a lock.

use std::fmt;
use std::time::Duration;

use zerostarter_connect::Connection;
use zerostarter_connect::quote::literal;

use super::blocker::{Blocker, columns, join, read_blocker};
use super::catalog_query::{rows, seconds, text};

/// A migration that waits for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockWait {
    /// When the wait began, as the server writes it.
    pub(crate) since: String,
    /// How long it has lasted.
    pub(crate) waited: Duration,
    /// The table, if it is a table's lock.
    pub(crate) relation: Option<String>,
    /// Whether it waits for the end of a transaction.
    pub(crate) is_for_transaction: bool,
    /// The sessions that hold the lock, or wait for it ahead of us.
    pub(crate) blockers: Vec<Blocker>,
}

impl fmt::Display for LockWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.relation {
            Some(relation) => write!(f, "a lock on {relation}")?,
            None if self.is_for_transaction => f.write_str("a transaction to end")?,
            None => f.write_str("a lock")?,
        }
        write!(f, ", blocked by: {}", join(&self.blockers))
    }
}

/// The lock wait of the session that holds `mine`, if it waits.
pub(crate) async fn find_wait(
    connection: &Connection,
    mine: &str,
) -> Result<Option<LockWait>, tokio_postgres::Error> {
    let rows = rows(
        connection,
        &format!(
            "SELECT awaited.waitstart, \
             pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - awaited.waitstart), \
             awaited.relation::pg_catalog.regclass, awaited.locktype, blocker.pid, {columns} \
             FROM pg_catalog.pg_locks AS mine \
             JOIN pg_catalog.pg_locks AS awaited ON awaited.pid = mine.pid AND NOT awaited.granted \
             CROSS JOIN LATERAL (SELECT DISTINCT pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(mine.pid)) AS pid) AS blocker \
             LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = blocker.pid \
             WHERE {mine} AND awaited.waitstart IS NOT NULL ORDER BY b.xact_start, blocker.pid",
            columns = columns(),
        ),
    )
    .await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(LockWait {
        since: text(first, 0).unwrap_or_default(),
        waited: seconds(first, 1).unwrap_or_default(),
        relation: text(first, 2),
        is_for_transaction: ["virtualxid", "transactionid"]
            .iter()
            .any(|kind| first.get(3) == Some(kind)),
        blockers: rows.iter().map(|row| read_blocker(row, 4)).collect(),
    }))
}

/// Cancels the statement of the session that holds `mine`, if it still waits as `wait` says: meanwhile the server process
/// could be working for another client of a connection pooler.
pub(crate) async fn cancel(
    connection: &Connection,
    mine: &str,
    wait: &LockWait,
) -> Result<bool, tokio_postgres::Error> {
    let rows = rows(
        connection,
        &format!(
            "SELECT pg_catalog.pg_cancel_backend(awaited.pid) FROM pg_catalog.pg_locks AS mine \
             JOIN pg_catalog.pg_locks AS awaited ON awaited.pid = mine.pid AND NOT awaited.granted \
             WHERE {mine} AND awaited.waitstart = {}",
            literal(&wait.since)
        ),
    )
    .await?;
    Ok(!rows.is_empty())
}
