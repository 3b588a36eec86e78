//! An applied migration.

use crate::source::Migration;

/// An applied migration: a row of the history table. In refinery's table the last three are text and may be NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The migration's version: 32 bits in refinery's own tables, 64 where it was built for that. In Drizzle's table its time,
    /// in milliseconds since 1970; [`Applied::UNTIMED`] if it has none.
    pub version: i64,
    /// The migration's name.
    pub name: Option<String>,
    /// When it was applied, in RFC 3339.
    pub applied_on: Option<String>,
    /// The checksum, as the table has it.
    pub checksum: Option<String>,
}

impl Applied {
    /// The version of a row of Drizzle's table without a time.
    pub const UNTIMED: i64 = i64::MIN;

    /// Whether the row has a time.
    pub(super) fn is_timed(&self) -> bool {
        self.version != Self::UNTIMED
    }

    /// Whether `migration` has the name and the text that were applied.
    #[must_use]
    pub fn is_same_as(&self, migration: &Migration) -> bool {
        let checksum = migration.checksum().to_string();
        self.name.as_deref() == Some(migration.name()) && self.checksum.as_deref() == Some(&checksum)
    }

    /// How messages name it: version and name.
    #[must_use]
    pub fn label(&self) -> String {
        format!("V{}__{}", self.version, self.name.as_deref().unwrap_or("?"))
    }
}
