//! The tables that a file will lock, as far as its words tell, and the old transactions it would queue behind.
//!
//! Whoever waits for such a lock keeps everybody waiting who comes after. Behind a transaction that has been open
//! for long already, that waiting is most likely for nothing, so the end of it is waited for outside of the queue.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::blocker::{Wait, columns, read_blocker, rows, text};
use crate::connection::Connection;
use crate::duration::millis;
use crate::lock::raise_unless;
use crate::sql::literal;
use crate::statement::{Statement, split};
use crate::words::Words;

/// What PostgreSQL is made to complain about when there is an old transaction in the way.
pub(crate) const OLD_TRANSACTION: &str = "zerostarter-db: an old transaction is in the way";

/// Whom a lock keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excludes {
    /// Who writes; as `CREATE INDEX` and `ADD FOREIGN KEY` do.
    Writers,
    /// Everybody; as most forms of `ALTER TABLE` do.
    Everybody,
}

/// The tables and indexes that the statements of some files lock, by name as it is written there, each with the
/// strongest of its locks. What is behind `EXECUTE`, in functions or in views is not seen.
#[must_use]
pub fn locked_tables<'a>(files: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Excludes> {
    let mut locked = BTreeMap::new();
    let statements = files.into_iter().flat_map(|sql| split(sql).unwrap_or_default());
    for statement in statements {
        for (name, excludes) in locks_of(&statement) {
            let strongest: &mut Excludes = locked.entry(name).or_insert(excludes);
            *strongest = excludes.max(*strongest);
        }
    }
    locked
}

fn locks_of(statement: &Statement<'_>) -> Vec<(String, Excludes)> {
    use Excludes::{Everybody, Writers};
    let mut locks: Vec<(String, Excludes)> = references(statement)
        .into_iter()
        .map(|name| (name, Writers))
        .collect();
    let begins_with = |keywords: &[&str]| statement.begins_with(keywords);
    if begins_with(&["ALTER", "TABLE"]) {
        let name = Words::from(statement, 2).names().into_iter().next();
        locks.extend(name.zip(strength_of_alter_table(statement)));
    } else if begins_with(&["DROP"]) && !statement.has("CONCURRENTLY") {
        if ["TABLE", "VIEW", "INDEX", "SEQUENCE"]
            .iter()
            .any(|kind| begins_with(&["DROP", kind]))
        {
            locks.extend(
                Words::from(statement, 2)
                    .names()
                    .into_iter()
                    .map(|name| (name, Everybody)),
            );
        } else if ["TRIGGER", "POLICY", "RULE"]
            .iter()
            .any(|kind| begins_with(&["DROP", kind]))
        {
            locks.extend(name_after(statement, "ON").map(|name| (name, Everybody)));
        }
    } else if begins_with(&["TRUNCATE"]) || begins_with(&["LOCK"]) {
        let is_weaker = statement.has("MODE") && !(statement.has("ACCESS") && statement.has("EXCLUSIVE"));
        if !is_weaker {
            let first = 1 + usize::from(statement.words.get(1).is_some_and(|word| word.is("TABLE")));
            locks.extend(
                Words::from(statement, first)
                    .names()
                    .into_iter()
                    .map(|name| (name, Everybody)),
            );
        }
    } else if begins_with(&["CREATE"]) && !statement.has("CONCURRENTLY") {
        let kind = statement.words.iter().find(|word| {
            ["TABLE", "INDEX", "TRIGGER", "POLICY", "RULE", "FUNCTION", "VIEW"]
                .iter()
                .any(|kind| word.is(kind))
        });
        locks.extend(match kind {
            Some(kind) if kind.is("INDEX") || kind.is("TRIGGER") => {
                name_after(statement, "ON").map(|name| (name, Writers))
            }
            Some(kind) if kind.is("POLICY") => name_after(statement, "ON").map(|name| (name, Everybody)),
            _ => None,
        });
    } else if begins_with(&["CLUSTER"]) {
        locks.extend(
            Words::from(statement, 1)
                .names()
                .into_iter()
                .map(|name| (name, Everybody)),
        );
    } else if begins_with(&["REFRESH", "MATERIALIZED", "VIEW"]) && !statement.has("CONCURRENTLY") {
        locks.extend(
            Words::from(statement, 3)
                .names()
                .into_iter()
                .map(|name| (name, Everybody)),
        );
    }
    locks
}

/// `None` where the form of `ALTER TABLE` lets others read and write.
fn strength_of_alter_table(statement: &Statement<'_>) -> Option<Excludes> {
    let has = |keyword| statement.has(keyword);
    if has("VALIDATE") || has("STATISTICS") || has("ATTACH") || has("CONCURRENTLY") || has("FINALIZE") {
        None
    } else if has("TRIGGER") || (has("FOREIGN") && !has("COLUMN") && !has("DROP")) {
        Some(Excludes::Writers)
    } else {
        Some(Excludes::Everybody)
    }
}

/// A foreign key locks the table that it refers to as well.
fn references(statement: &Statement<'_>) -> Vec<String> {
    let makes_tables = statement.begins_with(&["CREATE"]) || statement.begins_with(&["ALTER", "TABLE"]);
    if !makes_tables {
        return Vec::new();
    }
    let positions = statement.words.iter().enumerate();
    positions
        .filter(|(_, word)| word.is("REFERENCES"))
        .filter_map(|(at, _)| Words::from(statement, at + 1).name())
        .collect()
}

fn name_after(statement: &Statement<'_>, keyword: &str) -> Option<String> {
    let at = statement
        .words
        .iter()
        .position(|word| word.depth == 0 && word.is(keyword))?;
    Words::from(statement, at + 1).names().into_iter().next()
}

