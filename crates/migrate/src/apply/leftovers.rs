//! Leftovers: what an interrupted attempt at a non-transactional statement has left in the catalog, and how to recover.
//!
//! Such a statement is not rolled back when its server or its client dies. Its history row is inserted after it, so it may
//! be done and not recorded.

use tokio_postgres::SimpleQueryRow;
use tokio_postgres::error::SqlState;

use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{describe, is_transient};
use zerostarter_connect::quote::literal;
use zerostarter_connect::search_path::{SAFE, capture, captured_oid, relation};

use crate::sql::NonTransactional;
use crate::sql::non_transactional::{Effect, Probe, Scope};
use crate::watch::Blocker;
use crate::watch::blocker::find_one;
use crate::watch::catalog_query::{result_rows, rows_with, text};

/// What exists, and how to continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// Nothing: run the statement.
    Nothing,
    /// Everything: the statement is done.
    Complete(String),
    /// Invalid indexes: drop them, then run the statement.
    Invalid(Vec<String>),
    /// A partition whose detachment is pending: run this statement in place of the file's.
    Pending { what: String, finish: String },
    /// Another session is still running the statement.
    InProgress(Box<Blocker>),
    /// A different object of that name.
    Different { what: String, hint: &'static str },
}

impl Leftovers {
    /// For the error that ends a run.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Nothing | Self::Different { .. } => "it left nothing".to_owned(),
            Self::Complete(what) => format!("{what}; the next run records it"),
            Self::Invalid(indexes) => format!(
                "it left an invalid index: {}; the next run drops it and starts again",
                indexes.join(", ")
            ),
            Self::Pending { what, .. } => format!("{what}; the next run finishes it"),
            Self::InProgress(who) => format!("another session works on the same table: {who}"),
        }
    }
}

/// The comment before every non-transactional statement: `pg_stat_activity` shows it, so a later run finds a statement whose
/// migrator was killed.
pub(crate) fn tag(key: i64, version: i64) -> String {
    format!("/* zerostarter-db {:x} {version} */ ", key.cast_unsigned())
}

/// The session that runs the statement that begins with `tag`, as a condition on `pg_locks AS mine`.
pub(crate) fn workers_lock(tag: &str) -> String {
    format!(
        "mine.locktype = 'virtualxid' AND mine.granted AND mine.pid IN ({})",
        workers(tag)
    )
}

fn workers(tag: &str) -> String {
    format!(
        "SELECT pid FROM pg_catalog.pg_stat_activity WHERE state = 'active' \
         AND datname = pg_catalog.current_database() AND pg_catalog.starts_with(query, {})",
        literal(tag)
    )
}

/// Looks for the leftovers of `statement`, on a connection whose names resolve as in the migrations.
pub(crate) async fn find(
    connection: &Connection,
    statement: &NonTransactional,
    tag: &str,
) -> Result<Leftovers, tokio_postgres::Error> {
    if let Some(orphan) = find_one(connection, &[], &format!("b.pid IN ({})", workers(tag))).await? {
        return Ok(Leftovers::InProgress(Box::new(orphan)));
    }
    match &statement.effect {
        Effect::CreateIndex { index, table, probe } => created(connection, index, table, probe).await,
        Effect::DropIndex { index } => dropped(connection, index).await,
        Effect::Reindex(scope) => reindexed(connection, scope).await,
        Effect::DetachPartition { parent, partition } => detached(connection, parent, partition).await,
        Effect::Repeatable | Effect::Unknown { .. } => Ok(Leftovers::Nothing),
    }
}

