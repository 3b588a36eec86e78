//! The tables that a migration file locks, as far as its tokens show.

use super::alter_table::{has_strong_setting, locks_of_alter_table};
use super::locked_table::LockStrength::{self, BlocksReaders, BlocksWriters};
use super::locked_table::{Along, LockedTables, NameOf, NamedLock, TableLock, add_all, relation};
use super::statement::Statement;
use super::token_cursor::TokenCursor;

/// Adds to `locked` what `statement` locks. Statements inside `EXECUTE`, `DO` and functions are not seen.
pub(super) fn add_locks(locked: &mut LockedTables, statement: &Statement<'_>) {
    let kind = statement.tokens.first();
    let locks = match kind.map(|token| token.text.to_ascii_uppercase()).as_deref() {
        Some("ALTER") => locks_of_alter(statement),
        Some("CREATE") => locks_of_create(statement),
        Some("DROP") => locks_of_drop(statement),
        Some("TRUNCATE") => {
            let cascade = statement.has("CASCADE").then_some(Along::Truncated);
            let along = cascade.into_iter().chain([Along::Children]);
            listed(statement, 1, BlocksReaders, along)
        }
        Some("LOCK") => locks_of_lock(statement),
        Some("CLUSTER") => name_after(statement, "ON")
            .or_else(|| name_after_options(statement))
            .map(|name| relation(name, BlocksReaders, [Along::Children]))
            .into_iter()
            .collect(),
        Some("REINDEX") if !statement.has("CONCURRENTLY") => reindexed(statement),
        Some("REFRESH") => refreshed(statement),
        _ => Vec::new(),
    };
    add_all(locked, locks.into_iter().chain(references(statement)));
}

/// Locks on the tables of a list that begins at token number `first`.
fn listed(
    statement: &Statement<'_>,
    first: usize,
    strength: LockStrength,
    along: impl IntoIterator<Item = Along>,
) -> Vec<NamedLock> {
    let along: Vec<Along> = along.into_iter().collect();
    let mut cursor = TokenCursor::from(statement, first);
    cursor.take("TABLE");
    let names = cursor.names().into_iter();
    names
        .map(|name| relation(name, strength, along.iter().cloned()))
        .collect()
}

fn locks_of_alter(statement: &Statement<'_>) -> Vec<NamedLock> {
    let begins_with = |keywords: &[&str]| statement.begins_with(keywords);
    if begins_with(&["ALTER", "TABLE"]) || begins_with(&["ALTER", "VIEW"]) {
        return locks_of_alter_table(statement, 2);
    }
    if begins_with(&["ALTER", "MATERIALIZED", "VIEW"]) || begins_with(&["ALTER", "FOREIGN", "TABLE"]) {
        return locks_of_alter_table(statement, 3);
    }
    if begins_with(&["ALTER", "INDEX"]) {
        let is_strong = if statement.has("SET") && !statement.has("TABLESPACE") || statement.has("RESET") {
            has_strong_setting(&statement.tokens)
        } else {
            !statement.has("RENAME") && !statement.has("STATISTICS")
        };
        let locks = if is_strong {
            listed(statement, 2, BlocksReaders, [])
        } else {
            Vec::new()
        };
        let attached = name_after(statement, "PARTITION");
        let attached = attached.map(|name| relation(name, BlocksReaders, []));
        return locks.into_iter().chain(attached).collect();
    }
    if begins_with(&["ALTER", "SEQUENCE"]) {
        let is_strong = statement.has("RENAME") || statement.has("SCHEMA") || statement.has("OWNER");
        let strength = if is_strong { BlocksReaders } else { BlocksWriters };
        return listed(statement, 2, strength, []);
    }
    if begins_with(&["ALTER", "DOMAIN"]) && statement.has("ADD") {
        let name = TokenCursor::from(statement, 2).name();
        let lock = |name| ((NameOf::Type, name), TableLock::new(BlocksWriters, []));
        return name.map(lock).into_iter().collect();
    }
    let on_table = ["TRIGGER", "POLICY", "RULE"];
    if on_table.iter().any(|kind| begins_with(&["ALTER", kind])) {
        return on(statement, BlocksReaders, true);
    }
    Vec::new()
}

