//! A folder of drizzle-kit: either with a journal, as 0.x writes it, or with a folder for each migration, as 1.0 does.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::drizzle_journal as journal;
use super::drizzle_time::{folder_name, milliseconds, split_folder_name};
use super::error::{Error, Problem};
use super::file::describe_drizzle;
use super::migration::Migration;

/// What 1.0 and Prisma call the file of a migration.
pub(super) const MIGRATION_FILE: &str = "migration.sql";

/// Where 0.x lists the migrations.
pub(super) const JOURNAL: &str = "meta/_journal.json";

/// Which versions of drizzle-kit write such a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// 0.x: `meta/_journal.json` and `TAG.sql`.
    Journal,
    /// 1.0: `YYYYMMDDhhmmss_name/migration.sql`.
    Folders,
}

/// The table in which Drizzle records migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrizzleTable {
    /// Its schema.
    pub schema: &'static str,
    /// Its name.
    pub name: &'static str,
}

impl Default for DrizzleTable {
    fn default() -> Self {
        Self {
            schema: "drizzle",
            name: "__drizzle_migrations",
        }
    }
}

impl DrizzleTable {
    /// The table that `text` names: `schema.table`, or a table in the schema `drizzle`.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let (schema, name) = text.split_once('.').unwrap_or((Self::default().schema, text));
        (!schema.is_empty() && !name.is_empty()).then(|| Self {
            schema: kept(schema),
            name: kept(name),
        })
    }
}

/// `text` for the rest of the process. Each name is kept once: a table is copied with every statement that names it.
fn kept(text: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = names.get(text) {
        return name;
    }
    let name: &'static str = Box::leak(text.into());
    names.insert(name);
    name
}

/// A folder of drizzle-kit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrizzleFolder {
    /// The folder.
    pub path: PathBuf,
    /// Which versions of drizzle-kit write such a folder.
    pub layout: Layout,
    /// The table of its applied migrations.
    pub table: DrizzleTable,
}

impl DrizzleFolder {
    /// Reads the migrations, in the order in which drizzle-kit applies them.
    ///
    /// # Errors
    ///
    /// [`Error`], naming every file that cannot be used.
    pub(super) fn load(&self) -> Result<Vec<Migration>, Error> {
        let root = fs::canonicalize(&self.path).map_err(|error| {
            Error::new(
                self.path.display().to_string(),
                format!("cannot be read: {error}"),
                Some("set MIGRATIONS_DIR to the folder of drizzle-kit"),
            )
        })?;
        let described = match self.layout {
            Layout::Journal => self.list_journal()?,
            Layout::Folders => self.list_folders()?,
        };
        let (mut migrations, mut problems) = (Vec::with_capacity(described.len()), Vec::new());
        let (mut seen, mut twice) = (HashSet::new(), HashSet::new());
        for entry in described {
            if !seen.insert(entry.label.clone()) {
                twice.insert(entry.label.clone());
            }
            match load_entry(entry, &root) {
                Ok(migration) => migrations.push(migration),
                Err(error) => problems.extend(error.problems),
            }
        }
        for migration in &mut migrations {
            migration.is_ambiguous = twice.contains(&migration.label);
        }
        if problems.is_empty() {
            Ok(migrations)
        } else {
            Err(Error { problems })
        }
    }

    fn list_journal(&self) -> Result<Vec<Described>, Error> {
        let entries = journal::read(&self.path.join(JOURNAL))?;
        self.warn_of_unlisted(&entries);
        let describe = |entry: journal::Entry| Described {
            path: self.path.join(format!("{}.sql", entry.tag)),
            version: entry.when,
            name: folder_name(&entry.tag, entry.when),
            label: entry.tag,
        };
        Ok(entries.into_iter().map(describe).collect())
    }

    /// Warns of files after the last entry: people forget the journal, and drizzle-kit does not say so.
    fn warn_of_unlisted(&self, entries: &[journal::Entry]) {
        let tags: HashSet<&str> = entries.iter().map(|entry| entry.tag.as_str()).collect();
        let last = tags.iter().max().copied().unwrap_or_default();
        let listed = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
        let stems = names.filter_map(|name| name.strip_suffix(".sql").map(str::to_owned));
        let mut unlisted: Vec<String> = stems.filter(|stem| !tags.contains(stem.as_str())).collect();
        unlisted.sort();
        let (newer, older): (Vec<_>, Vec<_>) = unlisted.into_iter().partition(|stem| stem.as_str() > last);
        if !newer.is_empty() {
            tracing::warn!(
                "not in {JOURNAL}, so not applied: {}; drizzle-kit generate --custom adds a file to the journal",
                newer.join(", ")
            );
        }
        if !older.is_empty() {
            tracing::debug!("not in {JOURNAL}, so not applied: {}", older.join(", "));
        }
    }

    fn list_folders(&self) -> Result<Vec<Described>, Error> {
        let (mut described, mut problems) = (Vec::new(), Vec::new());
        for name in folders_with_migration(&self.path) {
            let path = self.path.join(&name).join(MIGRATION_FILE);
            let time = split_folder_name(&name).and_then(|(digits, _)| milliseconds(digits));
            match time {
                Some(version) => described.push(Described {
                    path,
                    version,
                    label: name.clone(),
                    name,
                }),
                None => problems.push(Problem {
                    path: path.display().to_string(),
                    problem: "is not in a folder named YYYYMMDDhhmmss_name".to_owned(),
                    hint: Some("give the folder the time and the name that drizzle-kit gave it".to_owned()),
                }),
            }
        }
        described.sort_by(|one, other| one.label.cmp(&other.label));
        if problems.is_empty() {
            Ok(described)
        } else {
            Err(Error { problems })
        }
    }
}

/// What the folder says of a migration.
struct Described {
    path: PathBuf,
    version: i64,
    name: String,
    label: String,
}

/// The names of the folders in `path` that hold a migration file.
pub(super) fn folders_with_migration(path: &Path) -> Vec<String> {
    let listed = fs::read_dir(path).into_iter().flatten().flatten();
    let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
    // Kubernetes mounts a ConfigMap through a folder whose name begins with two dots.
    let names = names.filter(|name| !name.starts_with(".."));
    names
        .filter(|name| path.join(name).join(MIGRATION_FILE).exists())
        .collect()
}

fn load_entry(entry: Described, root: &Path) -> Result<Migration, Error> {
    let shown = entry.path.display().to_string();
    let real = fs::canonicalize(&entry.path).map_err(|error| {
        Error::new(
            shown.clone(),
            format!("is in the journal of the folder, and cannot be read: {error}"),
            Some("restore the file from version control; what was applied stays in the journal"),
        )
    })?;
    if !real.starts_with(root) {
        return Err(Error::new(
            shown,
            "leads out of the folder of the migrations",
            Some("put the file into the folder"),
        ));
    }
    let (checksum, size) = describe_drizzle(&real)
        .map_err(|error| Error::new(shown.clone(), format!("cannot be read: {error}"), None))?;
    Ok(Migration::from_drizzle(
        (entry.version, entry.name, entry.label),
        (real, shown),
        checksum,
        size,
    ))
}
