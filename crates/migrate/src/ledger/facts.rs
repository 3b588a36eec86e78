//! What has to be known of files and objects before Drizzle's table can be compared with a folder.

use std::collections::{BTreeMap, BTreeSet};

use super::applied::Applied;
use super::matching::{Evidence, Matching};
use super::objects::Objects;
use crate::source::Migration;
use crate::sql::{Object, Outline};

/// What has to be known of files and objects before Drizzle's table can be compared with a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The outlines of the files that matter, by index of the migration.
    pub(super) outlines: BTreeMap<usize, Outline>,
    /// The migrations whose file has changed since it was applied, beyond line ends.
    pub(super) changed: BTreeSet<usize>,
    /// Which of the objects in the outlines exist.
    pub(super) objects: Objects,
}

impl Facts {
    /// Reads the files that matter: all of them if nothing is recorded in a database with objects, else those of late
    /// migrations; and all, if one was changed.
    pub(crate) fn gather(rows: &[Applied], migrations: &[Migration], has_objects: bool) -> Self {
        let mut facts = Self::default();
        let all = 0..migrations.len();
        if rows.is_empty() {
            if has_objects {
                facts.outline(all, migrations);
            }
            return facts;
        }
        let matching = Matching::of(rows, migrations);
        let newest = newest(rows);
        let mut late = Vec::new();
        for (index, found) in matching.of_migrations.iter().enumerate() {
            let file = &migrations[index];
            match found {
                Some((row, evidence)) => {
                    let checksum = rows[*row].checksum.as_deref().unwrap_or_default();
                    if *evidence != Evidence::Text && !file.is_text_of(checksum) {
                        facts.changed.insert(index);
                    }
                }
                None if Some(file.version()) <= newest => late.push(index),
                None => {}
            }
        }
        if facts.changed.is_empty() {
            facts.outline(late, migrations);
        } else {
            facts.outline(all, migrations);
        }
        facts
    }

    /// Reads all files.
    pub(crate) fn of_all(migrations: &[Migration]) -> Self {
        let mut facts = Self::default();
        facts.outline(0..migrations.len(), migrations);
        facts
    }

    /// What the migration at `index` creates and lasts, and the database lacks.
    pub(crate) fn missing(&self, index: usize) -> Vec<&Object> {
        let creates = self
            .outlines
            .get(&index)
            .into_iter()
            .flat_map(|outline| &outline.creates);
        creates
            .map(|(object, _)| object)
            .filter(|object| !self.objects.has(object) && !self.is_dropped(object))
            .collect()
    }

    fn outline(&mut self, indexes: impl IntoIterator<Item = usize>, migrations: &[Migration]) {
        for index in indexes {
            // An applied file need not be readable; a pending one is read again before it is applied.
            let outline = migrations[index]
                .sql()
                .map(|sql| Outline::of(&sql, &migrations[index].parts(&sql)));
            self.outlines.insert(index, outline.unwrap_or_default());
        }
    }

    /// The objects to look up in the database.
    pub(crate) fn objects(&self) -> BTreeSet<Object> {
        let outlines = self.outlines.values();
        outlines
            .flat_map(|outline| outline.creates.iter().map(|(object, _)| object.clone()))
            .collect()
    }

    /// Notes which of them exist.
    pub(crate) fn note(&mut self, objects: Objects) {
        self.objects = objects;
    }

    /// Whether another migration drops or renames `object`, or what it belongs to.
    pub(super) fn is_dropped(&self, object: &Object) -> bool {
        let mut owner = object.clone();
        owner.kind = crate::sql::ObjectKind::Table;
        owner.part = None;
        let outlines = self.outlines.values();
        outlines.map(|outline| &outline.drops).any(|drops| {
            drops
                .iter()
                .any(|drop| drop.may_be(object) || drop.may_be(&owner))
        })
    }
}

/// The newest time in the table.
pub(super) fn newest(rows: &[Applied]) -> Option<i64> {
    rows.iter()
        .filter(|row| row.is_timed())
        .map(|row| row.version)
        .max()
}
