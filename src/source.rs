//! Where migrations come from: those embedded by refinery when this program was built, or a directory.

use std::path::{Path, PathBuf};

use refinery_core::{Migration, MigrationType, find_migration_files};

use crate::error::Error;

mod embedded {
    #![allow(missing_docs, unreachable_pub, reason = "the macro writes this code")]
    refinery::embed_migrations!("migrations");
}

/// A migration and the file it was read from.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// refinery's view: version, name, checksum and text.
    pub migration: Migration,
    /// The file's name without directory and ending, such as `V0001__waitlist`.
    pub stem: String,
    /// The file as messages name it.
    pub path: String,
}

impl SourceFile {
    /// The migration's version.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.migration.version().into()
    }

    /// Whether refinery applies the file also below the last applied version: its name begins with `U`.
    #[must_use]
    pub fn may_be_late(&self) -> bool {
        self.stem.starts_with('U')
    }

    /// The SQL of the file as the server gets it: without the byte-order mark that some editors write.
    /// refinery's checksum covers the mark, so it is taken off here and not when the file is read.
    #[must_use]
    pub fn sql(&self) -> &str {
        let text = self.migration.sql().unwrap_or_default();
        text.strip_prefix(squawk_lexer::BOM).unwrap_or(text)
    }
}

/// The migrations of this run, by version.
///
/// # Errors
///
/// [`Error::Source`], naming the file: it cannot be read, is not UTF-8, holds a NUL byte, its name is not
/// refinery's, or two of them have one version.
pub fn load(directory: Option<&Path>) -> Result<Vec<SourceFile>, Error> {
    let mut files = match directory {
        Some(directory) => read_directory(directory)?,
        None => embedded_files(),
    };
    files.sort_by_key(SourceFile::version);
    for pair in files.windows(2) {
        if pair[0].version() == pair[1].version() {
            return Err(Error::Source {
                path: pair[1].path.clone(),
                problem: format!("has the same version, {}, as {}", pair[1].version(), pair[0].path),
                hint: Some("give one of the two files the next free version".to_owned()),
            });
        }
    }
    Ok(files)
}

fn embedded_files() -> Vec<SourceFile> {
    let paths: Vec<&str> = env!("MIGRATION_FILES").split(':').collect();
    let runner = embedded::migrations::runner();
    let migrations = runner.get_migrations().iter();
    migrations
        .map(|migration| {
            let is_its_file = |path: &&&str| {
                refinery_core::parse_migration_name(stem_of(path)).is_ok_and(|(_, version, name)| {
                    version == migration.version() && name == migration.name()
                })
            };
            let path = paths
                .iter()
                .find(is_its_file)
                .expect("the build script lists what the macro embeds");
            SourceFile {
                migration: migration.clone(),
                stem: stem_of(path).to_owned(),
                path: (*path).to_owned(),
            }
        })
        .collect()
}

fn stem_of(path: &str) -> &str {
    Path::new(path)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}

fn read_directory(directory: &Path) -> Result<Vec<SourceFile>, Error> {
    let failure = |path: &Path, problem: String, hint: Option<&str>| Error::Source {
        path: path.display().to_string(),
        problem,
        hint: hint.map(str::to_owned),
    };
    std::fs::read_dir(directory).map_err(|error| {
        failure(
            directory,
            format!("cannot be read: {error}"),
            Some("MIGRATIONS_DIR has to name the directory with the V*__*.sql files"),
        )
    })?;
    // refinery resolves links; files are shown the way the directory was written.
    let canonical = directory
        .canonicalize()
        .map_err(|error| failure(directory, format!("cannot be read: {error}"), None))?;
    let found = find_migration_files(directory, MigrationType::Sql)
        .map_err(|error| failure(directory, format!("cannot be read: {error}"), None))?;
    let mut files = Vec::new();
    for path in found {
        let relative = path.strip_prefix(&canonical).unwrap_or(&path);
        if is_behind_a_mount(relative) {
            continue;
        }
        let shown: PathBuf = directory.join(relative);
        let bytes = std::fs::read(&path)
            .map_err(|error| failure(&shown, format!("cannot be read: {error}"), None))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = line_of(error.as_bytes(), error.utf8_error().valid_up_to());
            failure(
                &shown,
                format!("is not UTF-8 at line {line}"),
                Some("save the file as UTF-8"),
            )
        })?;
        if let Some(offset) = text.bytes().position(|byte| byte == 0) {
            let line = line_of(text.as_bytes(), offset);
            return Err(failure(
                &shown,
                format!("holds a NUL byte at line {line}"),
                Some("PostgreSQL has no NUL in SQL; save the file as UTF-8 text"),
            ));
        }
        let shown_text = shown.display().to_string();
        let stem = stem_of(&shown_text).to_owned();
        let migration = Migration::unapplied(&stem, &text).map_err(|_| {
            failure(
                &shown,
                "has a version that is not a whole number up to 2147483647".to_owned(),
                Some("refinery's history table holds versions in 32 bits"),
            )
        })?;
        files.push(SourceFile {
            migration,
            stem,
            path: shown_text,
        });
    }
    if files.is_empty() {
        return Err(failure(
            directory,
            "holds no migration".to_owned(),
            Some(
                "migrations are files named V<number>__<name>.sql; an empty directory is most often a wrong mount",
            ),
        ));
    }
    warn_of_misnamed_files(directory, &files);
    Ok(files)
}

/// Kubernetes mounts a config map as links to files in a directory whose name begins with two dots; the
/// files there are the same ones.
fn is_behind_a_mount(relative: &Path) -> bool {
    relative
        .components()
        .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b".."))
}

/// A misnamed file would be left out in silence; a typing error must not look like a migrated database.
fn warn_of_misnamed_files(directory: &Path, files: &[SourceFile]) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_sql = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
        let shown = path.display().to_string();
        if is_sql && !files.iter().any(|file| file.path == shown) {
            tracing::warn!(
                file = shown,
                "{shown} is not named like a migration (V<number>__<name>.sql) and is left out"
            );
        }
    }
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    bytes[..offset].split(|byte| *byte == b'\n').count()
}
