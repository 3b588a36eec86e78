//! What an earlier try of a statement outside a transaction has left in the catalog, and what follows from it.
//!
//! Such a statement is not rolled back when its server or its client dies. Its history row is written after it, so
//! that it may be done and not recorded.

use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use crate::attempt::{describe, is_transient};
use crate::blocker::{self, Blocker, rows, text};
use crate::connection::Connection;
use crate::outside::{Effect, Outside, Scope, Twin};
use crate::sql::literal;

/// What is there, and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remains {
    /// Nothing: run the statement.
    Nothing,
    /// All of it: the statement is done.
    Whole(String),
    /// Invalid indexes, to be dropped before the statement is run.
    Invalid(Vec<String>),
    /// A partition that is half detached: to be finished by this statement in place of the file's.
    Pending { what: String, finish: String },
    /// Somebody is still at it.
    InTheMaking(Box<Blocker>),
    /// Something else of that name.
    Other { what: String, hint: &'static str },
}

impl Remains {
    /// What the operator of a run that has ended is told.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Nothing | Self::Other { .. } => "nothing of it remains".to_owned(),
            Self::Whole(what) => format!("{what}; the next run records it"),
            Self::Invalid(indexes) => format!(
                "what remains is invalid: {}; the next run drops it and begins anew",
                indexes.join(", ")
            ),
            Self::Pending { what, .. } => format!("{what}; the next run finishes it"),
            Self::InTheMaking(who) => format!("the server is still at it: {who}"),
        }
    }
}

/// What is in front of every statement that runs outside a transaction, so that what is left of a migrator that
/// died can be found among the server's processes.
pub(crate) fn tag(key: i64, version: i64) -> String {
    format!("/* zerostarter-db {:x} {version} */ ", key.cast_unsigned())
}

/// The locks of whoever runs the statement that begins with `tag`: for the questions of [`blocker`].
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

/// Looks for what is left of `outside`, on a connection whose names resolve as in the migrations.
pub(crate) async fn find(
    connection: &Connection,
    outside: &Outside,
    tag: &str,
) -> Result<Remains, tokio_postgres::Error> {
    if let Some(orphan) = blocker::find_one(connection, &format!("b.pid IN ({})", workers(tag))).await? {
        return Ok(Remains::InTheMaking(Box::new(orphan)));
    }
    match &outside.effect {
        Effect::CreateIndex { index, table, twin } => created(connection, index, table, twin).await,
        Effect::DropIndex { index } => dropped(connection, index).await,
        Effect::Reindex(scope) => reindexed(connection, scope).await,
        Effect::DetachPartition { parent, partition } => detached(connection, parent, partition).await,
        Effect::Repeatable => Ok(Remains::Nothing),
    }
}

async fn created(
    connection: &Connection,
    index: &str,
    table: &str,
    twin: &Twin,
) -> Result<Remains, tokio_postgres::Error> {
    let regclass = to_regclass(table);
    if let Some(builder) = find_builder(connection, &format!("l.relation = {regclass}")).await? {
        return Ok(Remains::InTheMaking(Box::new(builder)));
    }
    let question = format!(
        "SELECT pg_catalog.format('%I.%I', s.nspname, c.relname), \
         i.indrelid IS NOT DISTINCT FROM t.oid, i.indisvalid, {DEFINITION} \
         FROM pg_catalog.pg_class AS t JOIN pg_catalog.pg_namespace AS s ON s.oid = t.relnamespace \
         JOIN pg_catalog.pg_class AS c ON c.relnamespace = t.relnamespace \
           AND c.relname = CAST((pg_catalog.parse_ident({name}))[1] AS name) \
         LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid \
         WHERE t.oid = {regclass}",
        name = literal(index),
    );
    let found = rows(connection, &question).await?;
    let Some(found) = found.first() else {
        return Ok(Remains::Nothing);
    };
    let name = text(found, 0).unwrap_or_default();
    if !is(found, 1) {
        return Ok(Remains::Other {
            what: format!("{name} is there already, and is no index of {table}"),
            hint: "give the index of the new migration another name",
        });
    }
    if !is(found, 2) {
        return Ok(Remains::Invalid(vec![name]));
    }
    let there = text(found, 3).unwrap_or_default();
    let difference = match wanted_definition(connection, table, twin).await {
        Ok(wanted) if wanted == there => {
            return Ok(Remains::Whole(format!(
                "the index {name} is there, valid, and as the file has it"
            )));
        }
        Ok(wanted) => format!(
            "is another one: it is {}, the file has {}",
            there.trim(),
            wanted.trim()
        ),
        Err(error) if is_transient(&error) => return Err(error),
        Err(error) => format!("cannot be compared with the file's: {}", describe(&error)),
    };
    Ok(Remains::Other {
        what: format!("the index {name} is there already, and {difference}"),
        hint: "drop or rename the index that is there, or give the one of the new migration another name",
    })
}