async fn created(
    connection: &Connection,
    index: &str,
    table: &str,
    probe: &Probe,
) -> Result<Leftovers, tokio_postgres::Error> {
    let values = [("table", &*relation(table))];
    let oid = captured_oid("table");
    if let Some(builder) = find_builder(connection, &values, &format!("l.relation = {oid}")).await? {
        return Ok(Leftovers::InProgress(Box::new(builder)));
    }
    let question = format!(
        "SELECT pg_catalog.format('%I.%I', s.nspname, c.relname), \
         i.indrelid IS NOT DISTINCT FROM t.oid, i.indisvalid, {DEFINITION} \
         FROM pg_catalog.pg_class AS t JOIN pg_catalog.pg_namespace AS s ON s.oid = t.relnamespace \
         JOIN pg_catalog.pg_class AS c ON c.relnamespace = t.relnamespace \
           AND c.relname = CAST((pg_catalog.parse_ident({name}))[1] AS name) \
         LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid \
         WHERE t.oid = {oid}",
        name = literal(index),
    );
    let found = rows_with(connection, &values, &question).await?;
    let Some(found) = found.first() else {
        return Ok(Leftovers::Nothing);
    };
    let name = text(found, 0).unwrap_or_default();
    if !is(found, 1) {
        return Ok(Leftovers::Different {
            what: format!("{name} already exists and is no index of {table}"),
            hint: "give the index of the new migration another name",
        });
    }
    if !is(found, 2) {
        return Ok(Leftovers::Invalid(vec![name]));
    }
    let there = text(found, 3).unwrap_or_default();
    let mut hint = "drop or rename the existing index, or give the index of the new migration another name";
    let difference = match wanted_definition(connection, table, probe).await {
        Ok(wanted) if wanted == there => {
            return Ok(Leftovers::Complete(format!(
                "the index {name} exists, is valid, and has the definition of the file"
            )));
        }
        Ok(wanted) => format!(
            "has another definition: it is {}, the file has {}",
            there.trim(),
            wanted.trim()
        ),
        Err(error) if is_transient(&error) => return Err(error),
        Err(error) => {
            if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
                hint = "as the owner of the database: GRANT TEMPORARY ON DATABASE … TO the role of the URL; the comparison needs a temporary table";
            }
            format!(
                "cannot be compared with the index of the file: {}",
                describe(&error)
            )
        }
    };
    Ok(Leftovers::Different {
        what: format!("the index {name} already exists and {difference}"),
        hint,
    })
}

/// The definition of the index `i` after its name and its table's name, as the server writes it. It is compared with the
/// definition of the same index on an empty table: only the server knows that `a ASC` is `a`.
const DEFINITION: &str = "CASE WHEN i.indisunique THEN 'UNIQUE' ELSE '' END || pg_catalog.substr(\
    pg_catalog.pg_get_indexdef(c.oid), pg_catalog.strpos(pg_catalog.pg_get_indexdef(c.oid), ' USING '))";

async fn wanted_definition(
    connection: &Connection,
    table: &str,
    probe: &Probe,
) -> Result<String, tokio_postgres::Error> {
    let question = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n\
         SET LOCAL statement_timeout = 0;\n\
         CREATE TEMPORARY TABLE {name} (LIKE {table});\n\
         {index};\n\
         {capture};\n\
         {SAFE};\n\
         SELECT {DEFINITION} FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
         WHERE i.indrelid = {oid};\n\
         ROLLBACK",
        name = probe.table,
        index = probe.index,
        capture = capture(&[("table", &relation(&format!("pg_temp.{}", probe.table)))]),
        oid = captured_oid("table"),
    );
    let answers = match connection.client().simple_query(&question).await {
        Ok(answers) => answers,
        Err(error) => {
            connection.client().batch_execute("ROLLBACK").await?;
            return Err(error);
        }
    };
    let rows = result_rows(answers);
    Ok(rows.first().and_then(|row| text(row, 0)).unwrap_or_default())
}

async fn dropped(connection: &Connection, index: &str) -> Result<Leftovers, tokio_postgres::Error> {
    let values = [("index", &*relation(index))];
    let oid = captured_oid("index");
    let its_table = format!("(SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = {oid})");
    if let Some(builder) = find_builder(connection, &values, &format!("l.relation = {its_table}")).await? {
        return Ok(Leftovers::InProgress(Box::new(builder)));
    }
    let found = rows_with(connection, &values, &format!("SELECT {oid} IS NULL")).await?;
    Ok(if found.first().is_some_and(|row| is(row, 0)) {
        Leftovers::Complete(format!("the index {index} does not exist"))
    } else {
        Leftovers::Nothing
    })
}

