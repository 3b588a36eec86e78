//! Long-running transactions on the tables that a migration locks.
//!
//! A statement that waits for an ACCESS EXCLUSIVE lock blocks every later statement on that table. Behind a transaction
//! that is already older than the lock budget the wait would most likely be in vain, so the migration does not queue.

use std::time::Duration;

use zerostarter_connect::Connection;
use zerostarter_connect::search_path::{LEAVE, enter};
use zerostarter_diagnostic::duration::millis;

use super::blocker::{columns, read_blocker};
use super::catalog_query::{rows_with, text};
use super::lock_wait::LockWait;
use super::locked_relations::{borrowed, captures, locked_relations};
use crate::ledger::raise_unless;
use crate::sql::LockedTables;

/// The complaint of the server if there is a long-running transaction.
pub(crate) const LONG_RUNNING_TRANSACTION: &str = "zerostarter-db: a long-running transaction holds the lock";

/// Statements that raise if a transaction older than `age` holds a lock that conflicts with the locks on `tables`, and on
/// what is locked along with them; none without tables.
pub(crate) fn raise_if_long_running(tables: &LockedTables, age: Duration) -> Vec<String> {
    let Some(found) = locks_of_long_running(tables, age, "") else {
        return Vec::new();
    };
    let captures = captures(tables);
    let [keep, safe] = enter(&borrowed(&captures));
    let raise = raise_unless(&format!("NOT EXISTS (SELECT {found})"), LONG_RUNNING_TRANSACTION);
    vec![keep, safe, raise, LEAVE.to_owned()]
}

/// The oldest of these transactions and its lock.
pub(crate) async fn find_long_running(
    connection: &Connection,
    tables: &LockedTables,
    age: Duration,
) -> Result<Option<LockWait>, tokio_postgres::Error> {
    let beside = "LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = locked.pid";
    let Some(found) = locks_of_long_running(tables, age, beside) else {
        return Ok(None);
    };
    let captures = captures(tables);
    let found = rows_with(
        connection,
        &borrowed(&captures),
        &format!(
            "SELECT locked.relation::pg_catalog.regclass, locked.pid, {} {found} \
             ORDER BY a.xact_start NULLS FIRST, locked.pid LIMIT 1",
            columns()
        ),
    )
    .await?;
    Ok(found.first().map(|row| LockWait {
        since: String::new(),
        waited: Duration::ZERO,
        relation: text(row, 0),
        is_for_transaction: false,
        blockers: vec![read_blocker(row, 1)],
    }))
}

/// `FROM` and `WHERE` of a query for these transactions. It calls the functions behind the views: for a new server
/// process, planning the views costs more than running them. The age of a session that our role may not see is NULL.
/// Autovacuum cancels itself when another session queues.
fn locks_of_long_running(tables: &LockedTables, age: Duration, beside: &str) -> Option<String> {
    let relations = locked_relations(tables)?;
    Some(format!(
        "FROM ({relations}) AS named (relation, level) \
         JOIN pg_catalog.pg_lock_status() AS locked ON locked.granted AND locked.relation IN (named.relation, \
           (SELECT i.indrelid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = named.relation)) \
           AND (named.level = 2 OR locked.mode NOT IN ('AccessShareLock', 'RowShareLock')) \
         LEFT JOIN pg_catalog.pg_stat_get_activity(NULL) AS a ON a.pid = locked.pid {beside} \
         WHERE locked.pid IS NULL OR (locked.pid <> pg_catalog.pg_backend_pid() \
           AND a.backend_type <> 'autovacuum worker' \
           AND a.xact_start < pg_catalog.clock_timestamp() - CAST('{age} ms' AS interval))",
        age = millis(age),
    ))
}
