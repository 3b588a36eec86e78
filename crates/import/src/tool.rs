//! The tools whose migrations can be imported.

use std::path::Path;

use crate::entry::Entry;
use crate::error::Error;
use crate::history::{Applied, Row};
use crate::{dbmate, flyway, golang_migrate, goose, sqlx};

/// A tool whose migrations can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Flyway.
    Flyway,
    /// sqlx.
    Sqlx,
    /// dbmate.
    Dbmate,
    /// goose.
    Goose,
    /// golang-migrate.
    GolangMigrate,
}

impl Tool {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("flyway", Self::Flyway),
        ("sqlx", Self::Sqlx),
        ("dbmate", Self::Dbmate),
        ("goose", Self::Goose),
        ("golang-migrate", Self::GolangMigrate),
    ];

    /// The migrations in `folder`, in the tool's order.
    pub(crate) fn read(self, folder: &Path) -> Result<Vec<Entry>, Error> {
        match self {
            Self::Flyway => flyway::read(folder),
            Self::Sqlx => sqlx::read(folder),
            Self::Dbmate => dbmate::read(folder),
            Self::Goose => goose::read(folder),
            Self::GolangMigrate => golang_migrate::read(folder),
        }
    }

    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Flyway => flyway::TABLE,
            Self::Sqlx => sqlx::TABLE,
            Self::Dbmate => dbmate::TABLE,
            Self::Goose => goose::TABLE,
            Self::GolangMigrate => golang_migrate::TABLE,
        }
    }

    /// The query for the rows of its table.
    pub(crate) const fn query(self) -> &'static str {
        match self {
            Self::Flyway => flyway::QUERY,
            Self::Sqlx => sqlx::QUERY,
            Self::Dbmate => dbmate::QUERY,
            Self::Goose => goose::QUERY,
            Self::GolangMigrate => golang_migrate::QUERY,
        }
    }

    pub(crate) fn applied(self, rows: &[Row], entries: &[Entry]) -> Applied {
        match self {
            Self::Flyway => flyway::applied(rows, entries),
            Self::Sqlx => sqlx::applied(rows, entries),
            Self::Dbmate => dbmate::applied(rows, entries),
            Self::Goose => goose::applied(rows, entries),
            Self::GolangMigrate => golang_migrate::applied(rows, entries),
        }
    }

    /// Whether its table has the column `dirty`, for the two tools whose tables have the same name.
    pub(crate) const fn has_column_dirty(self) -> Option<bool> {
        match self {
            Self::Dbmate => Some(false),
            Self::GolangMigrate => Some(true),
            Self::Flyway | Self::Sqlx | Self::Goose => None,
        }
    }
}
