//! Notes on a migration that is not recorded yet, as lines in the comment of the history table, next to what others have
//! written there: that a statement was begun whose leftovers cannot be recognized, and how many steps have run.
//!
//! They are no table of their own: other tools would take that for a part of the schema.

use zerostarter_connect::quote::literal;

use crate::source::Migration;

/// The comment of the history table, and what it says about migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notes {
    /// The history table, with its schema.
    table: String,
    comment: Option<String>,
    /// Whether the role may change the comment, which only the owner may.
    pub(crate) is_writable: bool,
}

/// How far a migration has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StepsDone {
    /// The checksum of the migration when they ran.
    pub(crate) checksum: String,
    /// How many of its steps have run.
    pub(crate) done: usize,
    /// How many it has.
    pub(crate) total: usize,
}

/// What a note says of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    /// The migration's label.
    pub(crate) label: String,
    /// How far it has come; `None` if it was begun as one statement.
    pub(crate) steps: Option<StepsDone>,
}

impl Notes {
    /// What the notes say of migrations.
    pub(crate) fn all(&self) -> Vec<Noted> {
        let ours = self.lines().filter_map(|line| line.strip_prefix(PREFIX));
        ours.filter_map(|note| {
            if let Some(label) = note.strip_suffix(BEGUN) {
                let (label, steps) = (label.to_owned(), None);
                return Some(Noted { label, steps });
            }
            let (label, steps) = note.split_once(" (checksum ")?;
            Some(Noted {
                label: label.to_owned(),
                steps: Some(read_steps(steps)?),
            })
        })
        .collect()
    }

    /// The query for the notes on `table`, in any search path.
    pub(crate) fn query(table: &str) -> String {
        let relation = relation(table);
        format!(
            "SELECT {comment}, (SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class \
             WHERE oid OPERATOR(pg_catalog.=) {relation})",
            comment = comment_of(table)
        )
    }

    /// The answer to that query.
    pub(crate) fn new(table: &str, comment: Option<String>, is_writable: bool) -> Self {
        Self {
            table: table.to_owned(),
            comment,
            is_writable,
        }
    }

    /// Whether a statement of `migration` without recognizable leftovers was begun.
    pub(crate) fn has_begun(&self, migration: &Migration) -> bool {
        let note = begun(migration);
        self.lines().any(|line| line == note)
    }

    /// How many steps of `migration` have run, if it was begun.
    pub(crate) fn steps_done(&self, migration: &Migration) -> Option<StepsDone> {
        let prefix = steps_prefix(migration);
        read_steps(self.lines().find_map(|line| line.strip_prefix(&prefix))?)
    }

    /// The notes with the one that a statement of `migration` was begun.
    pub(crate) fn with_begun(&self, migration: &Migration) -> Self {
        self.edited(|line| *line != begun(migration), Some(begun(migration)))
    }

    /// The notes without that one.
    pub(crate) fn without_begun(&self, migration: &Migration) -> Self {
        self.edited(|line| *line != begun(migration), None)
    }

    /// The notes with the one that `done` of `total` steps of `migration` have run.
    pub(crate) fn with_steps(&self, migration: &Migration, done: usize, total: usize) -> Self {
        let prefix = steps_prefix(migration);
        let note = format!(
            "{prefix}{}): {done} of {total} steps have run",
            migration.checksum()
        );
        self.edited(|line| !line.starts_with(&prefix), Some(note))
    }

    /// The notes without any on `migration`.
    pub(crate) fn without(&self, migration: &Migration) -> Self {
        let prefix = steps_prefix(migration);
        let begun = begun(migration);
        self.edited(|line| *line != begun && !line.starts_with(&prefix), None)
    }

    /// The statement that makes these the notes of the history table.
    pub(crate) fn write(&self) -> String {
        let comment = self.comment.as_deref().map_or_else(|| "NULL".to_owned(), literal);
        format!("COMMENT ON TABLE {} IS {comment}", self.table)
    }

    /// The condition that these are the notes of the history table, in any search path.
    pub(crate) fn are_unchanged(&self) -> String {
        let comment = comment_of(&self.table);
        match &self.comment {
            Some(text) => format!(
                "COALESCE({comment} OPERATOR(pg_catalog.=) {}, false)",
                literal(text)
            ),
            None => format!("{comment} IS NULL"),
        }
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.comment.iter().flat_map(|comment| comment.lines())
    }

    fn edited(&self, keeps: impl Fn(&&str) -> bool, added: Option<String>) -> Self {
        let kept = self.lines().filter(keeps).map(str::to_owned);
        let comment = kept.chain(added).collect::<Vec<_>>().join("\n");
        Self {
            comment: Some(comment).filter(|comment| !comment.is_empty()),
            ..self.clone()
        }
    }
}

fn relation(table: &str) -> String {
    format!(
        "CAST(pg_catalog.to_regclass({}) AS pg_catalog.oid)",
        literal(table)
    )
}

fn comment_of(table: &str) -> String {
    format!("pg_catalog.obj_description({}, 'pg_class')", relation(table))
}

const PREFIX: &str = "zerostarter-db: ";

const BEGUN: &str = " was begun without a transaction block";

fn begun(migration: &Migration) -> String {
    format!("{PREFIX}{}{BEGUN}", migration.label)
}

fn steps_prefix(migration: &Migration) -> String {
    format!("{PREFIX}{} (checksum ", migration.label)
}

/// What follows that prefix.
fn read_steps(note: &str) -> Option<StepsDone> {
    let (checksum, steps) = note.split_once("): ")?;
    let (done, total) = steps.strip_suffix(" steps have run")?.split_once(" of ")?;
    Some(StepsDone {
        checksum: checksum.to_owned(),
        done: done.parse().ok()?,
        total: total.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use refinery_core::{Migration as RefineryMigration, Runner};

    use super::{Notes, StepsDone};
    use crate::source::{Migration, Source};

    fn migration() -> Migration {
        let migration = RefineryMigration::unapplied("V3__a", "SELECT 1").unwrap();
        Source::from(&Runner::new(&[migration])).load().unwrap().remove(0)
    }

    #[test]
    fn notes_stand_beside_the_comment_of_others() {
        let migration = migration();
        for others in [None, Some("of others\nin two lines".to_owned())] {
            let notes = Notes::new("s.t", others, true);
            assert_eq!(
                (notes.has_begun(&migration), notes.steps_done(&migration)),
                (false, None)
            );
            let first = notes.with_steps(&migration, 1, 3).with_begun(&migration);
            let both = first.with_steps(&migration, 2, 3);
            assert!(both.has_begun(&migration));
            assert_eq!(
                both.steps_done(&migration),
                Some(StepsDone {
                    checksum: migration.checksum().to_string(),
                    done: 2,
                    total: 3
                })
            );
            assert!(!both.without_begun(&migration).has_begun(&migration));
            assert!(both.without_begun(&migration).steps_done(&migration).is_some());
            assert_eq!(both.without(&migration), notes);
        }
    }
}
