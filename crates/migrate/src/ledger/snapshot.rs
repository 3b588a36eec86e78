//! The state of a database, read in one round trip: the server, our privileges, and the history table.

use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError};
use zerostarter_connect::quote::{identifier, literal};
use zerostarter_connect::search_path::{captured, enter, is_captured};
use zerostarter_diagnostic::duration::millis;

use super::applied::Applied;
use super::facts::Facts;
use super::kind::Ledger;
use super::trust::{self, Access, Scrutiny, Untrusted};

/// How many columns the row of the state has, and how many more if the table is Drizzle's.
const STATE_COLUMNS: usize = 17;
const DRIZZLE_COLUMNS: usize = 4;

/// How many applied migrations there may be: what a server sends must not fill the memory.
const MOST_ROWS: usize = 1_000_000;

/// How often to read again while other instances create the history table.
const MOST_CONTRADICTIONS: usize = 10;

/// What to read, and as whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotQuery<'a> {
    /// The kind of history table.
    pub ledger: Ledger,
    /// The schema of the history table; without it the search path decides.
    pub schema: Option<&'a str>,
    /// The role to set first.
    pub role: Option<&'a str>,
    /// How long to wait for a lock on the history table.
    pub lock_wait: Duration,
}

/// The state of a database, as one round trip found it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts about a server, each independent of the others"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The kind of history table.
    pub ledger: Ledger,
    /// `server_version_num`, such as 180004.
    pub server_version: u32,
    /// Whether the server can notice by itself that its client is gone (`client_connection_check_interval`).
    pub can_check_client: bool,
    /// Whether it is a standby, which is read-only.
    pub in_recovery: bool,
    /// The schema of the history table, and of unqualified names in migrations.
    pub schema: String,
    /// Whether that schema exists.
    pub schema_exists: bool,
    /// The search path of the migrations, quoted and never empty.
    pub search_path: String,
    /// The first schema of the session's own search path.
    pub current_schema: Option<String>,
    /// Whether `default_transaction_read_only` is on.
    pub is_read_only_by_default: bool,
    /// The rows of the history table, ordered by version; `None` if the table does not exist.
    pub history: Option<Vec<Applied>>,
    /// A later schema of the search path that has a history table, if ours has none.
    pub history_elsewhere: Option<String>,
    /// The role that migrations run as.
    pub role: String,
    /// Whether the role has CREATE on the schema.
    pub may_create: bool,
    /// Whether the role has INSERT on the history table. Meaningless if there is none.
    pub may_record: bool,
    /// The position in the write-ahead log, for a point-in-time recovery; `None` if the server does not report it.
    pub wal_position: Option<String>,
    /// The server's clock at that position.
    pub server_time: String,
    /// What else is known of Drizzle's table and the database.
    pub(crate) drizzle: DrizzleState,
    /// The comment of the history table, which has notes on migrations that are not recorded yet.
    pub(crate) comment: Option<String>,
    /// How thoroughly a transaction has to look at the history table before it uses it.
    pub(crate) scrutiny: Scrutiny,
    has_own_history: bool,
    visible_history: Option<String>,
}

/// What is known of Drizzle's table, and of the database around it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts about a database, each independent of the others"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DrizzleState {
    /// Whether the schema of the table exists.
    pub(crate) has_schema: bool,
    /// Whether the table has the column `name` of 1.0.
    pub(crate) has_names: bool,
    /// Whether the role may lock the table.
    pub(crate) may_lock: bool,
    /// Whether the database has tables, views, sequences or enums beside it.
    pub(crate) has_objects: bool,
    /// Another table in which a migration of the folder is recorded, if this one is missing or empty.
    pub(crate) other_table: Option<String>,
    /// What had to be found out of files and objects.
    pub(crate) facts: Facts,
}

impl Snapshot {
    /// The history table with its schema, quoted.
    #[must_use]
    pub fn history_table(&self) -> String {
        self.ledger.qualified(&self.schema)
    }

    /// The applied migrations, ordered by version.
    #[must_use]
    pub fn applied(&self) -> &[Applied] {
        self.history.as_deref().unwrap_or_default()
    }
}

