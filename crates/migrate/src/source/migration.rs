//! What a migration is: a version, a name, a checksum, and SQL.

use std::path::Path;

use refinery_core::Migration as RefineryMigration;

use super::embedded::{Embedded, EmbeddedFile};
use super::error::Error;

/// A migration. Its version identifies it; its checksum tells whether it is the text that was applied.
#[derive(Clone, Debug)]
pub struct Migration {
    version: i32,
    name: String,
    checksum: u64,
    text: Text,
    /// How messages name the migration: its file's name without directory and ending, such as `V0001__waitlist`.
    pub label: String,
    /// How messages name its file.
    pub path: String,
}

#[derive(Clone, Debug)]
enum Text {
    Loaded(RefineryMigration),
    Embedded(&'static Embedded),
}

impl Migration {
    /// The migration in the file at `path`.
    ///
    /// # Errors
    ///
    /// The version in the file's name is too large.
    pub(super) fn from_file(path: String, text: &str) -> Result<Self, Error> {
        let label = label_of(&path).to_owned();
        match RefineryMigration::unapplied(&label, text) {
            Ok(migration) => Ok(Self::new(migration, label, path)),
            Err(_) => Err(Error::new(
                path,
                "has a version that is not a whole number up to 2147483647",
                Some("use a smaller version: refinery's history table stores versions in 32 bits"),
            )),
        }
    }

    /// A migration as refinery lists it. refinery does not keep the path of its file.
    pub(super) fn from_refinery(migration: RefineryMigration) -> Self {
        let label = migration.to_string();
        let path = format!("{label}.sql");
        Self::new(migration, label, path)
    }

    pub(super) fn from_embedded(file: &EmbeddedFile, embedded: &'static Embedded) -> Self {
        let (path, version, name, checksum) = *file;
        Self {
            version,
            name: name.to_owned(),
            checksum,
            text: Text::Embedded(embedded),
            label: label_of(path).to_owned(),
            path: path.to_owned(),
        }
    }

    fn new(migration: RefineryMigration, label: String, path: String) -> Self {
        Self {
            version: migration.version(),
            name: migration.name().to_owned(),
            checksum: migration.checksum(),
            text: Text::Loaded(migration),
            label,
            path,
        }
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version.into()
    }

    /// The name: the part of the file's name after the version.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// refinery's checksum of name, version and text.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        self.checksum
    }

    /// The migration as refinery has it.
    ///
    /// # Panics
    ///
    /// If a program's list of embedded files names a version that refinery did not embed.
    #[must_use]
    pub fn refinery(&self) -> &RefineryMigration {
        match &self.text {
            Text::Loaded(migration) => migration,
            Text::Embedded(embedded) => embedded
                .find(self.version)
                .expect("the list of embedded files has the files that refinery embeds"),
        }
    }

    /// Whether refinery applies it also below the last applied version: the file's name begins with `U`.
    #[must_use]
    pub fn may_be_late(&self) -> bool {
        self.label.starts_with('U')
    }

    /// The SQL as the server receives it: without a byte-order mark. refinery's checksum covers the mark, so it is removed
    /// here and not when the file is read.
    #[must_use]
    pub fn sql(&self) -> &str {
        let text = self.refinery().sql().unwrap_or_default();
        text.strip_prefix(squawk_lexer::BOM).unwrap_or(text)
    }
}

fn label_of(path: &str) -> &str {
    Path::new(path)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}