/// What the server says of the index `i` behind its name and its table's. It is compared with what the same words
/// make on an empty twin of the table: only the server knows that `a ASC` is `a`.
const DEFINITION: &str = "CASE WHEN i.indisunique THEN 'UNIQUE' ELSE '' END || pg_catalog.substr(\
    pg_catalog.pg_get_indexdef(c.oid), pg_catalog.strpos(pg_catalog.pg_get_indexdef(c.oid), ' USING '))";

async fn wanted_definition(
    connection: &Connection,
    table: &str,
    twin: &Twin,
) -> Result<String, tokio_postgres::Error> {
    let question = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n\
         SET LOCAL statement_timeout = 0;\n\
         CREATE TEMPORARY TABLE {name} (LIKE {table});\n\
         {index};\n\
         SELECT {DEFINITION} FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
         WHERE i.indrelid = {regclass};\n\
         ROLLBACK",
        name = twin.table,
        index = twin.index,
        regclass = to_regclass(&format!("pg_temp.{}", twin.table)),
    );
    let answers = match connection.client().simple_query(&question).await {
        Ok(answers) => answers,
        Err(error) => {
            connection.client().batch_execute("ROLLBACK").await?;
            return Err(error);
        }
    };
    let definition = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => text(row, 0),
        _ => None,
    });
    Ok(definition.unwrap_or_default())
}

async fn dropped(connection: &Connection, index: &str) -> Result<Remains, tokio_postgres::Error> {
    let regclass = to_regclass(index);
    let its_table = format!("(SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = {regclass})");
    if let Some(builder) = find_builder(connection, &format!("l.relation = {its_table}")).await? {
        return Ok(Remains::InTheMaking(Box::new(builder)));
    }
    let found = rows(connection, &format!("SELECT {regclass} IS NULL")).await?;
    Ok(if found.first().is_some_and(|row| is(row, 0)) {
        Remains::Whole(format!("the index {index} is gone already"))
    } else {
        Remains::Nothing
    })
}

/// An interrupted `REINDEX CONCURRENTLY` leaves the invalid copies it was making, under names of its own.
async fn reindexed(connection: &Connection, scope: &Scope) -> Result<Remains, tokio_postgres::Error> {
    let its_tables = match scope {
        Scope::Index(index) => format!(
            "t.oid = (SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = {})",
            to_regclass(index)
        ),
        Scope::Table(table) => format!("t.oid = {}", to_regclass(table)),
        Scope::Schema(schema) => {
            format!("t.relnamespace = pg_catalog.to_regnamespace({})", literal(schema))
        }
        Scope::Database => "true".to_owned(),
    };
    let builder =
        format!("EXISTS (SELECT FROM pg_catalog.pg_class AS t WHERE t.oid = l.relation AND {its_tables})");
    if let Some(builder) = find_builder(connection, &builder).await? {
        return Ok(Remains::InTheMaking(Box::new(builder)));
    }
    let copies = rows(
        connection,
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
        Remains::Nothing
    } else {
        Remains::Invalid(copies)
    })
}

async fn detached(
    connection: &Connection,
    parent: &str,
    partition: &str,
) -> Result<Remains, tokio_postgres::Error> {
    let found = rows(
        connection,
        &format!(
            "SELECT i.inhdetachpending, i.inhrelid IS NULL AND NOT c.relispartition \
             FROM pg_catalog.pg_class AS c \
             LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = {} \
             WHERE c.oid = {}",
            to_regclass(parent),
            to_regclass(partition)
        ),
    )
    .await?;
    let is_found = |column| found.first().is_some_and(|row| is(row, column));
    Ok(if is_found(0) {
        Remains::Pending {
            what: format!("{partition} is half detached from {parent}"),
            finish: format!("ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"),
        }
    } else if is_found(1) {
        Remains::Whole(format!("{partition} is no partition any more"))
    } else {
        Remains::Nothing
    })
}

/// Who is building an index where `is_there` says of the table's lock `l`. To drop what is being built, or to queue
/// for the same table with a snapshot, would deadlock with the builder.
async fn find_builder(
    connection: &Connection,
    is_there: &str,
) -> Result<Option<Blocker>, tokio_postgres::Error> {
    blocker::find_one(
        connection,
        &format!(
            "b.pid IN (SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index AS p \
             JOIN pg_catalog.pg_locks AS l ON l.pid = p.pid \
             WHERE p.datname = pg_catalog.current_database() AND l.granted \
             AND l.locktype = 'relation' AND {is_there})"
        ),
    )
    .await
}

fn to_regclass(name: &str) -> String {
    format!("pg_catalog.to_regclass({})", literal(name))
}

fn is(row: &SimpleQueryRow, column: usize) -> bool {
    row.get(column) == Some("t")
}