/// Reads the state of the database in one round trip; in two if the search path does not lead to the history table, or
/// another session is just creating it. Changes nothing.
///
/// # Errors
///
/// The server's or the driver's, and [`AttemptError::TimedOut`] without an answer: the server answers at once, unless it
/// waits for a lock.
pub async fn read(client: &Client, query: &SnapshotQuery<'_>) -> Result<Snapshot, AttemptError> {
    let limit = query.lock_wait + ATTEMPT_LIMIT;
    let reading = timeout(limit, read_in_full(client, query)).await;
    reading.map_err(|_| AttemptError::TimedOut(limit))?
}

async fn read_in_full(client: &Client, query: &SnapshotQuery<'_>) -> Result<Snapshot, AttemptError> {
    let named = query.schema;
    let mut snapshot = read_consistently(client, query, named).await?;
    if named.is_some() || query.ledger.own_schema().is_some() {
        return Ok(snapshot);
    }
    if snapshot.has_own_history && snapshot.visible_history.as_ref() != Some(&snapshot.schema) {
        let search_path = std::mem::take(&mut snapshot.search_path);
        let schema = std::mem::take(&mut snapshot.schema);
        snapshot = read_consistently(client, query, Some(&schema)).await?;
        snapshot.search_path = search_path;
    } else if !snapshot.has_own_history {
        snapshot.history = None;
        snapshot.history_elsewhere = snapshot.visible_history.take();
    }
    Ok(snapshot)
}

/// Each lookup of a name sees the catalog of its own moment. If another instance creates the history table between two
/// lookups, the answers contradict each other; then it reads again.
async fn read_consistently(
    client: &Client,
    query: &SnapshotQuery<'_>,
    named: Option<&str>,
) -> Result<Snapshot, AttemptError> {
    for _ in 0..MOST_CONTRADICTIONS {
        let snapshot = read_once(client, query, named).await?;
        let visible = snapshot.visible_history.as_ref();
        let found_here = visible == Some(&snapshot.schema)
            || (snapshot.history.is_some() && (named.is_some() || visible.is_none()));
        if snapshot.has_own_history || !found_here {
            return Ok(snapshot);
        }
    }
    Err(odd("the answers about the history table contradict each other"))
}

/// An answer that no PostgreSQL server gives.
fn odd(text: &str) -> AttemptError {
    let error = io::Error::new(io::ErrorKind::InvalidData, text);
    AttemptError::Io("communicating with the server", error)
}

/// Reads with the quick check of the history table; if that complains, with the thorough one.
async fn read_once(
    client: &Client,
    query: &SnapshotQuery<'_>,
    named: Option<&str>,
) -> Result<Snapshot, AttemptError> {
    match read_with(client, query, named, Scrutiny::Quick).await {
        Err(AttemptError::Postgres(error)) if needs_scrutiny(&error) => {
            read_with(client, query, named, Scrutiny::Thorough).await
        }
        outcome => outcome,
    }
}

/// Whether the history table or its schema does not exist.
fn is_missing(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(code))
}

/// Whether the history table is not a plain one, cannot be locked, or is a view of what its owner may not lock.
fn needs_scrutiny(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|answer| {
        Untrusted::is_complaint(answer.message())
            || [SqlState::WRONG_OBJECT_TYPE, SqlState::INSUFFICIENT_PRIVILEGE].contains(answer.code())
    })
}

async fn read_with(
    client: &Client,
    query: &SnapshotQuery<'_>,
    named: Option<&str>,
    scrutiny: Scrutiny,
) -> Result<Snapshot, AttemptError> {
    let request = request(query, named, scrutiny);
    let rows = client.simple_query_raw(&request).await;
    let mut rows = pin!(rows.map_err(AttemptError::Postgres)?);
    let mut snapshot: Option<Snapshot> = None;
    let mut history = Vec::new();
    loop {
        match rows.try_next().await {
            Ok(None) => break,
            Ok(Some(SimpleQueryMessage::Row(row))) if is_captured(&row) => {}
            Ok(Some(SimpleQueryMessage::Row(row))) if snapshot.is_none() => {
                if row.columns().len() != state_columns(query.ledger) {
                    return Err(odd(
                        "the answer about the state of the database has other columns",
                    ));
                }
                snapshot = Some(read_state(query.ledger, &row));
            }
            Ok(Some(SimpleQueryMessage::Row(_))) if history.len() == MOST_ROWS => {
                return Err(odd("the history table has more than a million rows"));
            }
            Ok(Some(SimpleQueryMessage::Row(row))) => history.push(query.ledger.read(&row)),
            Ok(Some(_)) => {}
            // The state comes first, so it is the history table that does not exist: a database that was never migrated.
            Err(error) if is_missing(&error) && snapshot.is_some() => {
                // To the end: if the next message is sent before the server reports that it is ready, PgBouncer takes the
                // server for idle, and does not end its work when this client is killed.
                while rows.try_next().await.map_err(AttemptError::Postgres)?.is_some() {}
                return Ok(snapshot.unwrap_or_default());
            }
            Err(error) if needs_scrutiny(&error) => {
                while rows.try_next().await.map_err(AttemptError::Postgres)?.is_some() {}
                return Err(AttemptError::Postgres(error));
            }
            Err(error) => return Err(AttemptError::Postgres(error)),
        }
    }
    let mut snapshot = snapshot.ok_or_else(|| odd("there is no answer about the state of the database"))?;
    snapshot.history = Some(history);
    snapshot.scrutiny = scrutiny;
    Ok(snapshot)
}

