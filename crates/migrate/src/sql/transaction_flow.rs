//! What the statements that control transactions mean for a migration, which begins in a transaction of ours.

use super::statement::Statement;
use super::transaction_control::{begins_plainly, commits_plainly, transaction_control};

/// A statement that a migration must not contain, or not at this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// Its name, such as `ROLLBACK`.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// What a statement means for the transaction around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It is part of the migration.
    Inside,
    /// It begins or ends what is begun or ended anyway, so it is not sent.
    Redundant,
    /// It ends the transaction before it or begins one: what follows is a step of its own.
    Boundary,
}

/// The state of the transaction between two statements.
#[derive(Clone, Debug)]
pub(super) struct TransactionFlow {
    /// Whether a transaction block is open.
    is_open: bool,
    is_at_first: bool,
    /// A `BEGIN` that stands first, until its `COMMIT`.
    leading: Option<Misplaced>,
    /// What cannot be applied.
    pub(super) misplaced: Vec<Misplaced>,
}

impl TransactionFlow {
    /// Before the first statement. Each statement is a transaction of its own unless `is_open`.
    pub(super) fn new(is_open: bool) -> Self {
        Self {
            is_open,
            is_at_first: true,
            leading: None,
            misplaced: Vec::new(),
        }
    }

    /// Whether a transaction block is open, so that statements belong together.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// What `statement`, the next one, means.
    pub(super) fn next(&mut self, statement: &Statement<'_>) -> Flow {
        let is_first = std::mem::take(&mut self.is_at_first);
        let Some(name) = transaction_control(statement) else {
            return Flow::Inside;
        };
        let misplaced = |problem| Misplaced {
            offset: statement.span.start,
            name,
            problem,
        };
        if begins_plainly(statement) {
            if is_first {
                self.is_open = true;
                self.leading = Some(misplaced("begins a transaction that the file does not commit"));
                return Flow::Redundant;
            }
            if !self.is_open {
                self.is_open = true;
                return Flow::Boundary;
            }
            self.misplaced
                .push(misplaced("stands inside the transaction of this migration"));
        } else if commits_plainly(statement) {
            self.leading = None;
            // Without a transaction the server only warns.
            return if std::mem::take(&mut self.is_open) {
                Flow::Boundary
            } else {
                Flow::Redundant
            };
        } else {
            self.misplaced
                .push(misplaced("would end the transaction of this migration"));
        }
        Flow::Redundant
    }

    /// After the last statement.
    pub(super) fn finish(mut self) -> Vec<Misplaced> {
        self.misplaced.extend(self.leading);
        self.misplaced.sort_by_key(|misplaced| misplaced.offset);
        self.misplaced
    }
}

#[cfg(test)]
mod tests {
    use super::TransactionFlow;
    use crate::sql::split;

    fn misplaced(sql: &str) -> Vec<&'static str> {
        let mut flow = TransactionFlow::new(true);
        for statement in &split(sql).unwrap() {
            flow.next(statement);
        }
        flow.finish()
            .into_iter()
            .map(|misplaced| misplaced.name)
            .collect()
    }

    #[test]
    fn what_cannot_be_balanced_is_misplaced() {
        for sql in [
            "SELECT 1",
            "BEGIN; SELECT 1; COMMIT",
            "SELECT 1; COMMIT",
            "SELECT 1; COMMIT; SELECT 2; COMMIT",
            "COMMIT; SELECT 1; BEGIN; SELECT 2",
            "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; END",
            "SAVEPOINT a; ROLLBACK TO a; RELEASE a",
        ] {
            assert!(misplaced(sql).is_empty(), "{sql}");
        }
        for (sql, name) in [
            ("BEGIN; SELECT 1", "BEGIN"),
            ("SELECT 1; BEGIN; SELECT 2; COMMIT", "BEGIN"),
            ("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT", "BEGIN"),
            ("COMMIT; BEGIN; SELECT 1; START TRANSACTION", "START TRANSACTION"),
            ("BEGIN; SELECT 1; COMMIT AND CHAIN; COMMIT", "COMMIT"),
            ("ROLLBACK", "ROLLBACK"),
            ("COMMIT PREPARED 'a'", "COMMIT PREPARED"),
            ("PREPARE TRANSACTION 'a'", "PREPARE TRANSACTION"),
        ] {
            assert_eq!(misplaced(sql), [name], "{sql}");
        }
    }
}
