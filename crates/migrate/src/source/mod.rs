//! Where migrations come from.

mod breakpoints;
mod checksum;
mod directory;
mod drizzle;
mod drizzle_journal;
mod drizzle_time;
mod embedded;
mod error;
mod file;
mod file_name;
mod format;
mod memory_limit;
mod migration;
mod reading;
mod search;

use refinery_core::{Migration as RefineryMigration, Runner};

pub use self::checksum::Checksum;
pub use self::directory::{Directory, UnknownFiles};
pub use self::drizzle::{DrizzleFolder, DrizzleTable, Layout};
pub use self::drizzle_time::readable;
pub use self::embedded::{Embedded, EmbeddedFile};
pub use self::error::{Error, Problem};
pub use self::format::Format;
pub(crate) use self::format::drizzle_layout;
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
    Directory(Directory),
    /// A folder of drizzle-kit.
    Drizzle(DrizzleFolder),
}

impl From<&Runner> for Source {
    /// The migrations of `embed_migrations!`: `Source::from(&migrations::runner())`.
    fn from(runner: &Runner) -> Self {
        Self::Refinery(runner.get_migrations().clone())
    }
}

impl Source {
    /// The migrations, in the order in which they are applied: by version, or as the folder of drizzle-kit has them.
    ///
    /// # Errors
    ///
    /// [`Error`], naming the files that cannot be used, or have the same version.
    pub fn load(&self) -> Result<Vec<Migration>, Error> {
        let mut migrations = match self {
            Self::Embedded(embedded) => embedded
                .files
                .iter()
                .map(|file| Migration::from_embedded(file, embedded))
                .collect(),
            Self::Refinery(migrations) => migrations.iter().cloned().map(Migration::from_refinery).collect(),
            Self::Directory(directory) => directory.load()?,
            Self::Drizzle(folder) => return folder.load(),
        };
        migrations
            .sort_unstable_by(|one, other| (one.version(), &one.path).cmp(&(other.version(), &other.path)));
        let problems: Vec<Problem> = migrations
            .windows(2)
            .filter(|pair| pair[0].version() == pair[1].version())
            .map(|pair| Problem {
                path: pair[1].path.clone(),
                problem: format!("has the same version, {}, as {}", pair[1].version(), pair[0].path),
                hint: Some("give one of the two files the next free version".to_owned()),
            })
            .collect();
        if problems.is_empty() {
            Ok(migrations)
        } else {
            Err(Error { problems })
        }
    }
}
