//! Where migrations come from: those embedded by refinery when this program was built, or a directory.

use std::fs::{self, DirEntry, FileType};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;

use refinery_core::error::Kind;
use refinery_core::{Migration, parse_migration_name};

use crate::error::Error;

mod embedded {
    #![allow(missing_docs, unreachable_pub, reason = "the macro writes this code")]
    refinery::embed_migrations!("migrations");
}

/// A migration and the file it was read from.
#[derive(Clone, Debug)]
pub struct SourceFile {
    version: i32,
    name: String,
    checksum: u64,
    /// `None` for one that is embedded.
    read: Option<Migration>,
    /// The file's name without directory and ending, such as `V0001__waitlist`.
    pub stem: String,
    /// The file as messages name it.
    pub path: String,
}

impl SourceFile {
    /// The migration's version.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version.into()
    }

    /// The migration's name: what follows the version in the file's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// refinery's checksum of name, version and text.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        self.checksum
    }

    /// The migration as refinery has it, with its text.
    ///
    /// # Panics
    ///
    /// Never: the build script lists what the macro embeds.
    #[must_use]
    pub fn migration(&self) -> &Migration {
        let is_this = |migration: &&Migration| migration.version() == self.version;
        let migration = self.read.as_ref().or_else(|| EMBEDDED.iter().find(is_this));
        migration.expect("the build script lists what the macro embeds")
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
        let text = self.migration().sql().unwrap_or_default();
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
    files.sort_unstable_by(|one, other| (one.version, &one.path).cmp(&(other.version, &other.path)));
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

/// What the build script found out about the files that the macro embeds: path, version, name, checksum.
#[expect(clippy::unreadable_literal, reason = "the build script writes this list")]
const EMBEDDED_FILES: &[(&str, i32, &str, u64)] = include!(concat!(env!("OUT_DIR"), "/embedded_files.rs"));

/// refinery compiles a regular expression to read the names of files, which takes longer and more memory
/// than everything else that a run with nothing to do has to do. So it is asked only when something is.
static EMBEDDED: LazyLock<Vec<Migration>> =
    LazyLock::new(|| embedded::migrations::runner().get_migrations().clone());

fn embedded_files() -> Vec<SourceFile> {
    EMBEDDED_FILES
        .iter()
        .map(|(path, version, name, checksum)| SourceFile {
            version: *version,
            name: (*name).to_owned(),
            checksum: *checksum,
            read: None,
            stem: stem_of(path).to_owned(),
            path: (*path).to_owned(),
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
    let paths = find_files(directory)?;
    if paths.is_empty() {
        return Err(failure(
            directory,
            "holds no migration".to_owned(),
            Some(
                "migrations are files named V<number>__<name>.sql; an empty directory is most often a wrong mount",
            ),
        ));
    }
    read_files(&paths)
}

fn failure(path: &Path, problem: String, hint: Option<&str>) -> Error {
    Error::Source {
        path: path.display().to_string(),
        problem,
        hint: hint.map(str::to_owned),
    }
}

/// The files that refinery would find, here and in directories below, links to directories left out. refinery's
/// own search asks the system about every file once more, which is felt with thousands of them.
fn find_files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(directory).map_err(|error| {
        failure(
            directory,
            format!("cannot be read: {error}"),
            Some("MIGRATIONS_DIR has to name the directory with the V*__*.sql files"),
        )
    })?;
    let mut found = Vec::new();
    let mut misnamed = Vec::new();
    let mut below = Vec::new();
    for entry in entries.flatten() {
        sort_out(&entry, &mut found, &mut below, &mut misnamed);
    }
    warn_of_misnamed_files(&misnamed);
    // A directory below that is closed to us, such as lost+found, is none of ours.
    while let Some(entries) = below.pop().map(fs::read_dir) {
        for entry in entries.into_iter().flatten().flatten() {
            sort_out(&entry, &mut found, &mut below, &mut Vec::new());
        }
    }
    Ok(found)
}

fn sort_out(
    entry: &DirEntry,
    found: &mut Vec<PathBuf>,
    below: &mut Vec<PathBuf>,
    misnamed: &mut Vec<PathBuf>,
) {
    let name = entry.file_name();
    let kind = entry.file_type();
    if kind.as_ref().is_ok_and(FileType::is_dir) {
        // Kubernetes mounts a config map as links to files in a directory whose name begins with two dots;
        // the files there are the same ones.
        if !name.as_encoded_bytes().starts_with(b"..") {
            below.push(entry.path());
        }
    } else if !name.to_str().is_some_and(is_migration_name) {
        misnamed.push(entry.path());
    } else if !kind.is_ok_and(|kind| kind.is_symlink() && entry.path().is_dir()) {
        found.push(entry.path());
    }
}

/// Whether a name is of refinery's pattern, to its end. Its regular expression is asked only where it knows better.
fn is_migration_name(name: &str) -> bool {
    let Some(stem) = name
        .strip_suffix(".sql")
        .filter(|stem| stem.starts_with(['U', 'V']))
    else {
        return false;
    };
    let Some((version, rest)) = stem.split_once("__") else {
        return false;
    };
    if stem.is_ascii() {
        let is_number = !version[1..].is_empty() && version[1..].bytes().all(|byte| byte.is_ascii_digit());
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if is_number {
            return !rest.is_empty() && rest.bytes().all(is_word);
        }
    }
    match parse_migration_name(stem) {
        Ok((_, _, parsed)) => rest == parsed,
        // Of the pattern, but with a number that is too large: whoever reads the file says so.
        Err(error) => matches!(error.kind(), Kind::InvalidVersion),
    }
}

/// A misnamed file would be left out in silence; a typing error must not look like a migrated database.
fn warn_of_misnamed_files(misnamed: &[PathBuf]) {
    for path in misnamed {
        let is_sql = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
        if is_sql {
            let shown = path.display().to_string();
            tracing::warn!(
                file = shown,
                "{shown} is not named like a migration (V<number>__<name>.sql) and is left out"
            );
        }
    }
}

/// So many files are read before another thread is worth its start.
const FILES_PER_THREAD: usize = 500;

/// A run with nothing to do on a long history spends most of its time here, in calls of the system; the
/// processors share them.
fn read_files(paths: &[PathBuf]) -> Result<Vec<SourceFile>, Error> {
    let read = |share: &[PathBuf]| -> Result<Vec<SourceFile>, Error> {
        share.iter().map(|path| read_file(path)).collect()
    };
    let threads = if paths.len() > FILES_PER_THREAD {
        thread::available_parallelism().map_or(1, usize::from)
    } else {
        1
    };
    let share = paths.len().div_ceil(threads).max(FILES_PER_THREAD);
    let (own, others) = paths.split_at(share.min(paths.len()));
    thread::scope(|scope| {
        let others: Vec<_> = others
            .chunks(share)
            .map(|paths| scope.spawn(move || read(paths)))
            .collect();
        let mut files = read(own)?;
        for other in others {
            files.extend(other.join().expect("reading a file does not panic")?);
        }
        Ok(files)
    })
}

fn read_file(path: &Path) -> Result<SourceFile, Error> {
    let bytes = fs::read(path).map_err(|error| failure(path, format!("cannot be read: {error}"), None))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = line_of(error.as_bytes(), error.utf8_error().valid_up_to());
        failure(
            path,
            format!("is not UTF-8 at line {line}"),
            Some("save the file as UTF-8"),
        )
    })?;
    if let Some(offset) = text.bytes().position(|byte| byte == 0) {
        let line = line_of(text.as_bytes(), offset);
        return Err(failure(
            path,
            format!("holds a NUL byte at line {line}"),
            Some("PostgreSQL has no NUL in SQL; save the file as UTF-8 text"),
        ));
    }
    let shown = path.display().to_string();
    let stem = stem_of(&shown).to_owned();
    let migration = Migration::unapplied(&stem, &text).map_err(|_| {
        failure(
            path,
            "has a version that is not a whole number up to 2147483647".to_owned(),
            Some("refinery's history table holds versions in 32 bits"),
        )
    })?;
    Ok(SourceFile {
        version: migration.version(),
        name: migration.name().to_owned(),
        checksum: migration.checksum(),
        read: Some(migration),
        stem,
        path: shown,
    })
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    bytes[..offset].split(|byte| *byte == b'\n').count()
}
