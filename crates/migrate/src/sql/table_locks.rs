//! The tables that a migration file locks, as far as its tokens show.

use std::collections::BTreeMap;

use super::statement::Statement;
use super::token_cursor::TokenCursor;

/// Whom a table lock blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockStrength {
    /// Writers: `CREATE INDEX`, `ADD FOREIGN KEY`.
    BlocksWriters,
    /// Readers and writers: most forms of `ALTER TABLE`.
    BlocksReaders,
}

/// Tables and indexes by the name as written in a file, each with the strongest of its locks.
pub type LockedTables = BTreeMap<String, LockStrength>;

/// Adds to `locked` what `statement` locks. Statements inside `EXECUTE`, functions and views are not seen.
pub(super) fn add_locks(locked: &mut LockedTables, statement: &Statement<'_>) {
    add_all(locked, locks_of(statement));
}

/// Adds `locks` to `locked`.
pub fn add_all(locked: &mut LockedTables, locks: impl IntoIterator<Item = (String, LockStrength)>) {
    for (name, strength) in locks {
        let strongest = locked.entry(name).or_insert(strength);
        *strongest = strength.max(*strongest);
    }
}

fn locks_of(statement: &Statement<'_>) -> Vec<(String, LockStrength)> {
    use LockStrength::{BlocksReaders, BlocksWriters};
    let mut locks: Vec<(String, LockStrength)> = references(statement)
        .into_iter()
        .map(|name| (name, BlocksWriters))
        .collect();
    let begins_with = |keywords: &[&str]| statement.begins_with(keywords);
    if begins_with(&["ALTER", "TABLE"]) {
        let name = TokenCursor::from(statement, 2).names().into_iter().next();
        locks.extend(name.zip(strength_of_alter_table(statement)));
    } else if begins_with(&["DROP"]) && !statement.has("CONCURRENTLY") {
        if ["TABLE", "VIEW", "INDEX", "SEQUENCE"]
            .iter()
            .any(|kind| begins_with(&["DROP", kind]))
        {
            locks.extend(
                TokenCursor::from(statement, 2)
                    .names()
                    .into_iter()
                    .map(|name| (name, BlocksReaders)),
            );
        } else if ["TRIGGER", "POLICY", "RULE"]
            .iter()
            .any(|kind| begins_with(&["DROP", kind]))
        {
            locks.extend(name_after(statement, "ON").map(|name| (name, BlocksReaders)));
        }
    } else if begins_with(&["TRUNCATE"]) || begins_with(&["LOCK"]) {
        let is_weaker = statement.has("MODE") && !(statement.has("ACCESS") && statement.has("EXCLUSIVE"));
        if !is_weaker {
            let first = 1 + usize::from(statement.tokens.get(1).is_some_and(|token| token.is("TABLE")));
            locks.extend(
                TokenCursor::from(statement, first)
                    .names()
                    .into_iter()
                    .map(|name| (name, BlocksReaders)),
            );
        }
    } else if begins_with(&["CREATE"]) && !statement.has("CONCURRENTLY") {
        let kind = statement.tokens.iter().find(|token| {
            ["TABLE", "INDEX", "TRIGGER", "POLICY", "RULE", "FUNCTION", "VIEW"]
                .iter()
                .any(|kind| token.is(kind))
        });
        locks.extend(match kind {
            Some(kind) if kind.is("INDEX") || kind.is("TRIGGER") => {
                name_after(statement, "ON").map(|name| (name, BlocksWriters))
            }
            Some(kind) if kind.is("POLICY") => name_after(statement, "ON").map(|name| (name, BlocksReaders)),
            _ => None,
        });
    } else if begins_with(&["CLUSTER"]) {
        locks.extend(
            TokenCursor::from(statement, 1)
                .names()
                .into_iter()
                .map(|name| (name, BlocksReaders)),
        );
    } else if begins_with(&["REFRESH", "MATERIALIZED", "VIEW"]) && !statement.has("CONCURRENTLY") {
        locks.extend(
            TokenCursor::from(statement, 3)
                .names()
                .into_iter()
                .map(|name| (name, BlocksReaders)),
        );
    }
    locks
}

