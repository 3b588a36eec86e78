//! What a migration is: a version, a name, a checksum, and SQL.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use refinery_core::Migration as RefineryMigration;
use squawk_lexer::BOM;

use super::breakpoints;
use super::checksum::Checksum;
use super::embedded::{Embedded, EmbeddedFile};
use super::error::Error;
use super::file::{self, Described};
use crate::sql::Outline;

/// A migration. Its version identifies it; its checksum tells whether it is the text that was applied.
#[derive(Clone, Debug)]
pub struct Migration {
    version: i64,
    name: String,
    checksum: Checksum,
    size: u64,
    text: Text,
    /// How messages name the migration: its file's name without directory and ending, such as `V0001__waitlist`.
    pub label: String,
    /// How messages name its file.
    pub path: String,
    /// Whether another migration has the same label.
    pub(crate) is_ambiguous: bool,
}

#[derive(Clone, Debug)]
enum Text {
    Loaded(RefineryMigration),
    Embedded(&'static Embedded),
    /// In this file, which is read when the migration is applied.
    File(PathBuf),
    /// In this file of a folder of drizzle-kit.
    Drizzle(PathBuf),
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
            version: version.into(),
            name,
            checksum: Checksum::Refinery(checksum),
            size,
            text: Text::File(path.to_owned()),
            label,
            path: shown,
            is_ambiguous: false,
        })
    }

    /// A migration as refinery lists it. refinery does not keep the path of its file.
    pub(super) fn from_refinery(migration: RefineryMigration) -> Self {
        let label = migration.to_string();
        Self {
            version: migration.version().into(),
            name: migration.name().to_owned(),
            checksum: Checksum::Refinery(migration.checksum()),
            size: 0,
            text: Text::Loaded(migration),
            path: format!("{label}.sql"),
            label,
            is_ambiguous: false,
        }
    }

    pub(super) fn from_embedded(file: &EmbeddedFile, embedded: &'static Embedded) -> Self {
        let (path, version, name, checksum) = *file;
        Self {
            version: version.into(),
            name: name.to_owned(),
            checksum: Checksum::Refinery(checksum),
            size: 0,
            text: Text::Embedded(embedded),
            label: label_of(path).to_owned(),
            path: path.to_owned(),
            is_ambiguous: false,
        }
    }

    /// A migration of a folder of drizzle-kit: version, name and label; its real path and how messages show it.
    pub(super) fn from_drizzle(
        (version, name, label): (i64, String, String),
        (real, path): (PathBuf, String),
        checksum: Checksum,
        size: u64,
    ) -> Self {
        Self {
            version,
            name,
            checksum,
            size,
            text: Text::Drizzle(real),
            label,
            path,
            is_ambiguous: false,
        }
    }

    /// The version. A migration of Drizzle has its time: milliseconds since 1970.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The name: the part of the file's name after the version; of Drizzle, the name of its folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The checksum, as the history table has it.
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The parts of its text `sql`, which are lexed each by itself.
    pub(crate) fn parts(&self, sql: &str) -> Vec<Range<usize>> {
        match self.text {
            Text::Drizzle(_) => breakpoints::parts(sql),
            Text::Loaded(_) | Text::Embedded(_) | Text::File(_) => std::iter::once(0..sql.len()).collect(),
        }
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

    /// Whether `checksum` is that of its text, or of the same text with other line ends, with or without a byte-order mark or a
    /// last line break. Only of a folder of drizzle-kit.
    pub(crate) fn is_text_of(&self, checksum: &str) -> bool {
        if self.checksum.to_string() == checksum {
            return true;
        }
        let Ok(text) = self.sql() else { return false };
        let unix = text.replace("\r\n", "\n");
        let stripped = unix.strip_suffix('\n').unwrap_or(&unix);
        let ends = [stripped.to_owned(), format!("{stripped}\n")];
        ends.iter().any(|unix| {
            [unix.clone(), unix.replace('\n', "\r\n")].iter().any(|text| {
                Checksum::of_text(text).to_string() == checksum
                    || Checksum::of_text(&format!("{BOM}{text}")).to_string() == checksum
            })
        })
    }

    /// Whether the whole file is a comment that creates tables, as `drizzle-kit pull` writes it.
    pub(crate) fn is_commented_out(&self) -> bool {
        self.sql()
            .is_ok_and(|sql| Outline::of(&sql, &[]).is_commented_out)
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
                return file::text(path, self.version, &self.name, self.checksum).map(without_mark);
            }
            Text::Drizzle(path) => {
                return file::drizzle_text(path, &self.path, self.checksum).map(without_mark);
            }
        };
        Ok(Cow::Borrowed(text.strip_prefix(BOM).unwrap_or(text)))
    }
}

fn without_mark(mut text: String) -> Cow<'static, str> {
    if text.starts_with(BOM) {
        text.drain(..BOM.len());
    }
    Cow::Owned(text)
}

fn label_of(path: &str) -> &str {
    Path::new(path)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}
