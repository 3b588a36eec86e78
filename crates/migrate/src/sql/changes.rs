//! What a statement creates and drops, as far as its tokens show.

use super::object::{Object, ObjectKind, object, part_of, unquoted};
use super::statement::{Statement, statements};
use super::token_cursor::TokenCursor;

/// What a statement creates and drops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What it creates, and whether it passes over what exists.
    pub creates: Vec<(Object, bool)>,
    /// What it drops or renames.
    pub drops: Vec<Object>,
    /// Whether what it drops need not exist, and it does nothing else.
    pub drops_if_exists: bool,
    /// The table whose row-level security it enables or forces.
    pub secures: Option<Object>,
    /// Whether it does anything else.
    pub does_more: bool,
}

impl Changes {
    /// What `statement` of the text `sql` creates and drops.
    #[must_use]
    pub fn of(sql: &str, statement: &Statement<'_>) -> Self {
        let mut changes = Self::default();
        if statement.begins_with(&["DO"]) {
            changes.does_more = changes.add_guarded_block(sql, statement).is_none();
        } else {
            changes.does_more = changes.add(statement).is_none();
        }
        changes
    }

    /// `None` if the statement does something else too.
    fn add(&mut self, statement: &Statement<'_>) -> Option<()> {
        let mut tokens = TokenCursor::new(statement);
        if tokens.take("CREATE") {
            return self.add_creation(statement, &mut tokens);
        }
        if tokens.take("ALTER") {
            if tokens.take("TABLE") {
                return self.alter_table(statement, &mut tokens);
            }
            if tokens.take("TYPE") {
                let name = tokens.name()?;
                if tokens.take("RENAME") && tokens.take("TO") {
                    self.drops.push(object(ObjectKind::Type, &name));
                    return None;
                }
                let adds = tokens.take("ADD") && tokens.take("VALUE");
                let is_guarded = take_not_exists(&mut tokens);
                let value = tokens.next().filter(|_| adds)?.text;
                let value = value.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
                self.creates
                    .push((part_of(ObjectKind::EnumValue, &name, value), is_guarded));
                return Some(());
            }
            return None;
        }
        if tokens.take("DROP") {
            if tokens.take("POLICY") {
                return self.drop_policy(&mut tokens);
            }
            tokens.take("MATERIALIZED");
            let kind = match tokens.next()? {
                token if token.is("TABLE") => ObjectKind::Table,
                token if token.is("VIEW") || token.is("SEQUENCE") => ObjectKind::Relation,
                token if token.is("INDEX") => ObjectKind::Index,
                token if token.is("TYPE") || token.is("DOMAIN") => ObjectKind::Type,
                token if token.is("SCHEMA") => ObjectKind::Schema,
                _ => return None,
            };
            tokens.take("CONCURRENTLY");
            self.drops_if_exists = tokens.is_at("IF") && !statement.has("CASCADE");
            let names = tokens.names();
            self.drops.extend(names.iter().map(|name| object(kind, name)));
        }
        None
    }

    /// `DROP POLICY [IF EXISTS] name ON table`
    fn drop_policy(&mut self, tokens: &mut TokenCursor<'_, '_>) -> Option<()> {
        self.drops_if_exists = tokens.take("IF") && tokens.take("EXISTS");
        let policy = unquoted(&tokens.name()?);
        let on = tokens.take("ON");
        let table = tokens.name().filter(|_| on)?;
        self.drops.push(part_of(ObjectKind::Policy, &table, policy));
        None
    }