/// An interrupted `REINDEX CONCURRENTLY` leaves invalid copies of indexes, named `…_ccnew` or `…_ccold`.
async fn reindexed(connection: &Connection, scope: &Scope) -> Result<Leftovers, tokio_postgres::Error> {
    let named = match scope {
        Scope::Index(name) | Scope::Table(name) => relation(name),
        Scope::Schema(_) | Scope::Database => "NULL".to_owned(),
    };
    let values = [("named", &*named)];
    let oid = captured_oid("named");
    let its_tables = match scope {
        Scope::Index(_) => {
            format!("t.oid = (SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = {oid})")
        }
        Scope::Table(_) => format!("t.oid = {oid}"),
        Scope::Schema(schema) => {
            format!("t.relnamespace = pg_catalog.to_regnamespace({})", literal(schema))
        }
        Scope::Database => "true".to_owned(),
    };
    let builder =
        format!("EXISTS (SELECT FROM pg_catalog.pg_class AS t WHERE t.oid = l.relation AND {its_tables})");
    if let Some(builder) = find_builder(connection, &values, &builder).await? {
        return Ok(Leftovers::InProgress(Box::new(builder)));
    }
    let copies = rows_with(
        connection,
        &values,
        &format!(
            "SELECT pg_catalog.format('%I.%I', s.nspname, c.relname) FROM pg_catalog.pg_index AS i \
             JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
             JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace \
             JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid \
             WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' \
             AND s.nspname <> 'pg_toast' AND {its_tables} ORDER BY 1"
        ),
    )
    .await?;
    let copies: Vec<String> = copies.iter().filter_map(|row| text(row, 0)).collect();
    Ok(if copies.is_empty() {
        Leftovers::Nothing
    } else {
        Leftovers::Invalid(copies)
    })
}

async fn detached(
    connection: &Connection,
    parent: &str,
    partition: &str,
) -> Result<Leftovers, tokio_postgres::Error> {
    let values = [
        ("parent", &*relation(parent)),
        ("partition", &*relation(partition)),
    ];
    let found = rows_with(
        connection,
        &values,
        &format!(
            "SELECT i.inhdetachpending, i.inhrelid IS NULL AND NOT c.relispartition \
             FROM pg_catalog.pg_class AS c \
             LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = {} \
             WHERE c.oid = {}",
            captured_oid("parent"),
            captured_oid("partition")
        ),
    )
    .await?;
    let is_found = |column| found.first().is_some_and(|row| is(row, column));
    Ok(if is_found(0) {
        Leftovers::Pending {
            what: format!("the detachment of {partition} from {parent} is pending"),
            finish: format!("ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"),
        }
    } else if is_found(1) {
        Leftovers::Complete(format!("{partition} is already detached"))
    } else {
        Leftovers::Nothing
    })
}

/// A session that builds an index on a table for whose lock `l` the condition `condition` holds. Dropping that index, or
/// queueing for the table with a snapshot, would deadlock with the session.
async fn find_builder(
    connection: &Connection,
    values: &[(&str, &str)],
    condition: &str,
) -> Result<Option<Blocker>, tokio_postgres::Error> {
    find_one(
        connection,
        values,
        &format!(
            "b.pid IN (SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index AS p \
             JOIN pg_catalog.pg_locks AS l ON l.pid = p.pid \
             WHERE p.datname = pg_catalog.current_database() AND l.granted \
             AND l.locktype = 'relation' AND {condition})"
        ),
    )
    .await
}

fn is(row: &SimpleQueryRow, column: usize) -> bool {
    row.try_get(column).ok().flatten() == Some("t")
}
