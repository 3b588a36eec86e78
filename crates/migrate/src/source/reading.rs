//! Reading migration files.

use std::path::{Path, PathBuf};
use std::thread;

use zerostarter_diagnostic::regular_file;

use super::error::{Error, Problem};
use super::migration::Migration;

/// How many files make a further thread worthwhile.
const FILES_PER_THREAD: usize = 500;

/// The migrations in the files at `paths`, and what is wrong with the other files.
///
/// With a long history, a run with nothing to do spends most of its time here, in system calls. So several threads read.
pub(super) fn read_files(paths: &[PathBuf]) -> (Vec<Migration>, Vec<Problem>) {
    let threads = if paths.len() > FILES_PER_THREAD {
        thread::available_parallelism().map_or(1, usize::from)
    } else {
        1
    };
    let share = paths.len().div_ceil(threads).max(FILES_PER_THREAD);
    let (own, others) = paths.split_at(share.min(paths.len()));
    let outcomes = thread::scope(|scope| {
        let spawn = |paths| {
            (
                paths,
                thread::Builder::new().spawn_scoped(scope, move || read(paths)),
            )
        };
        let others: Vec<_> = others.chunks(share).map(spawn).collect();
        let mut outcomes = read(own);
        for (paths, other) in others {
            outcomes.extend(match other {
                Ok(thread) => thread.join().expect("reading a file does not panic"),
                // The system starts no thread, for example because a container limits them.
                Err(_) => read(paths),
            });
        }
        outcomes
    });
    let mut migrations = Vec::with_capacity(outcomes.len());
    let mut problems = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(migration) => migrations.push(migration),
            Err(error) => problems.extend(error.problems),
        }
    }
    (migrations, problems)
}

fn read(paths: &[PathBuf]) -> Vec<Result<Migration, Error>> {
    paths.iter().map(|path| read_file(path)).collect()
}

fn read_file(path: &Path) -> Result<Migration, Error> {
    let failure = |problem: String, hint: Option<&str>| Error::new(path.display().to_string(), problem, hint);
    let bytes =
        regular_file::read(path).map_err(|error| failure(format!("cannot be read: {error}"), None))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = line_of(error.as_bytes(), error.utf8_error().valid_up_to());
        failure(
            format!("is not UTF-8 at line {line}"),
            Some("save the file as UTF-8"),
        )
    })?;
    if let Some(offset) = text.bytes().position(|byte| byte == 0) {
        let line = line_of(text.as_bytes(), offset);
        return Err(failure(
            format!("contains a NUL byte at line {line}"),
            Some("PostgreSQL has no NUL in SQL; save the file as UTF-8 text"),
        ));
    }
    Migration::from_file(path.display().to_string(), &text)
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    bytes[..offset].split(|byte| *byte == b'\n').count()
}