/// It looks names up with functions, not with joins of the catalog: a new server process has an empty cache, and planning
/// the joins takes longer than everything else in a run.
///
/// The settings come first, so that defaults of the database or the role have no effect. They are LOCAL and in the same
/// message, so they are safe with transaction pooling. On Aurora the function for the position in the write-ahead log
/// fails unless logical replication is on.
///
/// What depends on the search path of the session is captured first; then the state is read in the safe search path.
///
/// The history table is locked and checked before it is read. From there on the search path is the schema that it was found
/// in alone, so that the same name cannot lead to another table meanwhile; temporary ones come last. These statements have
/// no operator or function without its schema.
fn request(query: &SnapshotQuery<'_>, named: Option<&str>, scrutiny: Scrutiny) -> String {
    let history = query.ledger.table();
    let table = named.map_or_else(|| history.to_owned(), |schema| query.ledger.qualified(schema));
    let (table, own) = match query.ledger.own_schema() {
        Some(schema) => {
            let table = query.ledger.qualified(schema);
            let own = format!("pg_catalog.to_regclass({})", literal(&table));
            (table, own)
        }
        None => (
            table,
            format!("pg_catalog.to_regclass(pg_catalog.quote_ident(target.name) || '.{history}')"),
        ),
    };
    let more = query.ledger.own_schema().map_or_else(String::new, |schema| {
        let namespace = format!("pg_catalog.to_regnamespace({})", literal(&identifier(schema)));
        format!(
            ",\n{namespace} IS NOT NULL, \
             EXISTS (SELECT FROM pg_attribute WHERE attrelid = {own} AND attname = 'name' AND NOT attisdropped),\n\
             COALESCE(pg_catalog.has_table_privilege({own}, 'UPDATE, DELETE, TRUNCATE'), false),\n\
             EXISTS (SELECT FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') \
               AND relnamespace IS DISTINCT FROM CAST({namespace} AS oid)) \
             OR EXISTS (SELECT FROM pg_type WHERE oid >= 16384 AND typtype = 'e')"
        )
    });
    let check = trust::check(
        scrutiny,
        &format!(
            "CAST(pg_catalog.to_regclass({}) AS pg_catalog.oid)",
            literal(&table)
        ),
    );
    let visible_history = format!(
        "(pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, \
         pg_catalog.to_regclass('{history}'), 0)).schema"
    );
    format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY;\n\
         SET LOCAL statement_timeout = 0;\n\
         SET LOCAL lock_timeout = {lock_timeout};\n\
         SET LOCAL row_security = off;\n\
         SET LOCAL exit_on_error = off;\n\
         {set_role}\
         {enter};\n\
         SELECT pg_catalog.current_setting('server_version_num'),\n\
           pg_catalog.version() LIKE '%linux%',\n\
           pg_catalog.pg_is_in_recovery(),\n\
           target.name,\n\
           {current},\n\
           {schema} IS NOT NULL,\n\
           {own} IS NOT NULL,\n\
           {visible},\n\
           current_user,\n\
           COALESCE(pg_catalog.has_schema_privilege({schema}, 'CREATE'), false),\n\
           COALESCE(pg_catalog.has_table_privilege({own}, 'INSERT'), false),\n\
           CASE WHEN pg_catalog.pg_is_in_recovery()\n\
               OR pg_catalog.to_regproc('pg_catalog.aurora_version') IS NOT NULL\n\
             THEN NULL ELSE pg_catalog.pg_current_wal_lsn() END,\n\
           pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),\n\
           {path},\n\
           pg_catalog.current_setting('default_transaction_read_only'),\n\
           pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', pg_catalog.quote_ident(\
             COALESCE({named}, NULLIF({visible}, 'pg_temp'), target.name)), 'pg_temp'), true),\n\
           pg_catalog.obj_description(CAST({own} AS oid), 'pg_class'){more}\n\
         FROM (SELECT COALESCE({named}, CASE WHEN NOT pg_catalog.starts_with({current}, 'pg_')\n\
             THEN {current} END, '{DEFAULT_SCHEMA}') AS name) AS target;\n\
         {checks}{lock};\n\
         {check};\n\
         {select}",
        enter = enter(&[
            ("current_schema", "pg_catalog.current_schema()"),
            (
                "schemas",
                "pg_catalog.array_to_string(pg_catalog.current_schemas(false), '\n')"
            ),
            ("visible_history", &visible_history),
        ])
        .join(";\n"),
        current = captured("current_schema"),
        visible = captured("visible_history"),
        path = captured("schemas"),
        select = query.ledger.select(&table),
        lock = trust::lock(&table, Access::Read),
        checks = match scrutiny {
            Scrutiny::Quick => String::new(),
            Scrutiny::Thorough => format!("{check};\n"),
        },
        lock_timeout = millis(query.lock_wait),
        schema = "pg_catalog.to_regnamespace(pg_catalog.quote_ident(target.name))",
        named = named.map_or_else(|| "CAST(NULL AS text)".to_owned(), literal),
        set_role = query.role.map_or_else(String::new, |role| format!(
            "SET LOCAL ROLE {};\n",
            identifier(role)
        )),
    )
}