    fn add_creation(&mut self, statement: &Statement<'_>, tokens: &mut TokenCursor<'_, '_>) -> Option<()> {
        let replaces = tokens.take("OR") && tokens.take("REPLACE");
        let is_unique = tokens.take("UNIQUE");
        if tokens.take("INDEX") {
            tokens.take("CONCURRENTLY");
            let is_guarded = take_not_exists(tokens);
            let name = tokens.name()?;
            let on = tokens.take("ON");
            tokens.take("ONLY");
            let table = tokens.name().filter(|_| on)?;
            let mut index = object(ObjectKind::Index, &name);
            let table = object(ObjectKind::Table, &table);
            // An index is in the schema of its table.
            index.schema = table.schema;
            index.part = Some(table.name);
            self.creates.push((index, is_guarded));
            return Some(());
        }
        if is_unique {
            return None;
        }
        tokens.take("MATERIALIZED");
        let kind = match tokens.next()? {
            token if token.is("TABLE") => ObjectKind::Table,
            token if token.is("VIEW") || token.is("SEQUENCE") => ObjectKind::Relation,
            token if token.is("TYPE") || token.is("DOMAIN") => ObjectKind::Type,
            token if token.is("SCHEMA") => ObjectKind::Schema,
            token if token.is("POLICY") => {
                let policy = unquoted(tokens.name()?.as_str());
                let on = tokens.take("ON");
                let table = tokens.name().filter(|_| on)?;
                self.creates
                    .push((part_of(ObjectKind::Policy, &table, policy), false));
                return Some(());
            }
            _ => return None,
        };
        let is_guarded = take_not_exists(tokens) || replaces;
        let name = tokens.name()?;
        self.creates.push((object(kind, &name), is_guarded));
        if kind == ObjectKind::Table {
            for column in columns(statement) {
                self.creates
                    .push((part_of(ObjectKind::Column, &name, column), is_guarded));
            }
            // `CREATE TABLE … AS` fills it.
            return (!statement.has("AS")).then_some(());
        }
        Some(())
    }

    /// `ALTER TABLE [IF EXISTS] [ONLY] name action, …`
    fn alter_table(&mut self, statement: &Statement<'_>, tokens: &mut TokenCursor<'_, '_>) -> Option<()> {
        if tokens.take("IF") {
            tokens.take("EXISTS");
        }
        tokens.take("ONLY");
        let table = tokens.name()?;
        let mut outcome = Some(());
        loop {
            if self.alter_table_once(&table, tokens).is_none() {
                outcome = None;
            }
            // Up to the next action.
            loop {
                let token = tokens.next();
                match token {
                    None => return outcome,
                    Some(token) if token.text == "," && token.depth == 0 => break,
                    Some(_) => {}
                }
            }
            if tokens.offset(statement) >= statement.span.end {
                return outcome;
            }
        }
    }

    fn alter_table_once(&mut self, table: &str, tokens: &mut TokenCursor<'_, '_>) -> Option<()> {
        if tokens.take("ADD") {
            if tokens.take("CONSTRAINT") {
                let constraint = unquoted(&tokens.name()?);
                self.creates
                    .push((part_of(ObjectKind::Constraint, table, constraint), false));
                return Some(());
            }
            let unnamed = ["PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE"];
            if unnamed.iter().any(|keyword| tokens.is_at(keyword)) {
                return None;
            }
            tokens.take("COLUMN");
            let is_guarded = take_not_exists(tokens);
            let column = unquoted(&tokens.name()?);
            self.creates
                .push((part_of(ObjectKind::Column, table, column), is_guarded));
            return Some(());
        }
        if tokens.take("ENABLE") || tokens.take("FORCE") {
            self.secures = Some(object(ObjectKind::Table, table));
            return tokens.is_at("ROW").then_some(());
        }
        if tokens.take("DROP") {
            let kind = if tokens.take("CONSTRAINT") {
                ObjectKind::Constraint
            } else {
                tokens.take("COLUMN");
                ObjectKind::Column
            };
            if tokens.take("IF") {
                tokens.take("EXISTS");
            }
            let part = unquoted(&tokens.name()?);
            self.drops.push(part_of(kind, table, part));
        } else if tokens.take("RENAME") {
            if tokens.take("TO") {
                self.drops.push(object(ObjectKind::Table, table));
            } else {
                let kind = if tokens.take("CONSTRAINT") {
                    ObjectKind::Constraint
                } else {
                    tokens.take("COLUMN");
                    ObjectKind::Column
                };
                let part = unquoted(&tokens.name()?);
                self.drops.push(part_of(kind, table, part));
            }
        } else if tokens.take("SET") && tokens.take("SCHEMA") {
            self.drops.push(object(ObjectKind::Table, table));
        }
        None
    }

