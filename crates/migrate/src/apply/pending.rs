//! A pending migration.

use crate::source::Migration;
use crate::sql::Contents;

/// A pending migration, and the contents of its file.
#[derive(Clone, Debug)]
pub(crate) struct Pending<'a> {
    pub(crate) migration: &'a Migration,
    pub(crate) contents: Contents,
}

/// A pending migration, and the statement that records it.
#[derive(Clone, Debug)]
pub(crate) struct Recorded<'a> {
    pub(crate) pending: Pending<'a>,
    pub(crate) insert: String,
}

impl<'a> Recorded<'a> {
    /// `pending`, with refinery's statement for the migration without its text, which gets the checksum of the whole one.
    pub(crate) fn new(pending: Pending<'a>, insert: &str) -> Self {
        let migration = pending.migration;
        let without_text = format!("'{}'", migration.without_text().checksum());
        let insert = insert.replace(&without_text, &format!("'{}'", migration.checksum()));
        Self { pending, insert }
    }

    pub(crate) fn migration(&self) -> &'a Migration {
        self.pending.migration
    }
}
