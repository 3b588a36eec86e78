//! The rows in refinery's table, and what is read from the database before.

use std::collections::BTreeSet;

use tokio_postgres::SimpleQueryMessage;
use zerostarter_connect::Connection;
use zerostarter_connect::quote::literal;
use zerostarter_migrate::ledger::{Ledger, Snapshot, advisory_key};
use zerostarter_migrate::source::Migration;

use crate::error::Error;
use crate::history::Row;
use crate::tables::Table;
use crate::tool::Tool;

/// The rows of a query, as text.
pub(crate) async fn rows(
    connection: &Connection,
    doing: &'static str,
    query: &str,
) -> Result<Vec<Row>, Error> {
    let answers = connection.client().simple_query(query).await;
    let answers = answers.map_err(|source| Error::database(doing, source))?;
    let rows = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => {
            let columns = 0..row.len();
            Some(columns.map(|column| row.get(column).map(str::to_owned)).collect())
        }
        _ => None,
    });
    Ok(rows.collect())
}

/// The rows of the tool's table; `None` if there is none.
pub(crate) async fn rows_of(connection: &Connection, tool: Tool) -> Result<Option<Vec<Row>>, Error> {
    const DOING: &str = "reading the table of the other tool";
    let table = tool.table();
    let look = format!(
        "SELECT pg_catalog.to_regclass({0}) IS NOT NULL, EXISTS (SELECT FROM pg_catalog.pg_attribute \
         WHERE attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({0}) \
         AND attname OPERATOR(pg_catalog.=) 'dirty' AND NOT attisdropped), \
         (SELECT c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relhasrules AND NOT c.relrowsecurity AND (r.rolsuper \
           OR r.rolname OPERATOR(pg_catalog.=) current_user OR EXISTS (SELECT FROM pg_catalog.pg_database AS d \
             WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND d.datdba OPERATOR(pg_catalog.=) c.relowner)) \
           FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) c.relowner \
           WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({0}))",
        literal(table)
    );
    let found = rows(connection, DOING, &look).await?;
    let is_true = |number: usize| {
        found
            .first()
            .is_some_and(|row| crate::history::is_true(row, number))
    };
    if !is_true(0) {
        return Ok(None);
    }
    // To read a view, or a table with rules, runs functions of its owner with our privileges.
    if !is_true(2) {
        return Err(Error::Disagreement {
            table: table.to_owned(),
            lines: vec![format!(
                "{table} is not an ordinary table of this role, the owner of the database or a superuser"
            )],
            hint: "use the role that the other tool has used, or find out who made the table",
        });
    }
    if tool.has_column_dirty().is_some_and(|has| has != is_true(1)) {
        return Err(Error::Disagreement {
            table: table.to_owned(),
            lines: vec![if is_true(1) {
                format!("{table} has the column dirty, so golang-migrate made it")
            } else {
                format!("{table} has no column dirty, so golang-migrate did not make it")
            }],
            hint: "name the tool that made the table, with --from",
        });
    }
    rows(connection, DOING, tool.query()).await.map(Some)
}

/// Those of `tables` that do not exist. One without a schema may be in any.
pub(crate) async fn missing(connection: &Connection, tables: &BTreeSet<Table>) -> Result<Vec<String>, Error> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<String> = tables
        .iter()
        .map(|(schema, name)| {
            let schema = schema.as_deref().map_or_else(|| "NULL".to_owned(), literal);
            format!("({schema}, {})", literal(name))
        })
        .collect();
    let query = format!(
        "SELECT pg_catalog.concat_ws('.', t.schema, t.name) FROM (VALUES (NULL, NULL), {}) AS t (schema, name) \
         WHERE t.name IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n \
           ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
           WHERE c.relkind OPERATOR(pg_catalog.=) ANY (CAST('{{r,p,f}}' AS \"char\"[])) \
           AND c.relname OPERATOR(pg_catalog.=) CAST(t.name AS name) \
           AND (t.schema IS NULL OR n.nspname OPERATOR(pg_catalog.=) CAST(t.schema AS name)))",
        values.join(", ")
    );
    let found = rows(connection, "looking for the tables of applied migrations", &query).await?;
    Ok(found
        .iter()
        .map(|row| format!("table {}", crate::history::column(row, 0)))
        .collect())
}

/// Begins a transaction that holds the migrators' lock and has recorded `migrations`. If the connection is
/// dropped, the server rolls it back.
pub(crate) async fn record(
    connection: &Connection,
    snapshot: &Snapshot,
    migrations: &[&Migration],
) -> Result<(), Error> {
    let table = snapshot.history_table();
    let key = advisory_key(Ledger::Refinery, &snapshot.schema);
    let rows: Vec<String> = migrations
        .iter()
        .map(|migration| {
            format!(
                "({}, {}, pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.now()), \
                 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), {})",
                migration.version(),
                literal(migration.name()),
                literal(&migration.checksum().to_string())
            )
        })
        .collect();
    // refinery's own statement.
    let create = format!(
        "CREATE TABLE IF NOT EXISTS {table}(version INT4 PRIMARY KEY, name VARCHAR(255), \
         applied_on VARCHAR(255), checksum VARCHAR(255))"
    );
    let statements = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_catalog.pg_advisory_xact_lock({key}); {create}; \
         INSERT INTO {table} (version, name, applied_on, checksum) VALUES {}",
        rows.join(", ")
    );
    let done = connection.client().batch_execute(&statements).await;
    done.map_err(|source| Error::database("recording the applied migrations", source))
}
