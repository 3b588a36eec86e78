//! Migrations that refinery has embedded in a program.

use std::fmt;
use std::sync::LazyLock;

use refinery_core::Migration as RefineryMigration;

/// What a build script knows about an embedded file: path, version, name, and refinery's checksum.
pub type EmbeddedFile = (&'static str, i32, &'static str, u64);

/// Migrations that refinery's macro has embedded in a program, with what a build script knows about them.
///
/// To list its migrations, refinery compiles a regular expression, which takes longer and more memory than everything
/// else in a run with nothing to do. So refinery lists them only when a migration is applied.
pub struct Embedded {
    pub(super) files: &'static [EmbeddedFile],
    migrations: LazyLock<Vec<RefineryMigration>>,
}

impl Embedded {
    /// `files`, in any order, and how to get refinery's list of the same migrations.
    #[must_use]
    pub const fn new(files: &'static [EmbeddedFile], list: fn() -> Vec<RefineryMigration>) -> Self {
        Self {
            files,
            migrations: LazyLock::new(list),
        }
    }

    pub(super) fn find(&self, version: i64) -> Option<&RefineryMigration> {
        self.migrations
            .iter()
            .find(|migration| i64::from(migration.version()) == version)
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
