//! Whose migrations a directory holds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zerostarter_diagnostic::regular_file;

use super::drizzle::{JOURNAL, Layout, MIGRATION_FILE, folders_with_migration};
use super::drizzle_time::split_folder_name;
use super::error::Error;
use super::file_name::FileName;

/// `MIGRATIONS_FORMAT`: whose migrations the directory holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// What is in it decides.
    #[default]
    Auto,
    /// drizzle-kit's.
    Drizzle,
    /// Files in refinery's naming.
    Refinery,
}

/// What is in a directory.
struct Found {
    path: PathBuf,
    has_journal: bool,
    /// Folders with a migration file, as 1.0 and Prisma have them.
    folders: Vec<String>,
    /// A file in refinery's naming.
    refinery: Option<String>,
}

/// The layout of the directory at `path`, if it is a folder of drizzle-kit.
///
/// # Errors
///
/// [`Error`]: it holds migrations of two kinds, of another database, or not what `format` says.
pub(crate) fn drizzle_layout(path: &Path, format: Format) -> Result<Option<Layout>, Error> {
    if format == Format::Refinery {
        return Ok(None);
    }
    let found = Found::in_directory(path);
    if found.has_journal {
        found.check_alone()?;
        return Ok(Some(Layout::Journal));
    }
    // Beside files in refinery's naming, folders without a snapshot are those of another tool.
    let is_refinerys = found.refinery.is_some() && format == Format::Auto;
    let is_other_tools = is_refinerys && found.check_snapshots().is_err();
    if !found.folders.is_empty() && !is_other_tools {
        found.check_alone()?;
        if format == Format::Auto {
            found.check_snapshots()?;
        }
        return Ok(Some(Layout::Folders));
    }
    if format == Format::Drizzle || (!is_refinerys && path.join("meta").is_dir()) {
        return Err(Error::new(
            path.join(JOURNAL).display().to_string(),
            "does not exist, and no folder holds a migration.sql",
            Some(
                "set MIGRATIONS_DIR to the folder of drizzle-kit; look whether .dockerignore leaves meta out",
            ),
        ));
    }
    Ok(None)
}

impl Found {
    fn in_directory(path: &Path) -> Self {
        let listed = fs::read_dir(path).into_iter().flatten().flatten();
        let mut refinery: Vec<String> = listed
            .filter(|entry| FileName::of(&entry.file_name()) == FileName::Migration)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        refinery.sort();
        let folders = folders_with_migration(path);
        let is_timed = folders.iter().any(|name| split_folder_name(name).is_some());
        Self {
            path: path.to_owned(),
            has_journal: path.join(JOURNAL).exists(),
            folders: if is_timed { folders } else { Vec::new() },
            refinery: refinery.into_iter().next(),
        }
    }

    /// Checks that there are migrations of one kind only.
    fn check_alone(&self) -> Result<(), Error> {
        let shown = self.path.display().to_string();
        if let Some(file) = &self.refinery {
            let other = if self.has_journal {
                JOURNAL
            } else {
                &self.folders[0]
            };
            return Err(Error::new(
                shown,
                format!("holds migrations of two kinds: {file} and {other}"),
                Some(
                    "move one kind elsewhere, or set MIGRATIONS_FORMAT to drizzle or refinery and MIGRATIONS_DIR to one of the two",
                ),
            ));
        }
        if self.has_journal
            && let Some(folder) = self.folders.first()
        {
            return Err(Error::new(
                shown,
                format!("holds migrations of two kinds: {JOURNAL} and {folder}/{MIGRATION_FILE}"),
                Some("run drizzle-kit up with drizzle-kit 1.0: it turns the journal into folders"),
            ));
        }
        Ok(())
    }

    /// Checks by the snapshots that the folders are drizzle-kit's: those of Prisma look the same.
    fn check_snapshots(&self) -> Result<(), Error> {
        let prisma = self.path.join("migration_lock.toml");
        if prisma.exists() {
            return Err(Error::new(
                prisma.display().to_string(),
                "belongs to Prisma, whose migrations this program does not apply",
                Some("set MIGRATIONS_DIR to a folder of drizzle-kit, or to V<number>__<name>.sql files"),
            ));
        }
        let mut last = None;
        for folder in &self.folders {
            let path = self.path.join(folder).join("snapshot.json");
            let Ok(bytes) = regular_file::read(&path) else {
                continue;
            };
            let snapshot: Option<Value> = serde_json::from_slice(&bytes).ok();
            let dialect = snapshot
                .as_ref()
                .and_then(|snapshot| snapshot["dialect"].as_str());
            match dialect {
                Some("postgres" | "postgresql") => return Ok(()),
                dialect => last = Some((path, dialect.unwrap_or("no dialect").to_owned())),
            }
        }
        Err(match last {
            Some((path, dialect)) => Error::new(
                path.display().to_string(),
                format!("is not a snapshot of PostgreSQL: it names {dialect}"),
                Some("set MIGRATIONS_DIR to the folder of the PostgreSQL database"),
            ),
            None => Error::new(
                self.path.display().to_string(),
                format!("holds folders with a {MIGRATION_FILE} and no snapshot.json, which may be Prisma's"),
                Some(
                    "copy the snapshots too, or set MIGRATIONS_FORMAT=drizzle if the folder is drizzle-kit's",
                ),
            ),
        })
    }
}
