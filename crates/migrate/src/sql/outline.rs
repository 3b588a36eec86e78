//! What a migration file does to the objects of the database, in short.

use std::collections::BTreeSet;
use std::ops::Range;

use super::changes::Changes;
use super::object::{Object, ObjectKind};
use super::session_setting::is_session_setting;
use super::statement::{line_and_column, statements, statements_in};

/// What a migration file does to the objects of the database, as far as its tokens show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// What it creates, in order, and whether it passes over what exists.
    pub creates: Vec<(Object, bool)>,
    /// What it drops or renames.
    pub drops: BTreeSet<Object>,
    /// The first statement that does anything else: its line, and its first words.
    pub does_more: Option<(usize, String)>,
    /// Whether the whole file is a comment with `CREATE TABLE` in it, as `drizzle-kit pull` writes it. Then `creates` is what
    /// the comment would create.
    pub is_commented_out: bool,
}

impl Outline {
    /// The outline of a file whose `parts` are lexed each by itself; of an unreadable part, what comes before that place.
    #[must_use]
    pub fn of(sql: &str, parts: &[Range<usize>]) -> Self {
        let mut outline = Self::default();
        if let Some(comment) = commented_out(sql) {
            outline.is_commented_out = true;
            let inner = comment.replace("--> statement-breakpoint", ";");
            outline.add_all(&inner, std::slice::from_ref(&(0..inner.len())));
            outline.does_more = None;
        } else {
            outline.add_all(sql, parts);
        }
        outline
    }

    fn add_all(&mut self, sql: &str, parts: &[Range<usize>]) {
        let mut judged: Vec<(Range<usize>, Changes)> = Vec::new();
        let mut is_elsewhere = false;
        for part in parts {
            for statement in statements_in(sql, part.clone()).map_while(Result::ok) {
                let changes = Changes::of(sql, &statement);
                if !is_session_setting(&statement) {
                    judged.push((statement.span.clone(), changes.clone()));
                }
                // What a later statement of the file drops was only needed on the way.
                self.creates
                    .retain(|(object, _)| !changes.drops.iter().any(|drop| drop.may_be(object)));
                is_elsewhere |= is_session_setting(&statement)
                    && sql[statement.span.clone()]
                        .to_ascii_lowercase()
                        .contains("search_path");
                // Where its other names lead is not known.
                let creates = changes.creates.into_iter();
                let (known, unknown): (Vec<_>, Vec<_>) =
                    creates.partition(|(object, _)| object.schema.is_some() || !is_elsewhere);
                self.creates.extend(known);
                if let (Some((_, judged)), false) = (judged.last_mut(), unknown.is_empty()) {
                    judged.does_more = true;
                }
                self.drops.extend(changes.drops);
            }
        }
        let more = judged
            .into_iter()
            .find(|(_, changes)| self.does_more_than_create(changes));
        self.does_more = more.map(|(span, _)| {
            let words: Vec<&str> = sql[span.clone()].split_whitespace().take(4).collect();
            (line_and_column(sql, span.start).0, words.join(" "))
        });
    }

    /// Whether a statement of the file does more than to create something, on a database that has nothing of what the file
    /// creates.
    fn does_more_than_create(&self, changes: &Changes) -> bool {
        let creates = |object: &Object| self.creates.iter().any(|(created, _)| created.may_be(object));
        if changes.drops_if_exists {
            return !changes.drops.iter().all(creates);
        }
        // To secure a table that has been in use would hide its rows.
        let is_of_table = |table: &Object| {
            let has_policy = self.creates.iter().any(|(created, _)| {
                created.kind == ObjectKind::Policy
                    && (&created.schema, &created.name) == (&table.schema, &table.name)
            });
            creates(table) || has_policy
        };
        changes.does_more || changes.secures.as_ref().is_some_and(|table| !is_of_table(table))
    }

    /// The tables and columns that it creates.
    pub fn tables_and_columns(&self) -> impl Iterator<Item = &Object> {
        let objects = self.creates.iter().map(|(object, _)| object);
        objects.filter(|object| matches!(object.kind, ObjectKind::Table | ObjectKind::Column))
    }
}

/// The text inside the comment, if the file is nothing else and the comment creates tables.
fn commented_out(sql: &str) -> Option<&str> {
    if statements(sql).next().is_some() {
        return None;
    }
    let start = sql.find("/*")? + 2;
    let end = sql.rfind("*/")?;
    let comment = sql.get(start..end)?;
    let creates = |text: &str| {
        text.get(..12)
            .is_some_and(|word| word.eq_ignore_ascii_case("create table"))
    };
    comment
        .lines()
        .any(|line| creates(line.trim_start()))
        .then_some(comment)
}

#[cfg(test)]
mod tests {
    use super::Outline;

    fn outline(sql: &str) -> Outline {
        Outline::of(sql, std::slice::from_ref(&(0..sql.len())))
    }

    #[test]
    fn a_pulled_entry_is_read_inside_its_comment() {
        let sql = "-- Current sql file was generated after introspecting the database\n/*\nCREATE TABLE \"a\" (\n\t\"b\" int\n);\n--> statement-breakpoint\nCREATE INDEX \"i\" ON \"a\" (\"b\");\n*/\n";
        let pulled = outline(sql);
        assert!(pulled.is_commented_out);
        assert_eq!(pulled.creates.len(), 3);
        assert!(!Outline::of("-- nothing\n", &[]).is_commented_out);
    }

    #[test]
    fn what_is_dropped_again_does_not_count() {
        let outline =
            outline("CREATE TABLE a (b int); DROP TABLE a; CREATE TABLE c (); UPDATE c SET d = 1 WHERE x");
        let creates: Vec<String> = outline
            .creates
            .iter()
            .map(|(object, _)| object.to_string())
            .collect();
        assert_eq!(creates, ["column a.b", "table c"]);
        assert_eq!(outline.does_more, Some((1, "DROP TABLE a".to_owned())));
    }

    #[test]
    fn what_a_new_table_needs_is_judged() {
        for sql in [
            "CREATE TABLE a (); ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE a FORCE ROW LEVEL SECURITY",
            "ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a",
            "DROP POLICY IF EXISTS p ON a; CREATE POLICY p ON a",
            "DROP TABLE IF EXISTS a; CREATE TABLE a ()",
        ] {
            assert_eq!(outline(sql).does_more, None, "{sql}");
        }
        for sql in [
            "ALTER TABLE a ENABLE ROW LEVEL SECURITY",
            "DROP POLICY IF EXISTS q ON a; CREATE POLICY p ON a",
            "DROP POLICY p ON a; CREATE POLICY p ON a",
            "DROP TABLE IF EXISTS a CASCADE; CREATE TABLE a ()",
        ] {
            assert!(outline(sql).does_more.is_some(), "{sql}");
        }
    }
}