fn locks_of_create(statement: &Statement<'_>) -> Vec<NamedLock> {
    if statement.has("CONCURRENTLY") {
        return Vec::new();
    }
    let kinds = [
        "TABLE",
        "INDEX",
        "TRIGGER",
        "POLICY",
        "RULE",
        "FUNCTION",
        "PROCEDURE",
        "VIEW",
    ];
    let kind = statement
        .tokens
        .iter()
        .position(|token| kinds.iter().any(|kind| token.is(kind)));
    let Some((at, kind)) = kind.map(|at| (at, statement.tokens[at])) else {
        return Vec::new();
    };
    if kind.is("INDEX") || kind.is("TRIGGER") {
        return on(statement, BlocksWriters, true);
    }
    if kind.is("POLICY") {
        return on(statement, BlocksReaders, false);
    }
    if kind.is("RULE") {
        let name = name_after(statement, "TO");
        return name
            .map(|name| relation(name, BlocksReaders, []))
            .into_iter()
            .collect();
    }
    if kind.is("VIEW") && statement.begins_with(&["CREATE", "OR", "REPLACE"]) {
        return listed(statement, at + 1, BlocksReaders, []);
    }
    if kind.is("TABLE") && statement.has("PARTITION") {
        let mut pairs = statement.tokens.windows(2);
        let of = pairs.position(|pair| pair[0].depth == 0 && pair[0].is("PARTITION") && pair[1].is("OF"));
        let parent = of.and_then(|of| TokenCursor::from(statement, of + 2).name());
        let along = [Along::DefaultPartition, Along::ReferencedByCopy];
        return parent
            .map(|parent| relation(parent, BlocksReaders, along))
            .into_iter()
            .collect();
    }
    Vec::new()
}

fn locks_of_drop(statement: &Statement<'_>) -> Vec<NamedLock> {
    if statement.has("CONCURRENTLY") {
        return Vec::new();
    }
    let begins_with = |keywords: &[&str]| statement.begins_with(keywords);
    let is_cascade = statement.has("CASCADE");
    let named = |first| {
        let dependents = [Along::Referencing, Along::Views];
        let dependents = dependents.into_iter().filter(|_| is_cascade);
        listed(
            statement,
            first,
            BlocksReaders,
            dependents.chain([Along::Children, Along::Parent, Along::Referenced]),
        )
    };
    if ["TABLE", "VIEW", "INDEX", "SEQUENCE"]
        .iter()
        .any(|kind| begins_with(&["DROP", kind]))
    {
        return named(2);
    }
    if begins_with(&["DROP", "MATERIALIZED", "VIEW"]) || begins_with(&["DROP", "FOREIGN", "TABLE"]) {
        return named(3);
    }
    if ["TRIGGER", "POLICY", "RULE"]
        .iter()
        .any(|kind| begins_with(&["DROP", kind]))
    {
        return on(statement, BlocksReaders, begins_with(&["DROP", "TRIGGER"]));
    }
    let kind = if begins_with(&["DROP", "SCHEMA"]) {
        NameOf::Schema
    } else if begins_with(&["DROP", "TYPE"]) || begins_with(&["DROP", "DOMAIN"]) {
        NameOf::Type
    } else {
        return Vec::new();
    };
    if !is_cascade {
        return Vec::new();
    }
    let along = [
        Along::Children,
        Along::Parent,
        Along::Referenced,
        Along::Referencing,
        Along::Views,
    ];
    // Of a type the server drops columns, and keeps their tables.
    let along = along
        .into_iter()
        .filter(|along| kind == NameOf::Schema || matches!(along, Along::Views | Along::Children));
    let along: Vec<Along> = along.collect();
    let dropped = TokenCursor::from(statement, 2).names().into_iter();
    dropped
        .map(|name| ((kind, name), TableLock::new(BlocksReaders, along.iter().cloned())))
        .collect()
}

/// `LOCK` takes the lock on what a view uses too.
fn locks_of_lock(statement: &Statement<'_>) -> Vec<NamedLock> {
    let in_mode = |words: &[&str]| {
        let mode = statement.tokens.iter().rposition(|token| token.is("MODE"));
        let start = statement.tokens.iter().rposition(|token| token.is("IN"));
        let found = start
            .zip(mode)
            .and_then(|(start, end)| statement.tokens.get(start + 1..end));
        found.is_some_and(|found| {
            found.len() == words.len() && words.iter().zip(found).all(|(word, token)| token.is(word))
        })
    };
    let weak: [&[&str]; 4] = [
        &["ACCESS", "SHARE"],
        &["ROW", "SHARE"],
        &["ROW", "EXCLUSIVE"],
        &["SHARE", "UPDATE", "EXCLUSIVE"],
    ];
    let writers: [&[&str]; 3] = [&["SHARE"], &["SHARE", "ROW", "EXCLUSIVE"], &["EXCLUSIVE"]];
    if weak.iter().any(|mode| in_mode(mode)) {
        return Vec::new();
    }
    let strength = if writers.iter().any(|mode| in_mode(mode)) {
        BlocksWriters
    } else {
        BlocksReaders
    };
    listed(statement, 1, strength, [Along::Children, Along::Used])
}

