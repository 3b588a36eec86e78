//! The steps of a migration that does not run in one transaction.

use super::locked_table::LockedTables;
use super::non_transactional::NonTransactional;
use super::piece::{Piece, add_statement};
use super::statement::Statement;
use super::table_locks::add_locks;

/// A step of a migration that does not run in one transaction: one that does, or a statement that cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What is sent, in order.
    pub pieces: Vec<Piece>,
    /// How many statements it has.
    pub statements: usize,
    /// The statement that cannot run in a transaction block.
    pub non_transactional: Option<NonTransactional>,
    /// Its only statement, if the file lets it run without a transaction block: for the case that the server demands that.
    pub only: Option<NonTransactional>,
    /// How many of the file's session settings precede it.
    pub settings: usize,
    /// The tables that its statements lock, as far as tokens show.
    pub locked_tables: LockedTables,
    /// Whether it has statements other than session settings.
    has_work: bool,
}

impl Step {
    /// A step that begins after `settings` session settings.
    pub(super) fn after(settings: usize) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// A step that is one statement without a transaction block.
    pub(crate) fn alone(pieces: Vec<Piece>, statement: NonTransactional) -> Self {
        Self {
            pieces,
            statements: 1,
            non_transactional: Some(statement),
            has_work: true,
            ..Self::default()
        }
    }

    /// Adds `statement` of the text `sql`. If it `continues` the last piece, what stands between the two is sent too.
    pub(super) fn add(&mut self, statement: &Statement<'_>, sql: &str, continues: bool, is_setting: bool) {
        self.statements += 1;
        self.has_work |= !is_setting;
        add_locks(&mut self.locked_tables, statement);
        add_statement(&mut self.pieces, statement, sql, continues);
    }

    /// Whether it has an effect of its own. Session settings are repeated before every later step.
    pub(super) fn has_work(&self) -> bool {
        self.has_work
    }

    /// Whether its statement is sent as it is: the rows of a COPY need a message of their own.
    pub(super) fn is_sent_whole(&self) -> bool {
        matches!(self.pieces[..], [Piece::Statements { .. }])
    }

    /// Where it begins in the file, in bytes.
    #[must_use]
    pub fn start(&self) -> usize {
        match self.pieces.first() {
            Some(Piece::Statements { span, .. }) => span.start,
            Some(Piece::Copy { statement, .. }) => statement.start,
            None => 0,
        }
    }
}
