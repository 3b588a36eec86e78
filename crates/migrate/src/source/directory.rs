//! A directory of migration files in refinery's naming: `V<number>__<name>.sql`.

use std::fs::{self, DirEntry, FileType};
use std::path::{Path, PathBuf};
use std::thread;

use refinery_core::error::Kind;
use refinery_core::parse_migration_name;

use super::error::Error;
use super::migration::Migration;

/// Reads the migration files of `directory` and of the directories below it.
///
/// # Errors
///
/// [`Error`], naming the file: it cannot be read, is not UTF-8, contains a NUL byte, or has a version that is too large.
pub(super) fn load(directory: &Path) -> Result<Vec<Migration>, Error> {
    let paths = find_files(directory)?;
    if paths.is_empty() {
        return Err(Error::new(
            directory.display().to_string(),
            "contains no migration",
            Some("name migration files V<number>__<name>.sql; an empty directory is usually a wrong mount"),
        ));
    }
    read_files(&paths)
}

fn failure(path: &Path, problem: impl Into<String>, hint: Option<&str>) -> Error {
    Error::new(path.display().to_string(), problem, hint)
}

/// The files that refinery would find, here and in directories below, except links to directories. refinery's own search
/// makes one more system call a file, which is slow with thousands of files.
fn find_files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(directory).map_err(|error| {
        failure(
            directory,
            format!("cannot be read: {error}"),
            Some("set MIGRATIONS_DIR to the directory with the V*__*.sql files"),
        )
    })?;
    let mut found = Vec::new();
    let mut misnamed = Vec::new();
    let mut below = Vec::new();
    for entry in entries.flatten() {
        sort_out(&entry, &mut found, &mut below, &mut misnamed);
    }
    warn_of_misnamed_files(&misnamed);
    // A directory below that cannot be read, such as lost+found, contains no migrations.
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
        // Kubernetes mounts a ConfigMap as links to files in a directory whose name begins with two dots; these are the
        // same files.
        if !name.as_encoded_bytes().starts_with(b"..") {
            below.push(entry.path());
        }
    } else if !name.to_str().is_some_and(is_migration_name) {
        misnamed.push(entry.path());
    } else if !kind.is_ok_and(|kind| kind.is_symlink() && entry.path().is_dir()) {
        found.push(entry.path());
    }
}

/// Whether the whole name matches refinery's pattern. Its regular expression decides only on names that are not ASCII.
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
        // It matches, with a number that is too large: reading the file reports it.
        Err(error) => matches!(error.kind(), Kind::InvalidVersion),
    }
}

/// A misnamed file is left out. The log names it, because a typing error must not look like a migrated database.
fn warn_of_misnamed_files(misnamed: &[PathBuf]) {
    for path in misnamed {
        let is_sql = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
        if is_sql {
            let shown = path.display().to_string();
            tracing::warn!(
                file = shown,
                "{shown} is not named V<number>__<name>.sql and is left out"
            );
        }
    }
}

/// How many files make a further thread worthwhile.
const FILES_PER_THREAD: usize = 500;

/// With a long history, a run with nothing to do spends most of its time here, in system calls. So several threads read.
fn read_files(paths: &[PathBuf]) -> Result<Vec<Migration>, Error> {
    let read = |share: &[PathBuf]| -> Result<Vec<Migration>, Error> {
        share.iter().map(|path| Migration::from_file(path)).collect()
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
