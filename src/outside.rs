//! Statements that PostgreSQL runs only outside a transaction: which there are, and what has to be known of one to
//! run it again after a crash.

use crate::statement::{Statement, split};
use crate::words::Words;

/// A statement that runs alone, outside a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// As messages name it, such as `CREATE INDEX CONCURRENTLY`.
    pub command: &'static str,
    /// What it does to what.
    pub effect: Effect,
    /// Whether the application queues behind it while it waits for its lock, as behind `VACUUM FULL`. What is
    /// built concurrently waits where it is in nobody's way.
    pub is_in_the_way: bool,
}

/// What a statement does, as far as an earlier try that was interrupted can be told from its traces. Names are as
/// they are written, with their schema and their quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `CREATE INDEX CONCURRENTLY`.
    CreateIndex {
        /// The index.
        index: String,
        /// Its table.
        table: String,
        /// The same on an empty table.
        twin: Twin,
    },
    /// `DROP INDEX CONCURRENTLY`.
    DropIndex {
        /// The index.
        index: String,
    },
    /// `REINDEX … CONCURRENTLY`.
    Reindex(Scope),
    /// `ALTER TABLE … DETACH PARTITION … CONCURRENTLY`.
    DetachPartition {
        /// The partitioned table.
        parent: String,
        /// What becomes a table of its own.
        partition: String,
    },
    /// `VACUUM` and others that can be run again from the beginning, and leave nothing behind.
    Repeatable,
}

/// An index as the file has it, on a table of the same name in the session's temporary schema: it shows how the
/// server writes the definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// The table's name, without a schema.
    pub table: String,
    /// The statement that makes the index.
    pub index: String,
}

/// What is indexed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One index.
    Index(String),
    /// The indexes of one table.
    Table(String),
    /// All indexes of a schema.
    Schema(String),
    /// All indexes of the database.
    Database,
}

/// Why a statement that cannot run in a transaction cannot run outside of one either, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// What it is about.
    pub problem: &'static str,
    /// What to do.
    pub hint: &'static str,
}

/// The only statement of a file that has to run outside a transaction; `None` for all other files.
#[must_use]
pub fn only_statement(sql: &str) -> Option<Outside> {
    match &split(sql).ok()?[..] {
        [statement] => recognise(sql, statement)?.ok(),
        _ => None,
    }
}

/// Whether PostgreSQL refuses `statement`, which is in `sql`, inside a transaction.
///
/// # Errors
///
/// [`Unfit`] for one that must not be in a migration at all, or not in this form.
#[must_use]
pub fn recognise(sql: &str, statement: &Statement<'_>) -> Option<Result<Outside, Unfit>> {
    const CLUSTER_WIDE: &[(&[&str], &str)] = &[
        (
            &["CREATE", "DATABASE"],
            "CREATE DATABASE is about the whole server",
        ),
        (&["DROP", "DATABASE"], "DROP DATABASE is about the whole server"),
        (
            &["CREATE", "TABLESPACE"],
            "CREATE TABLESPACE is about the whole server",
        ),
        (
            &["DROP", "TABLESPACE"],
            "DROP TABLESPACE is about the whole server",
        ),
    ];
    if let Some((_, problem)) = CLUSTER_WIDE
        .iter()
        .find(|(words, _)| statement.begins_with(words))
    {
        let hint = "a migration changes one database; prepare the server where it is set up";
        return Some(Err(Unfit { problem, hint }));
    }
    if statement.begins_with(&["VACUUM"]) {
        // Also among its options in parentheses.
        let is_full = statement.words.iter().any(|word| word.is("FULL"));
        return Some(Ok(repeatable("VACUUM", is_full)));
    }
    if statement.begins_with(&["ALTER", "SYSTEM"]) {
        return Some(Ok(repeatable("ALTER SYSTEM", false)));
    }
    if statement.begins_with(&["CLUSTER"]) && has_options_only(statement) {
        return Some(Ok(repeatable("CLUSTER of all tables", true)));
    }
    if statement.begins_with(&["REINDEX"]) {
        return reindex(statement).map(Ok);
    }
    if !statement.has("CONCURRENTLY") {
        return None;
    }
    if statement.begins_with(&["CREATE", "INDEX"]) || statement.begins_with(&["CREATE", "UNIQUE", "INDEX"]) {
        return Some(create_index(sql, statement));
    }
    if statement.begins_with(&["DROP", "INDEX"]) {
        return Some(drop_index(statement));
    }
    if statement.begins_with(&["ALTER", "TABLE"]) && statement.has("DETACH") {
        return Some(detach_partition(statement));
    }
    None
}

