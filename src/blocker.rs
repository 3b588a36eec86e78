//! Who is in the way: the sessions that hold a lock which a migration, or another migrator, waits for.

use std::fmt;
use std::time::Duration;

use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use crate::connection::Connection;
use crate::duration::in_seconds;
use crate::history::HISTORY_TABLE;
use crate::lock::advisory_key;
use crate::sql::literal;

/// How much of a blocker's query is shown.
const SHOWN_CHARACTERS: u8 = 120;

/// A session that holds what others wait for, as far as our role may see it: a role without
/// `pg_read_all_stats` sees of other roles' sessions neither state, age nor query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// Its process; `None` for a prepared transaction, which has none.
    pub pid: Option<u32>,
    application: Option<String>,
    user: Option<String>,
    client: Option<String>,
    state: Option<String>,
    transaction_age: Option<Duration>,
    query: Option<String>,
}

impl Blocker {
    /// Whether our role was not allowed to see more than who it is.
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

/// A migration that waits for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// When it began to, by the server's clock and in the server's words.
    pub(crate) since: String,
    /// For how long.
    pub(crate) waited: Duration,
    /// The table, where it is a table's lock.
    pub(crate) relation: Option<String>,
    /// Whether it is not for a table but for somebody's transaction to end.
    pub(crate) is_for_transaction: bool,
    /// Who holds the lock, or waits for it in front of us.
    pub(crate) blockers: Vec<Blocker>,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.relation {
            Some(relation) => write!(f, "a lock on {relation}")?,
            None if self.is_for_transaction => f.write_str("a transaction to end")?,
            None => f.write_str("a lock")?,
        }
        write!(f, ", in the way: {}", join(&self.blockers))
    }
}

/// Blockers in one line.
pub(crate) fn join(blockers: &[Blocker]) -> String {
    let texts: Vec<String> = blockers.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// What ahead of a question makes the defaults of the database and the role not matter.
const PREAMBLE: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY;\n\
     SET LOCAL statement_timeout = 0;\n\
     SET LOCAL lock_timeout = 0;\n\
     SET LOCAL DateStyle = 'ISO';\n\
     SET LOCAL TimeZone = 'UTC';\n";

/// The locks of the migrator that is at work on the history in `schema`: whoever holds the advisory lock.
/// Behind a pooler nothing else tells which server process works for us.
pub(crate) fn migrators_lock(schema: &str) -> String {
    let key = advisory_key(schema).cast_unsigned();
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
         pg_catalog.left(pg_catalog.regexp_replace(b.query, '\\s+', ' ', 'g'), {SHOWN_CHARACTERS})"
    )
}

/// The lock that the session waits for which holds `mine`, if it does: [`migrators_lock`], for one.
pub(crate) async fn find_wait(
    connection: &Connection,
    mine: &str,
) -> Result<Option<Wait>, tokio_postgres::Error> {
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
    Ok(Some(Wait {
        since: text(first, 0).unwrap_or_default(),
        waited: seconds(first, 1).unwrap_or_default(),
        relation: text(first, 2),
        is_for_transaction: ["virtualxid", "transactionid"]
            .iter()
            .any(|kind| first.get(3) == Some(kind)),
        blockers: rows.iter().map(|row| read_blocker(row, 4)).collect(),
    }))
}

/// Who holds the migrators' lock on the history in `schema`.
pub(crate) async fn find_holder(
    connection: &Connection,
    schema: &str,
) -> Result<Option<Blocker>, tokio_postgres::Error> {
    let mine = migrators_lock(schema);
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

/// Whether anybody may hold `mine`. A standby cannot know, nor can one who is not shown what others run.
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

/// Cancels the statement of the session that holds `mine`, if it still waits as `wait` says: by the time this
/// arrives, the process could be working for somebody else.
pub(crate) async fn cancel(
    connection: &Connection,
    mine: &str,
    wait: &Wait,
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

/// The oldest of the sessions, our own not among them, for which `condition` holds of `pg_stat_activity AS b`.
pub(crate) async fn find_one(
    connection: &Connection,
    condition: &str,
) -> Result<Option<Blocker>, tokio_postgres::Error> {
    let rows = rows(
        connection,
        &format!(
            "SELECT b.pid, {} FROM pg_catalog.pg_stat_activity AS b \
             WHERE {condition} AND b.pid <> pg_catalog.pg_backend_pid() ORDER BY b.xact_start, b.pid LIMIT 1",
            columns()
        ),
    )
    .await?;
    Ok(rows.first().map(|row| read_blocker(row, 0)))
}

/// Who lets nobody read the history in the schema `named`, or else in that of the search path.
pub(crate) async fn find_history_locker(
    connection: &Connection,
    named: Option<&str>,
) -> Result<Option<Blocker>, tokio_postgres::Error> {
    let in_schema = |schema: &str| {
        format!("pg_catalog.to_regclass(pg_catalog.quote_ident({schema}) || '.{HISTORY_TABLE}')")
    };
    let history = named.map_or_else(
        || {
            format!(
                "pg_catalog.to_regclass('{HISTORY_TABLE}'), {}",
                in_schema("pg_catalog.current_schema()")
            )
        },
        |named| in_schema(&literal(named)),
    );
    find_one(
        connection,
        &format!(
            "b.datname = pg_catalog.current_database() AND b.pid IN (SELECT pid FROM pg_catalog.pg_locks \
               WHERE granted AND mode = 'AccessExclusiveLock' AND relation IN ({history}))"
        ),
    )
    .await
}

/// The rows of a question about what others do.
pub(crate) async fn rows(
    connection: &Connection,
    question: &str,
) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    let messages = connection
        .client()
        .simple_query(&format!("{PREAMBLE}{question}"))
        .await?;
    Ok(messages
        .into_iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .collect())
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
                    "(not shown: it is about a password)".to_owned()
                } else {
                    query
                }
            }),
    }
}

pub(crate) fn text(row: &SimpleQueryRow, column: usize) -> Option<String> {
    row.get(column).map(str::to_owned)
}

fn seconds(row: &SimpleQueryRow, column: usize) -> Option<Duration> {
    let seconds: f64 = row.get(column)?.parse().ok()?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}