/// The server locks the indexes of a table more strongly than the table, and who reads the table reads about them.
fn reindexed(statement: &Statement<'_>) -> Vec<NamedLock> {
    let kind = statement
        .tokens
        .iter()
        .position(|token| token.depth == 0 && (token.is("INDEX") || token.is("TABLE")));
    kind.map_or_else(Vec::new, |kind| {
        listed(statement, kind + 1, BlocksReaders, [Along::Children])
    })
}

fn refreshed(statement: &Statement<'_>) -> Vec<NamedLock> {
    let strength = if statement.has("CONCURRENTLY") {
        BlocksWriters
    } else {
        BlocksReaders
    };
    let first = 3 + usize::from(strength == BlocksWriters);
    listed(statement, first, strength, [])
}

/// A foreign key also locks the table that it references.
fn references(statement: &Statement<'_>) -> Vec<NamedLock> {
    let makes_tables = statement.begins_with(&["CREATE"]) || statement.begins_with(&["ALTER", "TABLE"]);
    if !makes_tables {
        return Vec::new();
    }
    let positions = statement.tokens.iter().enumerate();
    positions
        .filter(|(_, token)| token.is("REFERENCES"))
        .filter_map(|(at, _)| TokenCursor::from(statement, at + 1).name())
        .map(|name| relation(name, BlocksWriters, [Along::Partitions]))
        .collect()
}

/// The table after `ON`; with its partitions, unless `ONLY` stands there.
fn on(statement: &Statement<'_>, strength: LockStrength, goes_down: bool) -> Vec<NamedLock> {
    let Some(name) = name_after(statement, "ON") else {
        return Vec::new();
    };
    let is_only = statement.has_pair("ON", "ONLY");
    let children = (goes_down && !is_only).then_some(Along::Children);
    vec![relation(name, strength, children)]
}

fn name_after(statement: &Statement<'_>, keyword: &str) -> Option<String> {
    let at = statement
        .tokens
        .iter()
        .position(|token| token.depth == 0 && token.is(keyword))?;
    TokenCursor::from(statement, at + 1).names().into_iter().next()
}

/// The table of `CLUSTER (VERBOSE) t` or `CLUSTER VERBOSE t`.
fn name_after_options(statement: &Statement<'_>) -> Option<String> {
    let mut cursor = TokenCursor::from(statement, 1);
    cursor.skip_parentheses();
    cursor.take("VERBOSE");
    cursor.name()
}

#[cfg(test)]
mod tests {
    use super::{LockedTables, add_locks};
    use crate::sql::LockStrength::{self, BlocksReaders, BlocksWriters};
    use crate::sql::split;

    fn locks(sql: &str) -> Vec<(String, LockStrength)> {
        let mut locked = LockedTables::new();
        for statement in split(sql).unwrap() {
            add_locks(&mut locked, &statement);
        }
        let found = locked.into_iter();
        found.map(|((_, name), lock)| (name, lock.strength)).collect()
    }

    /// What the server locks for each kind of statement is compared with a server, beside the query.
    #[test]
    fn tables_are_found_by_the_tokens_of_the_statements_that_lock_them() {
        for (sql, expected) in [
            (
                "ALTER TABLE IF EXISTS ONLY s.\"T\" ADD a int",
                vec![("s.\"T\"", BlocksReaders)],
            ),
            ("ALTER TABLE t * ADD a int", vec![("t", BlocksReaders)]),
            (
                "CREATE INDEX i ON t (a); ALTER TABLE t ADD b int",
                vec![("t", BlocksReaders)],
            ),
            ("DROP INDEX CONCURRENTLY i", vec![]),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", vec![]),
            ("REINDEX TABLE CONCURRENTLY t", vec![]),
            ("CLUSTER (VERBOSE) t USING i", vec![("t", BlocksReaders)]),
            ("CLUSTER i ON t", vec![("t", BlocksReaders)]),
            (
                "LOCK TABLE ONLY a, b IN SHARE MODE NOWAIT",
                vec![("a", BlocksWriters), ("b", BlocksWriters)],
            ),
            ("LOCK t IN ACCESS EXCLUSIVE MODE", vec![("t", BlocksReaders)]),
            ("DROP SCHEMA s; DROP TYPE t", vec![]),
            ("SELECT 'ALTER TABLE t'; -- DROP TABLE t", vec![]),
            ("DO $$ BEGIN DROP TABLE t; END $$", vec![]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(name, strength): (&str, _)| (name.to_owned(), strength))
                .collect();
            assert_eq!(locks(sql), expected, "{sql}");
        }
    }
}
