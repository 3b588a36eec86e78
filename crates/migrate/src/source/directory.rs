//! A directory of migration files in refinery's naming: `V<number>__<name>.sql`.

use std::path::PathBuf;

use super::error::Error;
use super::migration::Migration;
use super::reading::read_files;
use super::search::Search;

/// `MIGRATE_UNKNOWN_FILES`: what to do about a file that looks like a migration of another tool, or is misspelt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFiles {
    /// Warn, and leave it out.
    Warn,
    /// Refuse the directory: a migration that is left out must not look like an applied one.
    #[default]
    Refuse,
}

/// A directory of migration files in refinery's naming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// The directory.
    pub path: PathBuf,
    /// What to do about files that look like migrations and are not named like them.
    pub unknown_files: UnknownFiles,
}

impl<P: Into<PathBuf>> From<P> for Directory {
    fn from(path: P) -> Self {
        Self {
            path: path.into(),
            unknown_files: UnknownFiles::default(),
        }
    }
}

impl Directory {
    /// Reads the migration files of the directory and of the directories below it.
    ///
    /// # Errors
    ///
    /// [`Error`], naming every file and directory that cannot be used.
    pub(super) fn load(&self) -> Result<Vec<Migration>, Error> {
        let search = Search::run(&self.path)?;
        let mut problems = search.problems;
        let mut left_out = search.left_out;
        for misnamed in search.misnamed {
            if self.unknown_files == UnknownFiles::Warn {
                left_out.push(misnamed.path);
            } else {
                problems.push(misnamed);
            }
        }
        left_out.sort();
        for file in left_out {
            tracing::warn!(file, "{file} is not named V<number>__<name>.sql and is left out");
        }
        let (migrations, unusable) = read_files(&search.found);
        problems.extend(unusable);
        if !problems.is_empty() {
            return Err(Error { problems });
        }
        if migrations.is_empty() {
            return Err(Error::new(
                self.path.display().to_string(),
                "contains no migration",
                Some(
                    "name migration files V<number>__<name>.sql; an empty directory is usually a wrong mount",
                ),
            ));
        }
        Ok(migrations)
    }
}
