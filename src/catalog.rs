//! What is read from the database before anything is decided: the server, our rights, and the history.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use crate::attempt::AttemptError;
use crate::config::Config;
use crate::duration::millis;
use crate::history::{Applied, HISTORY_TABLE};
use crate::sql::{identifier, literal};

/// The state of a database, as one round trip found it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts about a server, each independent of the others"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// `server_version_num`, such as 180004.
    pub server_version: u32,
    /// Whether the server can notice by itself that its client is gone (`client_connection_check_interval`).
    pub can_check_client: bool,
    /// A standby: it can be read only.
    pub in_recovery: bool,
    /// The schema of the history and of unqualified names in migrations.
    pub schema: String,
    /// Whether there is a schema of that name.
    pub schema_exists: bool,
    /// Whether the session's own search path leads there.
    pub schema_is_current: bool,
    /// The history, ordered by version; `None` where there is no table yet.
    pub history: Option<Vec<Applied>>,
    /// A schema further back in the search path that has a history while ours has none.
    pub history_elsewhere: Option<String>,
    /// The role that migrations run as.
    pub role: String,
    /// May the role create tables in the schema?
    pub may_create: bool,
    /// May the role add to the history? Meaningless where there is none.
    pub may_record: bool,
    /// The position in the write-ahead log, for a point-in-time recovery; `None` where the server does not tell.
    pub wal_position: Option<String>,
    /// The server's clock at that position.
    pub server_time: String,
    has_own_history: bool,
    visible_history: Option<String>,
}

impl Snapshot {
    /// The history table with its schema, quoted.
    #[must_use]
    pub fn history_table(&self) -> String {
        history_table_in(&self.schema)
    }

    /// The applied migrations; none where there is no history.
    #[must_use]
    pub fn applied(&self) -> &[Applied] {
        self.history.as_deref().unwrap_or_default()
    }
}

fn history_table_in(schema: &str) -> String {
    format!("{}.{HISTORY_TABLE}", identifier(schema))
}

/// Reads the state of the database in one round trip, or in two where the search path does not lead to the
/// history or somebody is just creating it. Changes nothing, and waits for no lock longer than `MIGRATE_LOCK_TIMEOUT`
/// or, where that is `none`, `MIGRATE_LOCK_BUDGET`, or `MIGRATE_LOCK_WAIT`.
///
/// # Errors
///
/// The server's or the driver's, and [`AttemptError::TimedOut`] where no answer comes at all: this is a question
/// that is answered at once.
pub async fn read(client: &Client, config: &Config) -> Result<Snapshot, AttemptError> {
    let limit = config.question_limit();
    let reading = timeout(limit, read_in_full(client, config)).await;
    let outcome = reading.map_err(|_| AttemptError::TimedOut(limit))?;
    outcome.map_err(AttemptError::Postgres)
}

async fn read_in_full(client: &Client, config: &Config) -> Result<Snapshot, tokio_postgres::Error> {
    let named = config.url.parameters.schema.as_deref();
    let mut snapshot = read_consistently(client, config, named).await?;
    if named.is_some() {
        return Ok(snapshot);
    }
    if snapshot.has_own_history && snapshot.visible_history.as_ref() != Some(&snapshot.schema) {
        let schema_is_current = snapshot.schema_is_current;
        let schema = std::mem::take(&mut snapshot.schema);
        snapshot = read_consistently(client, config, Some(&schema)).await?;
        snapshot.schema_is_current = schema_is_current;
    } else if !snapshot.has_own_history {
        snapshot.history = None;
        snapshot.history_elsewhere = snapshot.visible_history.take();
    }
    Ok(snapshot)
}

/// Each look-up of a name sees the catalog of its own moment. Where the history was created between two of
/// them, which happens when several migrators meet on a new database, their answers do not go together.
async fn read_consistently(
    client: &Client,
    config: &Config,
    named: Option<&str>,
) -> Result<Snapshot, tokio_postgres::Error> {
    loop {
        let snapshot = read_once(client, config, named).await?;
        let visible = snapshot.visible_history.as_ref();
        let found_here = visible == Some(&snapshot.schema)
            || (snapshot.history.is_some() && (named.is_some() || visible.is_none()));
        if snapshot.has_own_history || !found_here {
            return Ok(snapshot);
        }
    }
}