/// A statement that raises if a transaction older than `age` holds a lock for which `tables` would have to queue.
pub(crate) fn raise_if_old(tables: &BTreeMap<String, Excludes>, age: Duration) -> Option<String> {
    let found = old_locks(tables, age, "")?;
    Some(raise_unless(
        &format!("NOT EXISTS (SELECT {found})"),
        OLD_TRANSACTION,
    ))
}

/// The oldest of these transactions and its lock.
pub(crate) async fn find_old(
    connection: &Connection,
    tables: &BTreeMap<String, Excludes>,
    age: Duration,
) -> Result<Option<Wait>, tokio_postgres::Error> {
    let beside = "LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = locked.pid";
    let Some(found) = old_locks(tables, age, beside) else {
        return Ok(None);
    };
    let found = rows(
        connection,
        &format!(
            "SELECT locked.relation::pg_catalog.regclass, locked.pid, {} {found} \
             ORDER BY a.xact_start NULLS FIRST, locked.pid LIMIT 1",
            columns()
        ),
    )
    .await?;
    Ok(found.first().map(|row| Wait {
        since: String::new(),
        waited: Duration::ZERO,
        relation: text(row, 0),
        is_for_transaction: false,
        blockers: vec![read_blocker(row, 1)],
    }))
}

/// `FROM` and `WHERE` of a question for these transactions. The functions behind the views, because planning the
/// views costs a new server process more than running them. The age of a session that our role may not look into is
/// not known; autovacuum steps aside for whoever queues.
fn old_locks(tables: &BTreeMap<String, Excludes>, age: Duration, beside: &str) -> Option<String> {
    if tables.is_empty() {
        return None;
    }
    let named: Vec<String> = tables
        .iter()
        .map(|(name, excludes)| format!("({}, {})", oid_of(name), *excludes == Excludes::Everybody))
        .collect();
    Some(format!(
        "FROM (VALUES {named}) AS named (relation, is_exclusive) \
         JOIN pg_catalog.pg_lock_status() AS locked ON locked.granted AND locked.relation IN (named.relation, \
           (SELECT i.indrelid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = named.relation)) \
           AND (named.is_exclusive OR locked.mode NOT IN ('AccessShareLock', 'RowShareLock')) \
         LEFT JOIN pg_catalog.pg_stat_get_activity(NULL) AS a ON a.pid = locked.pid {beside} \
         WHERE locked.pid IS NULL OR (locked.pid <> pg_catalog.pg_backend_pid() \
           AND a.backend_type <> 'autovacuum worker' \
           AND a.xact_start < pg_catalog.clock_timestamp() - CAST('{age} ms' AS interval))",
        named = named.join(", "),
        age = millis(age),
    ))
}

/// A relation's number, or NULL. To look into a schema that is closed to our role is an error, and the file may
/// become somebody to whom it is open.
fn oid_of(name: &str) -> String {
    let name = literal(name);
    format!(
        "CASE WHEN pg_catalog.array_length(pg_catalog.parse_ident({name}), 1) = 1 \
         OR pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace(pg_catalog.quote_ident((\
         pg_catalog.parse_ident({name}))[1])), 'USAGE') THEN pg_catalog.to_regclass({name}) END"
    )
}

#[cfg(test)]
mod tests {
    use super::Excludes::{Everybody, Writers};
    use super::locked_tables;

    #[test]
    fn tables_are_told_by_the_words_of_the_statements_that_lock_them() {
        for (sql, expected) in [
            (
                "ALTER TABLE IF EXISTS ONLY s.\"T\" ADD a int",
                vec![("s.\"T\"", Everybody)],
            ),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", vec![]),
            (
                "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id) NOT VALID",
                vec![("t", Writers), ("u", Writers)],
            ),
            (
                "ALTER TABLE t ADD COLUMN a int REFERENCES u",
                vec![("t", Everybody), ("u", Writers)],
            ),
            (
                "CREATE TABLE t (a int REFERENCES s.u (id))",
                vec![("s.u", Writers)],
            ),
            (
                "DROP TABLE IF EXISTS a, s.b CASCADE",
                vec![("a", Everybody), ("s.b", Everybody)],
            ),
            ("DROP INDEX i", vec![("i", Everybody)]),
            ("DROP INDEX CONCURRENTLY i", vec![]),
            (
                "TRUNCATE TABLE ONLY a, b",
                vec![("a", Everybody), ("b", Everybody)],
            ),
            ("LOCK t", vec![("t", Everybody)]),
            ("LOCK TABLE t IN ACCESS EXCLUSIVE MODE", vec![("t", Everybody)]),
            ("LOCK TABLE t IN ROW SHARE MODE", vec![]),
            ("CREATE UNIQUE INDEX i ON ONLY t (a)", vec![("t", Writers)]),
            ("CREATE INDEX ON t (a)", vec![("t", Writers)]),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", vec![]),
            (
                "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
                vec![("t", Writers)],
            ),
            ("CREATE POLICY p ON t", vec![("t", Everybody)]),
            ("DROP TRIGGER g ON t", vec![("t", Everybody)]),
            ("CREATE VIEW v AS SELECT * FROM t JOIN u ON true", vec![]),
            ("SELECT 'ALTER TABLE t'; -- DROP TABLE t", vec![]),
            ("INSERT INTO t VALUES (1)", vec![]),
            (
                "CREATE INDEX i ON t (a); ALTER TABLE t ADD b int",
                vec![("t", Everybody)],
            ),
        ] {
            let found: Vec<_> = locked_tables([sql]).into_iter().collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(name, excludes): (&str, _)| (name.to_owned(), excludes))
                .collect();
            assert_eq!(found, expected, "{sql}");
        }
    }
}