/// Whether only `VERBOSE` or options in parentheses come after the first word.
fn has_options_only(statement: &Statement<'_>) -> bool {
    statement.words[1..]
        .iter()
        .all(|word| word.depth > 0 || word.is("VERBOSE") || ["(", ")"].contains(&word.text))
}

fn repeatable(command: &'static str, is_in_the_way: bool) -> Outside {
    Outside {
        command,
        effect: Effect::Repeatable,
        is_in_the_way,
    }
}

/// `CREATE [UNIQUE] INDEX CONCURRENTLY [IF NOT EXISTS] name ON [ONLY] table …`
fn create_index(sql: &str, statement: &Statement<'_>) -> Result<Outside, Unfit> {
    let mut words = Words::new(statement);
    words.take("CREATE");
    let is_unique = words.take("UNIQUE");
    words.take("INDEX");
    words.take("CONCURRENTLY");
    if words.take("IF") {
        words.take("NOT");
        words.take("EXISTS");
    }
    let nameless = Unfit {
        problem: "CREATE INDEX CONCURRENTLY without a name could not be told from another index after a crash",
        hint: "give the index a name",
    };
    if words.is_at("ON") {
        return Err(nameless);
    }
    let index = words.name().ok_or(nameless)?;
    words.take("ON");
    words.take("ONLY");
    let table = words.name().ok_or(nameless)?;
    let unqualified = words.last_taken().to_owned();
    let unique = if is_unique { "UNIQUE " } else { "" };
    let rest = &sql[words.offset(statement)..statement.span.end];
    Ok(Outside {
        command: if is_unique {
            "CREATE UNIQUE INDEX CONCURRENTLY"
        } else {
            "CREATE INDEX CONCURRENTLY"
        },
        effect: Effect::CreateIndex {
            twin: Twin {
                index: format!("CREATE {unique}INDEX {index} ON pg_temp.{unqualified} {rest}"),
                table: unqualified,
            },
            index,
            table,
        },
        is_in_the_way: false,
    })
}

/// `DROP INDEX CONCURRENTLY [IF EXISTS] name`
fn drop_index(statement: &Statement<'_>) -> Result<Outside, Unfit> {
    let mut words = Words::new(statement);
    words.take("DROP");
    words.take("INDEX");
    words.take("CONCURRENTLY");
    if words.take("IF") {
        words.take("EXISTS");
    }
    let index = words.name().ok_or(Unfit {
        problem: "DROP INDEX CONCURRENTLY names no index",
        hint: "name one index",
    })?;
    Ok(Outside {
        command: "DROP INDEX CONCURRENTLY",
        effect: Effect::DropIndex { index },
        is_in_the_way: false,
    })
}

/// `REINDEX [(option, …)] {INDEX | TABLE | SCHEMA | DATABASE | SYSTEM} [CONCURRENTLY] [name]`
fn reindex(statement: &Statement<'_>) -> Option<Outside> {
    let is_concurrent = statement.words.iter().any(|word| word.is("CONCURRENTLY"));
    let mut words = Words::new(statement);
    words.take("REINDEX");
    words.skip_parentheses();
    let kind = words.next()?;
    words.take("CONCURRENTLY");
    let name = words.name();
    let is_of_many = ["SCHEMA", "DATABASE", "SYSTEM"].iter().any(|many| kind.is(many));
    if !is_concurrent {
        // The others run in a transaction.
        return is_of_many.then(|| repeatable("REINDEX of many tables", true));
    }
    let scope = match name {
        Some(name) if kind.is("INDEX") => Scope::Index(name),
        Some(name) if kind.is("TABLE") => Scope::Table(name),
        Some(name) if kind.is("SCHEMA") => Scope::Schema(name),
        _ => Scope::Database,
    };
    Some(Outside {
        command: "REINDEX CONCURRENTLY",
        effect: Effect::Reindex(scope),
        is_in_the_way: false,
    })
}

