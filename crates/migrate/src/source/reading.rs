//! Reading migration files.

use std::path::PathBuf;
use std::thread;

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
    paths.iter().map(|path| Migration::from_file(path)).collect()
}
