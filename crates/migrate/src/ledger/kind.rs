//! The kinds of history tables. Today refinery's is the only one.

use tokio_postgres::SimpleQueryRow;
use zerostarter_connect::quote::literal;

use super::applied::Applied;
use super::comparison::{Comparison, compare};
use crate::source::{Migration, Source};

/// The column in which the server confirms the version that it has committed.
pub(crate) const CONFIRMATION: &str = "zerostarter_db_applied";

/// A kind of history table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ledger {
    /// refinery's `refinery_schema_history`: one row a version, with refinery's checksum. refinery's CLI and this crate can
    /// take turns on one database.
    #[default]
    Refinery,
}

impl Ledger {
    /// The history table of migrations from `source`.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        match source {
            Source::Embedded(_) | Source::Refinery(_) | Source::Directory(_) => Self::Refinery,
        }
    }

    /// The table's name without its schema. Statements always name the schema too.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Refinery => "refinery_schema_history",
        }
    }

    /// The query for all rows of `table`, ordered by version.
    pub(super) fn select(self, table: &str) -> String {
        match self {
            Self::Refinery => {
                format!("SELECT version, name, applied_on, checksum FROM {table} ORDER BY version")
            }
        }
    }

    /// A row of that query.
    pub(super) fn read(self, row: &SimpleQueryRow) -> Applied {
        let text = |column: usize| row.try_get(column).ok().flatten().map(str::to_owned);
        match self {
            Self::Refinery => Applied {
                version: text(0).and_then(|text| text.parse().ok()).unwrap_or_default(),
                name: text(1),
                applied_on: text(2),
                checksum: text(3),
            },
        }
    }

    /// The condition that `table` has not changed since it was read: `last` still is the newest version, and none of
    /// `versions` is recorded, in any search path. Two lookups in the primary key, however long the history is.
    pub(crate) fn is_unchanged(self, table: &str, last: Option<i64>, versions: &[i64]) -> String {
        let newest = format!("(SELECT pg_catalog.max(version) FROM {table})");
        let is_last = last.map_or_else(
            || format!("{newest} IS NULL"),
            |last| format!("COALESCE({newest} OPERATOR(pg_catalog.=) {last}, false)"),
        );
        let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
        match self {
            Self::Refinery => format!(
                "{is_last} AND NOT EXISTS (SELECT FROM {table} \
                 WHERE version OPERATOR(pg_catalog.=) ANY (CAST('{{{}}}' AS pg_catalog.int4[])))",
                versions.join(", ")
            ),
        }
    }

    /// The query that returns the version of `migration` as [`CONFIRMATION`], if `table` has it, in any search path, and the
    /// first schema of that path.
    pub(crate) fn confirm(self, table: &str, migration: &Migration) -> String {
        match self {
            Self::Refinery => format!(
                "SELECT version AS {CONFIRMATION}, pg_catalog.current_schema() FROM {table} \
                 WHERE version OPERATOR(pg_catalog.=) {} AND checksum OPERATOR(pg_catalog.=) {}",
                migration.version(),
                literal(&migration.checksum().to_string()),
            ),
        }
    }

    /// The condition that `table` has the row of `migration`, in any search path.
    pub(crate) fn has(self, table: &str, migration: &Migration) -> String {
        match self {
            Self::Refinery => format!(
                "EXISTS (SELECT FROM {table} WHERE version OPERATOR(pg_catalog.=) {} \
                 AND checksum OPERATOR(pg_catalog.=) {})",
                migration.version(),
                literal(&migration.checksum().to_string()),
            ),
        }
    }

    /// The statement that records `migration` without refinery, with the time of the server.
    pub(crate) fn record(self, table: &str, migration: &Migration) -> String {
        match self {
            Self::Refinery => format!(
                "INSERT INTO {table} (version, name, applied_on, checksum) VALUES ({}, {}, \
                 pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.now()), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), {})",
                migration.version(),
                literal(migration.name()),
                literal(&migration.checksum().to_string()),
            ),
        }
    }

    /// The statement that removes `migration` from `table`, in any search path.
    pub(crate) fn remove(self, table: &str, migration: &Migration) -> String {
        match self {
            Self::Refinery => format!(
                "DELETE FROM {table} WHERE version OPERATOR(pg_catalog.=) {}",
                migration.version()
            ),
        }
    }

    /// Compares the rows with the migrations; both are ordered by version.
    #[must_use]
    pub fn compare(self, applied: &[Applied], migrations: &[Migration]) -> Comparison {
        match self {
            Self::Refinery => compare(applied, migrations),
        }
    }
}
