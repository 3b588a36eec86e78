//! What a migration is: a version, a name, a checksum, and SQL.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use refinery_core::Migration as RefineryMigration;
use squawk_lexer::BOM;

use super::embedded::{Embedded, EmbeddedFile};
use super::error::Error;
use super::file::{self, Described};

/// A migration. Its version identifies it; its checksum tells whether it is the text that was applied.
#[derive(Clone, Debug)]
pub struct Migration {
    version: i32,
    name: String,
    checksum: u64,
    size: u64,
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
    /// In this file, which is read when the migration is applied.
    File(PathBuf),
}

impl Migration {
    /// The migration in the file at `path`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not UTF-8, contains a NUL byte, or has a version that is too large.
    pub(super) fn from_file(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let label = label_of(&shown).to_owned();
        let Described {
            version,
            name,
            checksum,
            size,
        } = file::describe(path, &label)?;
        Ok(Self {
            version,
            name,
            checksum,
            size,
            text: Text::File(path.to_owned()),
            label,
            path: shown,
        })
    }

    /// A migration as refinery lists it. refinery does not keep the path of its file.
    pub(super) fn from_refinery(migration: RefineryMigration) -> Self {
        let label = migration.to_string();
        Self {
            version: migration.version(),
            name: migration.name().to_owned(),
            checksum: migration.checksum(),
            size: 0,
            text: Text::Loaded(migration),
            path: format!("{label}.sql"),
            label,
        }
    }

    pub(super) fn from_embedded(file: &EmbeddedFile, embedded: &'static Embedded) -> Self {
        let (path, version, name, checksum) = *file;
        Self {
            version,
            name: name.to_owned(),
            checksum,
            size: 0,
            text: Text::Embedded(embedded),
            label: label_of(path).to_owned(),
            path: path.to_owned(),
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

    /// How much memory its text will take when it is read, in bytes. Embedded text takes none.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The migration for refinery, without its text, which refinery would keep in memory; so its checksum is another one.
    ///
    /// # Panics
    ///
    /// Never: the label was parsed when the migration was loaded.
    pub(crate) fn without_text(&self) -> RefineryMigration {
        RefineryMigration::unapplied(&self.label, "").expect("the label of a loaded migration")
    }

    /// Whether refinery applies it also below the last applied version: the file's name begins with `U`.
    #[must_use]
    pub fn may_be_late(&self) -> bool {
        self.label.starts_with('U')
    }

    /// The SQL, without a byte-order mark. refinery's checksum covers the mark, so it is removed here.
    ///
    /// # Errors
    ///
    /// The file cannot be read any more, or has changed since it was listed.
    ///
    /// # Panics
    ///
    /// If a program's list of embedded files names a version that refinery did not embed.
    pub fn sql(&self) -> Result<Cow<'_, str>, Error> {
        let text = match &self.text {
            Text::Loaded(migration) => migration.sql().unwrap_or_default(),
            Text::Embedded(embedded) => embedded
                .find(self.version)
                .expect("the list of embedded files has the files that refinery embeds")
                .sql()
                .unwrap_or_default(),
            Text::File(path) => {
                let mut text = file::text(path, self.version, &self.name, self.checksum)?;
                if text.starts_with(BOM) {
                    text.drain(..BOM.len());
                }
                return Ok(Cow::Owned(text));
            }
        };
        Ok(Cow::Borrowed(text.strip_prefix(BOM).unwrap_or(text)))
    }
}

fn label_of(path: &str) -> &str {
    Path::new(path)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}
