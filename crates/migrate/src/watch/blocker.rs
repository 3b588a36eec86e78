//! Blockers: the sessions that hold a lock which a migration, or another migrator, waits for.

use std::fmt;
use std::time::Duration;

use tokio_postgres::SimpleQueryRow;
use zerostarter_connect::Connection;
use zerostarter_connect::quote::literal;
use zerostarter_connect::search_path::{captured, captured_oid, relation};
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_diagnostic::excerpt::shortened;

use super::catalog_query::{rows, rows_with, seconds, text};
use crate::ledger::{Ledger, advisory_key, steps_key};

/// How many characters of a blocker's query the server sends. An excerpt of them is shown.
const SENT_CHARACTERS: u16 = 1000;

/// A session that holds a lock, as far as our role may see it: without `pg_read_all_stats` a role sees neither state, age
/// nor query of other roles' sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// Its server process; `None` for a prepared transaction, which has none.
    pub pid: Option<u32>,
    application: Option<String>,
    user: Option<String>,
    client: Option<String>,
    state: Option<String>,
    transaction_age: Option<Duration>,
    query: Option<String>,
}

impl Blocker {
    /// Whether our role may not see its state, age and query.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.pid.is_some() && self.state.is_none()
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(pid) = self.pid else {
            return f.write_str("a prepared transaction (see pg_prepared_xacts)");
        };
        write!(f, "pid {pid}")?;
        let age = self
            .transaction_age
            .map(|age| format!("transaction open for {}", in_seconds(age)));
        let facts = [
            self.application
                .as_ref()
                .map(|name| format!("application {name}")),
            self.user.as_ref().map(|name| format!("user {name}")),
            self.client.as_ref().map(|address| format!("from {address}")),
            self.state.clone(),
            age,
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        self.query
            .as_ref()
            .map_or(Ok(()), |query| write!(f, ", last statement: {query}"))
    }
}

/// Blockers in one line.
pub(crate) fn join(blockers: &[Blocker]) -> String {
    let texts: Vec<String> = blockers.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// The advisory lock of the migrator that works on the history table in `schema`, as a condition on `pg_locks AS mine`.
/// Behind a connection pooler nothing else identifies the server process that works for us.
pub(crate) fn migrators_lock(ledger: Ledger, schema: &str) -> String {
    advisory_lock(advisory_key(ledger, schema))
}

/// The advisory lock of the worker's transaction.
pub(crate) fn steps_lock(ledger: Ledger, schema: &str) -> String {
    advisory_lock(steps_key(ledger, schema))
}

fn advisory_lock(key: i64) -> String {
    let key = key.cast_unsigned();
    format!(
        "mine.locktype = 'advisory' AND mine.granted AND mine.objsubid = 1 \
         AND mine.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
         AND mine.classid = {} AND mine.objid = {}",
        key >> 32,
        key & 0xFFFF_FFFF
    )
}

/// The columns of a blocker, of `pg_stat_activity AS b`, with `pid` in front of them.
pub(crate) fn columns() -> String {
    format!(
        "NULLIF(b.application_name, ''), b.usename, b.client_addr, b.state, \
         pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - b.xact_start), \
         pg_catalog.left(pg_catalog.regexp_replace(b.query, '\\s+', ' ', 'g'), {SENT_CHARACTERS})"
    )
}

/// The session that holds the migrators' lock for the history table in `schema`.
pub(crate) async fn find_holder(
    connection: &Connection,
    ledger: Ledger,
    schema: &str,
) -> Result<Option<Blocker>, tokio_postgres::Error> {
    let mine = migrators_lock(ledger, schema);
    let rows = rows(
        connection,
        &format!(
            "SELECT mine.pid, {} FROM pg_catalog.pg_locks AS mine \
             LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = mine.pid WHERE {mine}",
            columns()
        ),
    )
    .await?;
    Ok(rows.first().map(|row| read_blocker(row, 0)))
}

/// Whether a session may hold `mine`. Yes if it cannot be known: on a standby, and without `track_activities`.
pub(crate) async fn is_held(connection: &Connection, mine: &str) -> Result<bool, tokio_postgres::Error> {
    let rows = rows(
        connection,
        &format!(
            "SELECT FROM pg_catalog.pg_locks AS mine WHERE {mine} \
             UNION ALL SELECT WHERE pg_catalog.pg_is_in_recovery() \
               OR pg_catalog.current_setting('track_activities') = 'off'"
        ),
    )
    .await?;
    Ok(!rows.is_empty())
}

/// The oldest other session for which `condition` on `pg_stat_activity AS b` holds. `values` are captured for it.
pub(crate) async fn find_one(
    connection: &Connection,
    values: &[(&str, &str)],
    condition: &str,
) -> Result<Option<Blocker>, tokio_postgres::Error> {
    let rows = rows_with(
        connection,
        values,
        &format!(
            "SELECT b.pid, {} FROM pg_catalog.pg_stat_activity AS b \
             WHERE {condition} AND b.pid <> pg_catalog.pg_backend_pid() ORDER BY b.xact_start, b.pid LIMIT 1",
            columns()
        ),
    )
    .await?;
    Ok(rows.first().map(|row| read_blocker(row, 0)))
}

/// The session that locks the history table in the schema `named`, or else in that of the search path.
pub(crate) async fn find_history_locker(
    connection: &Connection,
    ledger: Ledger,
    named: Option<&str>,
) -> Result<Option<Blocker>, tokio_postgres::Error> {
    let table = ledger.table();
    let in_schema =
        |schema: &str| format!("pg_catalog.to_regclass(pg_catalog.quote_ident({schema}) || '.{table}')");
    let visible = relation(table);
    let history = match (ledger.own_schema(), named) {
        (Some(schema), _) => format!("pg_catalog.to_regclass({})", literal(&ledger.qualified(schema))),
        (None, Some(named)) => in_schema(&literal(named)),
        (None, None) => format!(
            "{}, {}",
            captured_oid("history"),
            in_schema(&captured("current_schema"))
        ),
    };
    find_one(
        connection,
        &[
            ("history", &visible),
            ("current_schema", "pg_catalog.current_schema()"),
        ],
        &format!(
            "b.datname = pg_catalog.current_database() AND b.pid IN (SELECT pid FROM pg_catalog.pg_locks \
               WHERE granted AND mode = 'AccessExclusiveLock' AND relation IN ({history}))"
        ),
    )
    .await
}

pub(crate) fn read_blocker(row: &SimpleQueryRow, first: usize) -> Blocker {
    Blocker {
        // 0 stands for a prepared transaction.
        pid: text(row, first)
            .and_then(|pid| pid.parse().ok())
            .filter(|pid| *pid != 0),
        application: text(row, first + 1),
        user: text(row, first + 2),
        client: text(row, first + 3),
        state: text(row, first + 4),
        transaction_age: seconds(row, first + 5),
        query: text(row, first + 6)
            .filter(|query| query != "<insufficient privilege>")
            .map(|query| {
                if query.to_lowercase().contains("password") {
                    "(not shown: it mentions a password)".to_owned()
                } else {
                    shortened(&query)
                }
            }),
    }
}
