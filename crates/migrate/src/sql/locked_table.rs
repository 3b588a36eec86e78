//! What a statement locks: a name, how strong the lock is, and which other tables it locks along with it.

use std::collections::{BTreeMap, BTreeSet};

/// Whom a table lock blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockStrength {
    /// Nobody: only what is locked along counts. `ATTACH PARTITION` leaves the parent free.
    BlocksNobody,
    /// Writers: `CREATE INDEX`, `ADD FOREIGN KEY`.
    BlocksWriters,
    /// Readers and writers: most forms of `ALTER TABLE`.
    BlocksReaders,
}

/// What the name in a statement stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameOf {
    /// A table, view, sequence or index.
    Relation,
    /// A type or domain: the statement locks the tables with a column of it.
    Type,
    /// A schema: the statement locks everything in it.
    Schema,
}

/// Tables that a statement locks although it does not name them. The system catalogs know them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Along {
    /// Partitions and inheritance children, with the same lock.
    Children,
    /// Partitions alone: a foreign key is on each of them, and on no inheritance child.
    Partitions,
    /// The default partition: the server scans it for rows of the new partition.
    DefaultPartition,
    /// The table of which this one is a partition, with its default partition.
    Parent,
    /// The tables that foreign keys of this one reference: the foreign keys are dropped.
    Referenced,
    /// The tables at the other end of its foreign keys, for writers: a new partition gets the foreign keys too.
    ReferencedByCopy,
    /// The tables with foreign keys that reference this one.
    Referencing,
    /// The same tables, if they are truncated too, with those that reference them.
    Truncated,
    /// The tables at the other end of foreign keys with this column or constraint, also of those that need its index.
    Part(String),
    /// The views that use it, and those that use them.
    Views,
    /// The tables that a view uses.
    Used,
}

/// The lock on one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLock {
    /// Whom it blocks.
    pub strength: LockStrength,
    /// What is locked along with it.
    pub along: BTreeSet<Along>,
}

impl TableLock {
    /// A lock on the named table, with what is locked along.
    pub(super) fn new(strength: LockStrength, along: impl IntoIterator<Item = Along>) -> Self {
        Self {
            strength,
            along: along.into_iter().collect(),
        }
    }
}

/// A name and its lock.
pub(super) type NamedLock = ((NameOf, String), TableLock);

/// A lock on a table, view, sequence or index.
pub(super) fn relation(
    name: String,
    strength: LockStrength,
    along: impl IntoIterator<Item = Along>,
) -> NamedLock {
    ((NameOf::Relation, name), TableLock::new(strength, along))
}

/// Names as written in a file, each with the strongest of its locks.
pub type LockedTables = BTreeMap<(NameOf, String), TableLock>;

/// Adds `locks` to `locked`.
pub fn add_all(locked: &mut LockedTables, locks: impl IntoIterator<Item = ((NameOf, String), TableLock)>) {
    for (name, lock) in locks {
        let TableLock { strength, along } = lock;
        let strongest = locked.entry(name).or_insert_with(|| TableLock::new(strength, []));
        strongest.strength = strength.max(strongest.strength);
        strongest.along.extend(along);
    }
}