fn state_columns(ledger: Ledger) -> usize {
    match ledger.own_schema() {
        Some(_) => STATE_COLUMNS + DRIZZLE_COLUMNS,
        None => STATE_COLUMNS,
    }
}

/// The schema of the history table if the search path begins with `current`.
pub(crate) fn schema_of_history(current: Option<&str>) -> &str {
    current
        .filter(|schema| !schema.starts_with("pg_"))
        .unwrap_or(DEFAULT_SCHEMA)
}

/// The schema of the history table if the search path leads to none, or to a system schema such as the temporary one.
const DEFAULT_SCHEMA: &str = "public";

fn read_state(ledger: Ledger, row: &SimpleQueryRow) -> Snapshot {
    let value = |column: usize| row.try_get(column).ok().flatten();
    let text = |column: usize| value(column).map(str::to_owned);
    let flag = |column: usize| value(column) == Some("t");
    let server_version = value(0).and_then(|text| text.parse().ok()).unwrap_or_default();
    let schema = text(3).unwrap_or_default();
    let current_schema = text(4);
    let search_path = if current_schema.as_ref() == Some(&schema) {
        let schemas = value(13).unwrap_or_default().lines();
        // A session of a pool may have a temporary schema in its path, which is another one in the next session.
        let lasting = schemas.filter(|name| !name.starts_with("pg_temp_"));
        lasting.map(identifier).collect::<Vec<_>>().join(", ")
    } else {
        identifier(&schema)
    };
    Snapshot {
        ledger,
        server_version,
        can_check_client: server_version >= 140_000 && flag(1),
        in_recovery: flag(2),
        schema,
        search_path,
        current_schema,
        is_read_only_by_default: value(14) == Some("on"),
        schema_exists: flag(5),
        comment: text(16),
        scrutiny: Scrutiny::Quick,
        has_own_history: flag(6),
        visible_history: text(7),
        role: text(8).unwrap_or_default(),
        may_create: flag(9),
        may_record: flag(10),
        wal_position: text(11),
        server_time: text(12).unwrap_or_default(),
        history: None,
        history_elsewhere: None,
        drizzle: if ledger.own_schema().is_some() {
            DrizzleState {
                has_schema: flag(17),
                has_names: flag(18),
                may_lock: flag(19),
                has_objects: flag(20),
                ..DrizzleState::default()
            }
        } else {
            DrizzleState::default()
        },
    }
}
