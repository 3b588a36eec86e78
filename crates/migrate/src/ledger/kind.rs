//! The kinds of history tables: refinery's, and Drizzle's.

use tokio_postgres::SimpleQueryRow;
use zerostarter_connect::quote::{identifier, literal};

use super::applied::Applied;
use crate::source::{DrizzleFolder, DrizzleTable, Layout, Migration, Source};

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
    /// Drizzle's `__drizzle_migrations`: rows with a time and the SHA-256 of the text, and in 1.0 a name. drizzle-kit and this
    /// crate can take turns on one database.
    Drizzle {
        /// The table.
        table: DrizzleTable,
        /// The layout of the folder, which says which drizzle-kit reads the table.
        layout: Layout,
    },
}

impl Ledger {
    /// The history table of migrations from `source`.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        match source {
            Source::Embedded(_) | Source::Refinery(_) | Source::Directory(_) => Self::Refinery,
            Source::Drizzle(DrizzleFolder { table, layout, .. }) => Self::Drizzle {
                table: *table,
                layout: *layout,
            },
        }
    }

    /// The table's name without its schema. Statements always name the schema too.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Refinery => "refinery_schema_history",
            Self::Drizzle { table, .. } => table.name,
        }
    }

    /// The table's own schema; refinery's is in the first schema of the search path.
    #[must_use]
    pub const fn own_schema(self) -> Option<&'static str> {
        match self {
            Self::Refinery => None,
            Self::Drizzle { table, .. } => Some(table.schema),
        }
    }

    /// The table with its schema, quoted; `schema` is the first schema of the search path.
    pub(crate) fn qualified(self, schema: &str) -> String {
        match self {
            Self::Refinery => format!("{}.{}", identifier(schema), self.table()),
            Self::Drizzle { table, .. } => {
                format!("{}.{}", identifier(table.schema), identifier(table.name))
            }
        }
    }

    /// The query for all rows of `table`, ordered by version, in any search path.
    pub(super) fn select(self, table: &str) -> String {
        match self {
            Self::Refinery => {
                format!("SELECT version, name, applied_on, checksum FROM {table} ORDER BY version")
            }
            // The last two columns are those of 1.0.
            Self::Drizzle { .. } => format!(
                "SELECT CAST(created_at AS pg_catalog.numeric), r.value OPERATOR(pg_catalog.->>) 'name', \
                   r.value OPERATOR(pg_catalog.->>) 'applied_at', hash \
                 FROM {table} AS t, LATERAL (SELECT pg_catalog.to_jsonb(t) AS value) AS r ORDER BY created_at, hash"
            ),
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
            Self::Drizzle { .. } => Applied {
                version: text(0).map_or(Applied::UNTIMED, |time| whole(&time)),
                name: text(1),
                applied_on: text(2),
                checksum: text(3),
            },
        }
    }

    /// The condition that `table` has not changed since it was read, in any search path. refinery's: `last` still is the newest
    /// version, and none of `versions` is recorded: two lookups in the primary key, however long the history is. Drizzle's has
    /// no key: it still has so many `rows`.
    pub(crate) fn is_unchanged(
        self,
        table: &str,
        last: Option<i64>,
        rows: usize,
        versions: &[i64],
    ) -> String {
        if let Self::Drizzle { .. } = self {
            return format!("(SELECT pg_catalog.count(*) FROM {table}) OPERATOR(pg_catalog.=) {rows}");
        }
        let newest = format!("(SELECT pg_catalog.max(version) FROM {table})");
        let is_last = last.map_or_else(
            || format!("{newest} IS NULL"),
            |last| format!("COALESCE({newest} OPERATOR(pg_catalog.=) {last}, false)"),
        );
        let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
        format!(
            "{is_last} AND NOT EXISTS (SELECT FROM {table} \
             WHERE version OPERATOR(pg_catalog.=) ANY (CAST('{{{}}}' AS pg_catalog.int4[])))",
            versions.join(", ")
        )
    }

    /// The query that returns the version of `migration` as [`CONFIRMATION`], if `table` has it, in any search path, and the
    /// first schema of that path.
    pub(crate) fn confirm(self, table: &str, migration: &Migration) -> String {
        let version = match self {
            Self::Refinery => "version",
            Self::Drizzle { .. } => "created_at",
        };
        format!(
            "SELECT {version} AS {CONFIRMATION}, pg_catalog.current_schema() FROM {table} WHERE {}",
            self.is_row_of(migration)
        )
    }

    /// The condition that `table` has the row of `migration`, in any search path.
    pub(crate) fn has(self, table: &str, migration: &Migration) -> String {
        format!("EXISTS (SELECT FROM {table} WHERE {})", self.is_row_of(migration))
    }

    fn is_row_of(self, migration: &Migration) -> String {
        let (version, checksum) = match self {
            Self::Refinery => ("version", "checksum"),
            Self::Drizzle { .. } => ("created_at", "hash"),
        };
        format!(
            "{version} OPERATOR(pg_catalog.=) {} AND {checksum} OPERATOR(pg_catalog.=) {}",
            migration.version(),
            literal(&migration.checksum().to_string()),
        )
    }

    /// The statement that records `migration` without refinery, with the time of the server. If Drizzle's table `has_names`,
    /// 1.0 goes by them.
    pub(crate) fn record(self, table: &str, migration: &Migration, has_names: bool) -> String {
        match self {
            Self::Refinery => format!(
                "INSERT INTO {table} (version, name, applied_on, checksum) VALUES ({}, {}, \
                 pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.now()), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), {})",
                migration.version(),
                literal(migration.name()),
                literal(&migration.checksum().to_string()),
            ),
            Self::Drizzle { .. } => {
                let (column, name) = if has_names {
                    (", name", format!(", {}", literal(migration.name())))
                } else {
                    ("", String::new())
                };
                format!(
                    "INSERT INTO {table} (hash, created_at{column}) VALUES ({}, {}{name})",
                    literal(&migration.checksum().to_string()),
                    migration.version()
                )
            }
        }
    }

    /// The statements that create `table`, as the drizzle-kit that reads it would. refinery brings its own.
    pub(crate) fn create(self, table: &str, schema_exists: bool) -> Vec<String> {
        let Self::Drizzle {
            table: DrizzleTable { schema, .. },
            layout,
        } = self
        else {
            return Vec::new();
        };
        let names = match layout {
            Layout::Journal => "",
            Layout::Folders => {
                ", name pg_catalog.text, applied_at pg_catalog.timestamptz DEFAULT pg_catalog.now()"
            }
        };
        let schema = (!schema_exists).then(|| format!("CREATE SCHEMA {}", identifier(schema)));
        let table = format!(
            "CREATE TABLE {table} (id SERIAL PRIMARY KEY, hash pg_catalog.text NOT NULL, created_at pg_catalog.int8{names})"
        );
        schema.into_iter().chain([table]).collect()
    }

    /// Whether the table has the column `name` after a run: drizzle-kit 1.0 creates it, or adds it.
    pub(crate) const fn has_names_after_upgrade(self) -> bool {
        matches!(
            self,
            Self::Drizzle {
                layout: Layout::Folders,
                ..
            }
        )
    }

    /// The statement that removes `migration` from `table`, in any search path.
    pub(crate) fn remove(self, table: &str, migration: &Migration) -> String {
        match self {
            Self::Refinery => format!(
                "DELETE FROM {table} WHERE version OPERATOR(pg_catalog.=) {}",
                migration.version()
            ),
            Self::Drizzle { .. } => format!("DELETE FROM {table} WHERE {}", self.is_row_of(migration)),
        }
    }
}

/// The whole milliseconds of a time: drizzle's pg-proxy driver makes the column numeric.
fn whole(time: &str) -> i64 {
    let digits = time.split_once('.').map_or(time, |(digits, _)| digits);
    digits.parse().unwrap_or(Applied::UNTIMED)
}
