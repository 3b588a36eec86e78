//! Non-transactional statements: PostgreSQL refuses them inside a transaction block. What recovery needs to know of each.

use super::statement::Statement;

/// A statement that PostgreSQL refuses inside a transaction block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonTransactional {
    /// As messages name it, such as `CREATE INDEX CONCURRENTLY`.
    pub command: &'static str,
    /// What it does to what.
    pub effect: Effect,
    /// Whether later statements on the table queue behind it while it waits for its lock, as behind `VACUUM FULL`. A
    /// concurrent build blocks nobody while it waits.
    pub blocks_readers: bool,
}

/// What a statement does, as far as recovery from an interrupted attempt needs it. Names are as written, with schema and
/// quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `CREATE INDEX CONCURRENTLY`.
    CreateIndex {
        /// The index.
        index: String,
        /// Its table.
        table: String,
        /// The same index on an empty table.
        probe: Probe,
    },
    /// `DROP INDEX CONCURRENTLY`.
    DropIndex {
        /// The index.
        index: String,
    },
    /// `REINDEX … CONCURRENTLY`.
    Reindex(Scope),
    /// `ALTER TABLE … DETACH PARTITION … CONCURRENTLY`.
    DetachPartition {
        /// The partitioned table.
        parent: String,
        /// The partition that becomes a table.
        partition: String,
    },
    /// `VACUUM` and others that leave nothing when they are interrupted, and can run again from the beginning.
    Repeatable,
    /// A statement of which only the file or the server says that it cannot run in a transaction block. Nobody knows what an
    /// interrupted attempt leaves.
    Unknown {
        /// Whether it may commit parts of its work: `CALL` and `DO`.
        commits: bool,
    },
}

/// The index of the file on an empty temporary table of the same name: it shows how the server writes its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The table's name, without a schema.
    pub table: String,
    /// The statement that creates the index.
    pub index: String,
}

/// What is reindexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One index.
    Index(String),
    /// The indexes of one table.
    Table(String),
    /// All indexes of a schema.
    Schema(String),
    /// All indexes of the database.
    Database,
}

impl NonTransactional {
    /// The statement of a file that says, or of which the server says, that it cannot run in a transaction block.
    #[must_use]
    pub fn unknown(statement: &Statement<'_>) -> Self {
        let commits = statement.begins_with(&["CALL"]) || statement.begins_with(&["DO"]);
        Self {
            command: "a statement without a transaction block",
            effect: Effect::Unknown { commits },
            blocks_readers: true,
        }
    }
}
