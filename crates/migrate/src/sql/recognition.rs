//! Which statements are non-transactional.

use super::non_transactional::{Effect, NonTransactional, Probe, Scope};
use super::statement::Statement;
use super::token_cursor::TokenCursor;

/// Why a non-transactional statement cannot be a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The problem.
    pub problem: &'static str,
    /// What to do.
    pub hint: &'static str,
}

/// What `statement` of the text `sql` is, if PostgreSQL refuses it inside a transaction block.
///
/// # Errors
///
/// [`Unsupported`] if it cannot be a migration, or not in this form.
#[must_use]
pub fn recognise(sql: &str, statement: &Statement<'_>) -> Option<Result<NonTransactional, Unsupported>> {
    const CLUSTER_WIDE: &[(&[&str], &str)] = &[
        (
            &["CREATE", "DATABASE"],
            "CREATE DATABASE affects the whole server",
        ),
        (&["DROP", "DATABASE"], "DROP DATABASE affects the whole server"),
        (
            &["CREATE", "TABLESPACE"],
            "CREATE TABLESPACE affects the whole server",
        ),
        (
            &["DROP", "TABLESPACE"],
            "DROP TABLESPACE affects the whole server",
        ),
    ];
    if let Some((_, problem)) = CLUSTER_WIDE
        .iter()
        .find(|(keywords, _)| statement.begins_with(keywords))
    {
        let hint = "a migration changes one database; prepare the server where it is set up";
        return Some(Err(Unsupported { problem, hint }));
    }
    if statement.begins_with(&["VACUUM"]) {
        // Also among its options in parentheses.
        let is_full = statement.tokens.iter().any(|token| token.is("FULL"));
        return Some(Ok(repeatable("VACUUM", is_full)));
    }
    if statement.begins_with(&["ALTER", "SYSTEM"]) {
        return Some(Ok(repeatable("ALTER SYSTEM", false)));
    }
    if statement.begins_with(&["CLUSTER"]) && has_options_only(statement) {
        return Some(Ok(repeatable("CLUSTER of all tables", true)));
    }
    if statement.begins_with(&["REPACK"]) {
        return repack(statement).map(Ok);
    }
    if statement.begins_with(&["ALTER", "DATABASE"]) && has_pair(statement, "SET", "TABLESPACE") {
        return Some(Ok(repeatable("ALTER DATABASE … SET TABLESPACE", false)));
    }
    if let Some(command) = changes_subscription(statement) {
        let effect = Effect::Unknown { commits: false };
        return Some(Ok(NonTransactional {
            command,
            effect,
            blocks_readers: false,
        }));
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

/// `REPACK [(option, …)] [table] [USING INDEX …]` of PostgreSQL 19: with `CONCURRENTLY`, or of all tables.
fn repack(statement: &Statement<'_>) -> Option<NonTransactional> {
    let is_concurrent = statement.tokens.iter().any(|token| token.is("CONCURRENTLY"));
    let mut tokens = TokenCursor::new(statement);
    tokens.take("REPACK");
    tokens.take("VERBOSE");
    tokens.skip_parentheses();
    let is_of_all = tokens.is_at("USING") || tokens.name().is_none();
    (is_concurrent || is_of_all).then(|| {
        repeatable(
            if is_concurrent {
                "REPACK (CONCURRENTLY)"
            } else {
                "REPACK of all tables"
            },
            !is_concurrent,
        )
    })
}

/// The statement, if it creates or drops the replication slot of a subscription, or copies tables for it.
fn changes_subscription(statement: &Statement<'_>) -> Option<&'static str> {
    if statement.begins_with(&["CREATE", "SUBSCRIPTION"]) {
        return Some("CREATE SUBSCRIPTION");
    }
    if statement.begins_with(&["DROP", "SUBSCRIPTION"]) {
        return Some("DROP SUBSCRIPTION");
    }
    let refreshes = statement.has("REFRESH") || statement.has("PUBLICATION");
    (statement.begins_with(&["ALTER", "SUBSCRIPTION"]) && refreshes)
        .then_some("ALTER SUBSCRIPTION … PUBLICATION")
}

fn has_pair(statement: &Statement<'_>, first: &str, second: &str) -> bool {
    let pairs = statement.tokens.iter().zip(statement.tokens.iter().skip(1));
    pairs
        .into_iter()
        .any(|(one, other)| one.is(first) && other.is(second))
}

/// Whether only `VERBOSE` or options in parentheses come after the first token.
fn has_options_only(statement: &Statement<'_>) -> bool {
    statement.tokens[1..]
        .iter()
        .all(|token| token.depth > 0 || token.is("VERBOSE") || ["(", ")"].contains(&token.text))
}

fn repeatable(command: &'static str, blocks_readers: bool) -> NonTransactional {
    NonTransactional {
        command,
        effect: Effect::Repeatable,
        blocks_readers,
    }
}

/// `CREATE [UNIQUE] INDEX CONCURRENTLY [IF NOT EXISTS] name ON [ONLY] table …`
fn create_index(sql: &str, statement: &Statement<'_>) -> Result<NonTransactional, Unsupported> {
    let mut tokens = TokenCursor::new(statement);
    tokens.take("CREATE");
    let is_unique = tokens.take("UNIQUE");
    tokens.take("INDEX");
    tokens.take("CONCURRENTLY");
    if tokens.take("IF") {
        tokens.take("NOT");
        tokens.take("EXISTS");
    }
    let nameless = Unsupported {
        problem: "CREATE INDEX CONCURRENTLY without a name cannot be distinguished from another index after a crash",
        hint: "give the index a name",
    };
    if tokens.is_at("ON") {
        return Err(nameless);
    }
    let index = tokens.name().ok_or(nameless)?;
    tokens.take("ON");
    tokens.take("ONLY");
    let table = tokens.name().ok_or(nameless)?;
    let unqualified = tokens.last_taken().to_owned();
    let unique = if is_unique { "UNIQUE " } else { "" };
    let rest = &sql[tokens.offset(statement)..statement.span.end];
    Ok(NonTransactional {
        command: if is_unique {
            "CREATE UNIQUE INDEX CONCURRENTLY"
        } else {
            "CREATE INDEX CONCURRENTLY"
        },
        effect: Effect::CreateIndex {
            probe: Probe {
                index: format!("CREATE {unique}INDEX {index} ON pg_temp.{unqualified} {rest}"),
                table: unqualified,
            },
            index,
            table,
        },
        blocks_readers: false,
    })
}

/// `DROP INDEX CONCURRENTLY [IF EXISTS] name`
fn drop_index(statement: &Statement<'_>) -> Result<NonTransactional, Unsupported> {
    let mut tokens = TokenCursor::new(statement);
    tokens.take("DROP");
    tokens.take("INDEX");
    tokens.take("CONCURRENTLY");
    if tokens.take("IF") {
        tokens.take("EXISTS");
    }
    let index = tokens.name().ok_or(Unsupported {
        problem: "DROP INDEX CONCURRENTLY names no index",
        hint: "name one index",
    })?;
    Ok(NonTransactional {
        command: "DROP INDEX CONCURRENTLY",
        effect: Effect::DropIndex { index },
        blocks_readers: false,
    })
}

/// `REINDEX [(option, …)] {INDEX | TABLE | SCHEMA | DATABASE | SYSTEM} [CONCURRENTLY] [name]`
fn reindex(statement: &Statement<'_>) -> Option<NonTransactional> {
    let is_concurrent = statement.tokens.iter().any(|token| token.is("CONCURRENTLY"));
    let mut tokens = TokenCursor::new(statement);
    tokens.take("REINDEX");
    tokens.skip_parentheses();
    let kind = tokens.next()?;
    tokens.take("CONCURRENTLY");
    let name = tokens.name();
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
    Some(NonTransactional {
        command: "REINDEX CONCURRENTLY",
        effect: Effect::Reindex(scope),
        blocks_readers: false,
    })
}

/// `ALTER TABLE [IF EXISTS] parent DETACH PARTITION partition CONCURRENTLY`
fn detach_partition(statement: &Statement<'_>) -> Result<NonTransactional, Unsupported> {
    let unreadable = Unsupported {
        problem: "ALTER TABLE … DETACH PARTITION … CONCURRENTLY names no table and partition",
        hint: "write ALTER TABLE parent DETACH PARTITION partition CONCURRENTLY",
    };
    let mut tokens = TokenCursor::new(statement);
    tokens.take("ALTER");
    tokens.take("TABLE");
    if tokens.take("IF") {
        tokens.take("EXISTS");
    }
    let parent = tokens.name().ok_or(unreadable)?;
    tokens.take("DETACH");
    tokens.take("PARTITION");
    let partition = tokens.name().ok_or(unreadable)?;
    Ok(NonTransactional {
        command: "ALTER TABLE … DETACH PARTITION … CONCURRENTLY",
        effect: Effect::DetachPartition { parent, partition },
        blocks_readers: false,
    })
}

#[cfg(test)]
mod tests {
    use crate::sql::Contents;
    use crate::sql::non_transactional::{Effect, NonTransactional, Scope};

    fn only_statement(sql: &str) -> Option<NonTransactional> {
        Contents::of(sql).non_transactional
    }

    fn effect(sql: &str) -> Option<Effect> {
        only_statement(sql).map(|statement| statement.effect)
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        let Some(Effect::CreateIndex { index, table, probe }) = effect(
            "create unique index concurrently /* why */ if not exists \"My i\" on only \"S\" . t using btree (a) where b; -- end",
        ) else {
            panic!("an index");
        };
        assert_eq!((index.as_str(), table.as_str()), ("\"My i\"", "\"S\".t"));
        assert_eq!(
            probe.index,
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
            "REPACK t",
            "REPACK (VERBOSE) s.t USING INDEX i",
            "ALTER DATABASE d SET search_path = s",
            "ALTER SUBSCRIPTION s ENABLE",
            "CALL p()",
        ] {
            assert_eq!(only_statement(sql), None, "{sql}");
        }
        for (sql, expected) in [
            ("VACUUM t", false),
            ("VACUUM (ANALYZE, FULL) t", true),
            ("CLUSTER", true),
            ("CLUSTER (VERBOSE)", true),
            ("REPACK", true),
            ("REPACK (ANALYZE)", true),
            ("REPACK USING INDEX", true),
            ("REPACK (CONCURRENTLY) t", false),
            ("ALTER DATABASE d SET TABLESPACE s", false),
            ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", false),
            ("DROP SUBSCRIPTION IF EXISTS s", false),
            ("ALTER SUBSCRIPTION s SET PUBLICATION p", false),
            ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", false),
            ("-- no-transaction\nCALL p()", true),
        ] {
            let blocks_readers =
                only_statement(sql).map(|NonTransactional { blocks_readers, .. }| blocks_readers);
            assert_eq!(blocks_readers, Some(expected), "{sql}");
        }
    }
}