/// `ALTER TABLE [IF EXISTS] parent DETACH PARTITION partition CONCURRENTLY`
fn detach_partition(statement: &Statement<'_>) -> Result<Outside, Unfit> {
    let unreadable = Unfit {
        problem: "ALTER TABLE … DETACH PARTITION … CONCURRENTLY names no table and partition",
        hint: "write ALTER TABLE parent DETACH PARTITION partition CONCURRENTLY",
    };
    let mut words = Words::new(statement);
    words.take("ALTER");
    words.take("TABLE");
    if words.take("IF") {
        words.take("EXISTS");
    }
    let parent = words.name().ok_or(unreadable)?;
    words.take("DETACH");
    words.take("PARTITION");
    let partition = words.name().ok_or(unreadable)?;
    Ok(Outside {
        command: "ALTER TABLE … DETACH PARTITION … CONCURRENTLY",
        effect: Effect::DetachPartition { parent, partition },
        is_in_the_way: false,
    })
}

#[cfg(test)]
mod tests {
    use super::{Effect, Outside, Scope, only_statement};

    fn effect(sql: &str) -> Option<Effect> {
        only_statement(sql).map(|outside| outside.effect)
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        let Some(Effect::CreateIndex { index, table, twin }) = effect(
            "create unique index concurrently /* why */ if not exists \"My i\" on only \"S\" . t using btree (a) where b; -- end",
        ) else {
            panic!("an index");
        };
        assert_eq!((index.as_str(), table.as_str()), ("\"My i\"", "\"S\".t"));
        assert_eq!(
            twin.index,
            "CREATE UNIQUE INDEX \"My i\" ON pg_temp.t using btree (a) where b"
        );
        assert_eq!(
            effect("DROP INDEX CONCURRENTLY IF EXISTS s.i"),
            Some(Effect::DropIndex {
                index: "s.i".to_owned()
            })
        );
        assert_eq!(
            effect("ALTER TABLE m DETACH PARTITION s.m1 CONCURRENTLY"),
            Some(Effect::DetachPartition {
                parent: "m".to_owned(),
                partition: "s.m1".to_owned()
            })
        );
    }

    #[test]
    fn a_reindex_has_its_options_before_and_behind_its_kind() {
        let scope = |sql| match effect(sql) {
            Some(Effect::Reindex(scope)) => Some(scope),
            _ => None,
        };
        assert_eq!(
            scope("REINDEX INDEX CONCURRENTLY i"),
            Some(Scope::Index("i".to_owned()))
        );
        assert_eq!(
            scope("REINDEX (VERBOSE, TABLESPACE x, CONCURRENTLY) TABLE s.t"),
            Some(Scope::Table("s.t".to_owned()))
        );
        assert_eq!(
            scope("REINDEX SCHEMA CONCURRENTLY s"),
            Some(Scope::Schema("s".to_owned()))
        );
        assert_eq!(scope("REINDEX DATABASE CONCURRENTLY"), Some(Scope::Database));
        assert_eq!(effect("REINDEX TABLE t"), None);
        assert_eq!(effect("REINDEX SCHEMA s"), Some(Effect::Repeatable));
    }

    #[test]
    fn what_runs_in_a_transaction_is_left_there() {
        for sql in [
            "CREATE INDEX i ON t (a)",
            "CREATE INDEX concurrently_made ON t (a)",
            "ALTER TYPE mood ADD VALUE 'calm'",
            "CLUSTER t USING i",
            "ALTER TABLE t DETACH PARTITION p",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            "ANALYZE t",
        ] {
            assert_eq!(only_statement(sql), None, "{sql}");
        }
        for (sql, expected) in [
            ("VACUUM t", false),
            ("VACUUM (ANALYZE, FULL) t", true),
            ("CLUSTER", true),
            ("CLUSTER (VERBOSE)", true),
        ] {
            let is_in_the_way = only_statement(sql).map(|Outside { is_in_the_way, .. }| is_in_the_way);
            assert_eq!(is_in_the_way, Some(expected), "{sql}");
        }
    }
}