/// `None` if this form of `ALTER TABLE` blocks neither readers nor writers.
fn strength_of_alter_table(statement: &Statement<'_>) -> Option<LockStrength> {
    let has = |keyword| statement.has(keyword);
    if has("VALIDATE") || has("STATISTICS") || has("ATTACH") || has("CONCURRENTLY") || has("FINALIZE") {
        None
    } else if has("TRIGGER") || (has("FOREIGN") && !has("COLUMN") && !has("DROP")) {
        Some(LockStrength::BlocksWriters)
    } else {
        Some(LockStrength::BlocksReaders)
    }
}

/// A foreign key also locks the table that it references.
fn references(statement: &Statement<'_>) -> Vec<String> {
    let makes_tables = statement.begins_with(&["CREATE"]) || statement.begins_with(&["ALTER", "TABLE"]);
    if !makes_tables {
        return Vec::new();
    }
    let positions = statement.tokens.iter().enumerate();
    positions
        .filter(|(_, token)| token.is("REFERENCES"))
        .filter_map(|(at, _)| TokenCursor::from(statement, at + 1).name())
        .collect()
}

fn name_after(statement: &Statement<'_>, keyword: &str) -> Option<String> {
    let at = statement
        .tokens
        .iter()
        .position(|token| token.depth == 0 && token.is(keyword))?;
    TokenCursor::from(statement, at + 1).names().into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::LockStrength::{BlocksReaders, BlocksWriters};
    use super::{LockedTables, add_locks};
    use crate::sql::split;

    #[test]
    fn tables_are_found_by_the_tokens_of_the_statements_that_lock_them() {
        for (sql, expected) in [
            (
                "ALTER TABLE IF EXISTS ONLY s.\"T\" ADD a int",
                vec![("s.\"T\"", BlocksReaders)],
            ),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", vec![]),
            (
                "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id) NOT VALID",
                vec![("t", BlocksWriters), ("u", BlocksWriters)],
            ),
            (
                "ALTER TABLE t ADD COLUMN a int REFERENCES u",
                vec![("t", BlocksReaders), ("u", BlocksWriters)],
            ),
            (
                "CREATE TABLE t (a int REFERENCES s.u (id))",
                vec![("s.u", BlocksWriters)],
            ),
            (
                "DROP TABLE IF EXISTS a, s.b CASCADE",
                vec![("a", BlocksReaders), ("s.b", BlocksReaders)],
            ),
            ("DROP INDEX i", vec![("i", BlocksReaders)]),
            ("DROP INDEX CONCURRENTLY i", vec![]),
            (
                "TRUNCATE TABLE ONLY a, b",
                vec![("a", BlocksReaders), ("b", BlocksReaders)],
            ),
            ("LOCK t", vec![("t", BlocksReaders)]),
            (
                "LOCK TABLE t IN ACCESS EXCLUSIVE MODE",
                vec![("t", BlocksReaders)],
            ),
            ("LOCK TABLE t IN ROW SHARE MODE", vec![]),
            ("CREATE UNIQUE INDEX i ON ONLY t (a)", vec![("t", BlocksWriters)]),
            ("CREATE INDEX ON t (a)", vec![("t", BlocksWriters)]),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", vec![]),
            (
                "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
                vec![("t", BlocksWriters)],
            ),
            ("CREATE POLICY p ON t", vec![("t", BlocksReaders)]),
            ("DROP TRIGGER g ON t", vec![("t", BlocksReaders)]),
            ("CREATE VIEW v AS SELECT * FROM t JOIN u ON true", vec![]),
            ("SELECT 'ALTER TABLE t'; -- DROP TABLE t", vec![]),
            ("INSERT INTO t VALUES (1)", vec![]),
            (
                "CREATE INDEX i ON t (a); ALTER TABLE t ADD b int",
                vec![("t", BlocksReaders)],
            ),
        ] {
            let mut locked = LockedTables::new();
            for statement in split(sql).unwrap() {
                add_locks(&mut locked, &statement);
            }
            let found: Vec<_> = locked.into_iter().collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(name, strength): (&str, _)| (name.to_owned(), strength))
                .collect();
            assert_eq!(found, expected, "{sql}");
        }
    }
}
