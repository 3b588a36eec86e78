//! Where migrations come from.

mod directory;
mod embedded;
mod error;
mod file;
mod memory_limit;
mod migration;

use std::path::PathBuf;

use refinery_core::{Migration as RefineryMigration, Runner};

pub use self::embedded::{Embedded, EmbeddedFile};
pub use self::error::Error;
pub(crate) use self::memory_limit::memory_limit;
pub use self::migration::Migration;

/// Where migrations come from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Source {
    /// Embedded in the program by refinery, and listed by its build script.
    Embedded(&'static Embedded),
    /// Listed by refinery.
    Refinery(Vec<RefineryMigration>),
    /// A directory of files in refinery's naming.
    Directory(PathBuf),
}

impl From<&Runner> for Source {
    /// The migrations of `embed_migrations!`: `Source::from(&migrations::runner())`.
    fn from(runner: &Runner) -> Self {
        Self::Refinery(runner.get_migrations().clone())
    }
}

impl Source {
    /// The migrations, ordered by version.
    ///
    /// # Errors
    ///
    /// [`Error`], naming the file: it cannot be used, or two files have the same version.
    pub fn load(&self) -> Result<Vec<Migration>, Error> {
        let mut migrations = match self {
            Self::Embedded(embedded) => embedded
                .files
                .iter()
                .map(|file| Migration::from_embedded(file, embedded))
                .collect(),
            Self::Refinery(migrations) => migrations.iter().cloned().map(Migration::from_refinery).collect(),
            Self::Directory(directory) => directory::load(directory)?,
        };
        migrations
            .sort_unstable_by(|one, other| (one.version(), &one.path).cmp(&(other.version(), &other.path)));
        for pair in migrations.windows(2) {
            if pair[0].version() == pair[1].version() {
                return Err(Error::new(
                    pair[1].path.clone(),
                    format!("has the same version, {}, as {}", pair[1].version(), pair[0].path),
                    Some("give one of the two files the next free version"),
                ));
            }
        }
        Ok(migrations)
    }
}