    /// `DO $$ BEGIN …; EXCEPTION WHEN duplicate_object THEN null; END $$`, as drizzle-kit writes it, and
    /// `IF NOT EXISTS (…) THEN …; END IF`, as people do.
    fn add_guarded_block(&mut self, sql: &str, statement: &Statement<'_>) -> Option<()> {
        const DUPLICATES: [&str; 3] = ["duplicate_object", "duplicate_table", "duplicate_column"];
        let body = statement
            .tokens
            .iter()
            .find(|token| token.text.starts_with('$'))?;
        let body = &sql[body.offset..body.offset + body.text.len()];
        let tag = &body[..body[1..].find('$')? + 2];
        let body = body.strip_prefix(tag)?.strip_suffix(tag)?;
        let mut changes = Self::default();
        let (mut is_conditional, mut catches) = (false, false);
        for (number, statement) in statements(body).enumerate() {
            let statement = statement.ok()?;
            let mut tokens = TokenCursor::new(&statement);
            if number == 0 && !tokens.take("BEGIN") {
                return None;
            }
            if tokens.take("EXCEPTION") {
                catches = DUPLICATES.iter().any(|name| statement.has(name));
                break;
            }
            if tokens.take("END") {
                is_conditional &= tokens.take("IF");
                continue;
            }
            if tokens.take("IF") {
                is_conditional = take_exists_condition(&mut tokens);
                if !is_conditional {
                    return None;
                }
            }
            let inner = &body[tokens.offset(&statement)..statement.span.end];
            let before = changes.creates.len();
            changes.add(&statements(inner).next()?.ok()?)?;
            for (_, is_guarded) in &mut changes.creates[before..] {
                *is_guarded |= is_conditional;
            }
        }
        let creates = changes.creates.into_iter();
        self.creates
            .extend(creates.map(|(object, is_guarded)| (object, is_guarded || catches)));
        self.secures = changes.secures;
        Some(())
    }
}

/// `NOT EXISTS (…) THEN`
fn take_exists_condition(tokens: &mut TokenCursor<'_, '_>) -> bool {
    let is_it = tokens.take("NOT") && tokens.take("EXISTS");
    tokens.skip_parentheses();
    is_it && tokens.take("THEN")
}

fn take_not_exists(tokens: &mut TokenCursor<'_, '_>) -> bool {
    tokens.take("IF") && tokens.take("NOT") && tokens.take("EXISTS")
}