async fn read_once(
    client: &Client,
    config: &Config,
    named: Option<&str>,
) -> Result<Snapshot, tokio_postgres::Error> {
    let request = request(config, named);
    let mut rows = pin!(client.simple_query_raw(&request).await?);
    let mut snapshot: Option<Snapshot> = None;
    let mut history = Vec::new();
    loop {
        match rows.try_next().await {
            Ok(None) => break,
            Ok(Some(SimpleQueryMessage::Row(row))) if snapshot.is_none() => snapshot = Some(read_state(&row)),
            Ok(Some(SimpleQueryMessage::Row(row))) => history.push(read_applied(&row)),
            Ok(Some(_)) => {}
            // The state comes first, so this is the history that is missing: a database never migrated.
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) && snapshot.is_some() => {
                // To its very end: PgBouncer takes a server that reports itself ready when the next message is under
                // way already for idle, and does not end what runs there should this client be killed.
                while rows.try_next().await?.is_some() {}
                return Ok(snapshot.unwrap_or_default());
            }
            Err(error) => return Err(error),
        }
    }
    let mut snapshot = snapshot.unwrap_or_default();
    snapshot.history = Some(history);
    Ok(snapshot)
}

/// Functions that look names up are used in place of joins of the catalog: a new server process has nothing
/// cached, and planning those joins took longer than everything else of a run.
///
/// The settings come first because the defaults of a database or role must not matter; being LOCAL and
/// in one message they are safe behind a transaction pooler. Aurora's function that tells the position
/// in the write-ahead log fails unless logical replication is on.
fn request(config: &Config, named: Option<&str>) -> String {
    let table = named.map_or_else(|| HISTORY_TABLE.to_owned(), history_table_in);
    format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY;\n\
         SET LOCAL statement_timeout = 0;\n\
         SET LOCAL lock_timeout = {lock_timeout};\n\
         {set_role}\
         SELECT pg_catalog.current_setting('server_version_num'),\n\
           pg_catalog.version() LIKE '%linux%',\n\
           pg_catalog.pg_is_in_recovery(),\n\
           target.name,\n\
           target.name IS NOT DISTINCT FROM pg_catalog.current_schema(),\n\
           {schema} IS NOT NULL,\n\
           {own} IS NOT NULL,\n\
           (pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass,\n\
             pg_catalog.to_regclass('{HISTORY_TABLE}'), 0)).schema,\n\
           current_user,\n\
           COALESCE(pg_catalog.has_schema_privilege({schema}, 'CREATE'), false),\n\
           COALESCE(pg_catalog.has_table_privilege({own}, 'INSERT'), false),\n\
           CASE WHEN pg_catalog.pg_is_in_recovery()\n\
               OR pg_catalog.to_regproc('pg_catalog.aurora_version') IS NOT NULL\n\
             THEN NULL ELSE pg_catalog.pg_current_wal_lsn() END,\n\
           pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')\n\
         FROM (SELECT COALESCE({named}, CASE WHEN NOT pg_catalog.starts_with(pg_catalog.current_schema(), 'pg_')\n\
             THEN pg_catalog.current_schema() END, '{DEFAULT_SCHEMA}') AS name) AS target;\n\
         SELECT version, name, applied_on, checksum FROM {table} ORDER BY version",
        lock_timeout = millis(config.question_lock_wait()),
        schema = "pg_catalog.to_regnamespace(pg_catalog.quote_ident(target.name))",
        own =
            format_args!("pg_catalog.to_regclass(pg_catalog.quote_ident(target.name) || '.{HISTORY_TABLE}')"),
        named = named.map_or_else(|| "CAST(NULL AS text)".to_owned(), literal),
        set_role = config.role.as_deref().map_or_else(String::new, |role| format!(
            "SET LOCAL ROLE {};\n",
            identifier(role)
        )),
    )
}

/// Where tables go when the search path leads nowhere, or into a schema of the system's, such as the temporary one.
const DEFAULT_SCHEMA: &str = "public";

fn read_state(row: &SimpleQueryRow) -> Snapshot {
    let text = |column: usize| row.get(column).map(str::to_owned);
    let flag = |column: usize| row.get(column) == Some("t");
    let server_version = row.get(0).and_then(|text| text.parse().ok()).unwrap_or_default();
    Snapshot {
        server_version,
        can_check_client: server_version >= 140_000 && flag(1),
        in_recovery: flag(2),
        schema: text(3).unwrap_or_default(),
        schema_is_current: flag(4),
        schema_exists: flag(5),
        has_own_history: flag(6),
        visible_history: text(7),
        role: text(8).unwrap_or_default(),
        may_create: flag(9),
        may_record: flag(10),
        wal_position: text(11),
        server_time: text(12).unwrap_or_default(),
        history: None,
        history_elsewhere: None,
    }
}

fn read_applied(row: &SimpleQueryRow) -> Applied {
    let text = |column: usize| row.get(column).map(str::to_owned);
    Applied {
        version: row.get(0).and_then(|text| text.parse().ok()).unwrap_or_default(),
        name: text(1),
        applied_on: text(2),
        checksum: text(3),
    }
}
