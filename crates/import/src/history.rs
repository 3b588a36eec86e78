//! What a tool's table says is applied.

use std::collections::BTreeSet;

use crate::entry::Entry;

/// A row of the tool's table: the columns of its query, as text.
pub(crate) type Row = Vec<Option<String>>;

/// What is applied, as numbers of entries, and what contradicts the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) entries: BTreeSet<usize>,
    pub(crate) contradictions: Vec<String>,
}

impl Applied {
    /// Notes that the migration with `key` is applied; `checksum` is that of the table.
    pub(crate) fn add(&mut self, entries: &[Entry], key: &str, checksum: Option<&str>) {
        let Some(number) = entries.iter().position(|entry| entry.key == key) else {
            self.contradictions
                .push(format!("{key} is applied, and the folder has no file for it"));
            return;
        };
        let entry = &entries[number];
        let differs = entry
            .checksum
            .as_deref()
            .zip(checksum)
            .is_some_and(|(own, applied)| !own.eq_ignore_ascii_case(applied));
        if differs {
            let path = &entry.path;
            self.contradictions
                .push(format!("{path} has changed since it was applied"));
        }
        self.entries.insert(number);
    }
}

/// A column of a row.
pub(crate) fn column(row: &Row, number: usize) -> &str {
    row.get(number).and_then(Option::as_deref).unwrap_or_default()
}

/// Whether a boolean column is true.
pub(crate) fn is_true(row: &Row, number: usize) -> bool {
    column(row, number) == "t"
}