/// The columns of a `CREATE TABLE`, in its outermost parentheses.
fn columns(statement: &Statement<'_>) -> Vec<String> {
    const NO_COLUMN: [&str; 7] = [
        "CONSTRAINT",
        "PRIMARY",
        "UNIQUE",
        "CHECK",
        "FOREIGN",
        "EXCLUDE",
        "LIKE",
    ];
    let Some(open) = statement.tokens.iter().position(|token| token.text == "(") else {
        return Vec::new();
    };
    let mut columns = Vec::new();
    let mut begins_item = true;
    for token in &statement.tokens[open + 1..] {
        if token.text == ")" && token.depth <= 1 {
            break;
        }
        if begins_item && token.is_name() && !NO_COLUMN.iter().any(|keyword| token.is(keyword)) {
            columns.push(unquoted(token.text));
        }
        begins_item = token.text == "," && token.depth == 1;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::Changes;
    use crate::sql::split;

    fn changes(sql: &str) -> (Vec<String>, Vec<String>, bool) {
        let statements = split(sql).unwrap();
        let changes = Changes::of(sql, &statements[0]);
        let creates = changes.creates.iter().map(|(object, is_guarded)| {
            let mark = if *is_guarded { "?" } else { "" };
            format!("{mark}{object}")
        });
        let drops = changes.drops.iter().map(ToString::to_string);
        (creates.collect(), drops.collect(), changes.does_more)
    }

    fn creates(sql: &str) -> String {
        let (creates, drops, does_more) = changes(sql);
        assert!(drops.is_empty() && !does_more, "{sql}");
        creates.join(", ")
    }

    #[test]
    fn what_drizzle_writes_is_known() {
        for (sql, expected) in [
            (
                "CREATE TABLE \"user\" (\"id\" text PRIMARY KEY, \"role\" text DEFAULT 'a,b', CONSTRAINT \"c\" UNIQUE(\"id\", \"role\"))",
                "table user, column user.id, column user.role",
            ),
            (
                "CREATE TABLE IF NOT EXISTS s.T (a int)",
                "?table s.t, ?column s.t.a",
            ),
            (
                "ALTER TABLE \"a\" ADD COLUMN \"b\" numeric(1, 2) NOT NULL",
                "column a.b",
            ),
            (
                "ALTER TABLE \"a\" ADD COLUMN IF NOT EXISTS b int, ADD c int",
                "?column a.b, column a.c",
            ),
            (
                "ALTER TABLE \"a\" ADD CONSTRAINT \"a_fk\" FOREIGN KEY (\"b\") REFERENCES \"public\".\"c\"(\"id\") ON DELETE cascade",
                "constraint a.a_fk",
            ),
            ("ALTER TABLE \"a\" ENABLE ROW LEVEL SECURITY", ""),
            (
                "CREATE UNIQUE INDEX \"i\" ON \"s\".\"t\" USING btree (\"a\")",
                "index s.i",
            ),
            ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)", "?index i"),
            (
                "CREATE TYPE \"public\".\"mood\" AS ENUM('a', 'b')",
                "type public.mood",
            ),
            (
                "ALTER TYPE \"public\".\"mood\" ADD VALUE 'it''s' BEFORE 'a'",
                "enum value public.mood.it's",
            ),
            ("CREATE SCHEMA \"auth\"", "schema auth"),
            ("CREATE SEQUENCE \"s\"", "relation s"),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", "?relation v"),
            (
                "CREATE POLICY \"p\" ON \"t\" AS PERMISSIVE FOR ALL TO public",
                "policy t.p",
            ),
            (
                "DO $$ BEGIN\n ALTER TABLE \"a\" ADD CONSTRAINT \"fk\" CHECK (true);\nEXCEPTION\n WHEN duplicate_object THEN null;\nEND $$",
                "?constraint a.fk",
            ),
            (
                "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname IN ('m')) THEN CREATE TYPE m AS ENUM ('x'); END IF; END $$",
                "?type m",
            ),
            (
                "DO $$ BEGIN CREATE TYPE m AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN null; END $$",
                "?type m",
            ),
            ("CREATE TABLE \"a\"\"b\" ()", "table a\"b"),
        ] {
            assert_eq!(creates(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_does_more_is_not_judged() {
        for (sql, dropped) in [
            ("UPDATE a SET b = 1", ""),
            ("INSERT INTO a VALUES (1)", ""),
            ("DROP TABLE \"a\", s.b", "table a, table s.b"),
            (
                "ALTER TABLE a DROP COLUMN b, DROP CONSTRAINT c",
                "column a.b, constraint a.c",
            ),
            ("ALTER TABLE a RENAME TO b", "table a"),
            ("ALTER TABLE a RENAME COLUMN b TO c", "column a.b"),
            ("ALTER TABLE a ALTER COLUMN b SET NOT NULL", ""),
            ("ALTER TABLE a ADD PRIMARY KEY (b)", ""),
            ("ALTER TYPE a RENAME TO b", "type a"),
            ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", ""),
            ("CREATE EXTENSION IF NOT EXISTS vector", ""),
            ("DO $$ BEGIN UPDATE a SET b = 1; END $$", ""),
            (
                "DO $$ BEGIN IF NOT EXISTS (SELECT 1) THEN UPDATE a SET b = 1; END IF; END $$",
                "",
            ),
            (
                "DO $$ BEGIN IF a THEN CREATE TYPE m AS ENUM ('x'); END IF; END $$",
                "",
            ),
            (
                "DO $$ DECLARE x int; BEGIN CREATE TYPE m AS ENUM ('x'); END $$",
                "",
            ),
            ("DROP POLICY IF EXISTS p ON t", "policy t.p"),
            (
                "DO $$ BEGIN UPDATE a SET b = 1; EXCEPTION WHEN duplicate_object THEN null; END $$",
                "",
            ),
        ] {
            let (_, drops, does_more) = changes(sql);
            assert!(does_more, "{sql}");
            assert_eq!(drops.join(", "), dropped, "{sql}");
        }
    }
}
