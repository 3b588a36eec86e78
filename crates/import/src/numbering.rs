//! The versions of imported migrations: 1 to n in the tool's order. refinery's versions have 32 bits, and timestamps do not
//! fit.

use std::collections::BTreeMap;

use crate::entry::Entry;

/// A migration and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbered<'e> {
    pub(crate) version: i32,
    pub(crate) entry: &'e Entry,
}

impl Numbered<'_> {
    pub(crate) fn file_name(&self) -> String {
        format!("V{}__{}.sql", self.version, self.entry.name)
    }
}

/// Versions for `entries`. One that an earlier import has written keeps its version, and new ones follow what exists:
/// `existing` has the versions of all V files there, by name.
pub(crate) fn number<'e>(entries: &'e [Entry], existing: &BTreeMap<String, i32>) -> Vec<Numbered<'e>> {
    let mut last = existing.values().copied().max().unwrap_or_default();
    let mut numbered = |entry: &'e Entry| {
        let version = existing.get(&entry.name).copied().unwrap_or_else(|| {
            last += 1;
            last
        });
        Numbered { version, entry }
    };
    let mut all: Vec<Numbered<'e>> = entries.iter().map(&mut numbered).collect();
    all.sort_by_key(|one| one.version);
    all
}
