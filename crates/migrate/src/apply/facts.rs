//! What has to be known of files and objects before Drizzle's table can be compared with a folder: at most two more round trips,
//! and none in most runs.

use std::collections::BTreeSet;

use tokio::time::timeout;
use tokio_postgres::Client;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError};
use zerostarter_connect::quote::literal;
use zerostarter_connect::search_path::SAFE;

use crate::ledger::{Facts, Objects, Snapshot, may_act_as_us};
use crate::source::Migration;
use crate::watch::catalog_query::{result_rows, text};

/// Adds the facts to `snapshot`, which was just read through `client`.
pub(super) async fn find_facts(
    client: &Client,
    snapshot: &mut Snapshot,
    migrations: &[Migration],
) -> Result<(), AttemptError> {
    if snapshot.ledger.own_schema().is_none() {
        return Ok(());
    }
    let finding = timeout(ATTEMPT_LIMIT, look_up(client, snapshot, migrations));
    let outcome = finding.await.map_err(|_| AttemptError::TimedOut(ATTEMPT_LIMIT))?;
    outcome.map_err(AttemptError::Postgres)
}

async fn look_up(
    client: &Client,
    snapshot: &mut Snapshot,
    migrations: &[Migration],
) -> Result<(), tokio_postgres::Error> {
    let is_new = snapshot.applied().is_empty();
    if is_new && snapshot.drizzle.has_objects {
        snapshot.drizzle.other_table = find_other_table(client, snapshot, migrations).await?;
    }
    let mut facts = Facts::gather(snapshot.applied(), migrations, snapshot.drizzle.has_objects);
    find_objects(client, &mut facts, &snapshot.schema).await?;
    snapshot.drizzle.facts = facts;
    Ok(())
}

/// Looks the objects of `facts` up, if there are any.
pub(super) async fn find_objects(
    client: &Client,
    facts: &mut Facts,
    schema: &str,
) -> Result<(), tokio_postgres::Error> {
    let objects = facts.objects();
    if !objects.is_empty() {
        let answers = client.simple_query(&Objects::query(&objects, schema)).await?;
        let mut found = Objects::default();
        found.note(&objects, &answers);
        facts.note(found);
    }
    Ok(())
}

const READ_ONLY: &str =
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY;\nSET LOCAL row_security = off";

/// Another table with Drizzle's columns, in which a migration of the folder is recorded. Only of an owner who could act as us in
/// any case: to plan a query runs the functions of indexes.
async fn find_other_table(
    client: &Client,
    snapshot: &Snapshot,
    migrations: &[Migration],
) -> Result<Option<String>, tokio_postgres::Error> {
    let ours = snapshot.history_table();
    let query = format!(
        "{READ_ONLY};\n{SAFE};\n\
         SELECT format('%I.%I', s.nspname, c.relname) FROM pg_class AS c \
         JOIN pg_namespace AS s ON s.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND NOT c.relrowsecurity AND NOT c.relhasrules AND {trusted} AND has_schema_privilege(s.oid, 'USAGE') \
         AND has_table_privilege(c.oid, 'SELECT') AND c.oid IS DISTINCT FROM CAST(to_regclass({ours}) AS oid) \
         AND (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND NOT a.attisdropped \
           AND (a.attname IN ('id', 'created_at') OR (a.attname = 'hash' AND a.atttypid = CAST('text' AS regtype)))) = 3 \
         ORDER BY 1",
        ours = literal(&ours),
        trusted = may_act_as_us("c.relowner")
    );
    let tables = result_rows(client.simple_query(&query).await?);
    let hashes: BTreeSet<String> = migrations
        .iter()
        .map(|migration| literal(&migration.checksum().to_string()))
        .collect();
    let hashes = hashes.into_iter().collect::<Vec<_>>().join(", ");
    for table in tables.iter().filter_map(|row| text(row, 0)) {
        let query = format!("{READ_ONLY};\n{SAFE};\nSELECT FROM {table} WHERE hash IN ({hashes}) LIMIT 1");
        if !result_rows(client.simple_query(&query).await?).is_empty() {
            return Ok(Some(table));
        }
    }
    Ok(None)
}
