//! The search for migration files in a directory and those below it. It names whatever it leaves out.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Error, Problem};
use super::file_name::{FileName, ends_in_sql};

const NAMING_HINT: &str = "rename it to V<number>__<name>.sql, with a whole number as version and only letters, digits and _ in the name, or move it elsewhere; MIGRATE_UNKNOWN_FILES=warn leaves such files out";

const DIRECTORY_HINT: &str = "mount the file, or remove the directory: container engines create a directory if the source of a mount does not exist";

const NO_FILE_HINT: &str = "replace it with a regular file, or a link to one";

const PERMISSION_HINT: &str = "give the user of the process the permission to read it";

/// What the search found.
#[derive(Default)]
pub(super) struct Search {
    /// Migration files.
    pub found: Vec<PathBuf>,
    /// Files that look like migrations and are not named like them.
    pub misnamed: Vec<Problem>,
    /// Other SQL files.
    pub left_out: Vec<String>,
    /// What cannot be used, whatever the settings.
    pub problems: Vec<Problem>,
    /// Directories to search.
    below: Vec<Place>,
    /// Directories that only links lead to, so far.
    linked: Vec<Place>,
    /// Migration files that links lead to.
    linked_files: Vec<Place>,
    /// The real paths of the directories that were searched.
    searched: HashSet<PathBuf>,
}

/// A path as messages show it, and without links.
struct Place {
    shown: PathBuf,
    real: PathBuf,
}

impl Search {
    /// Searches `directory`. refinery's own search makes one more system call a file, which is slow with thousands of files.
    ///
    /// # Errors
    ///
    /// [`Error`] if `directory` itself cannot be read.
    pub(super) fn run(directory: &Path) -> Result<Self, Error> {
        let root = fs::canonicalize(directory).and_then(|real| Ok((fs::read_dir(directory)?, real)));
        let (entries, real) = root.map_err(|error| {
            Error::new(
                directory.display().to_string(),
                format!("cannot be read: {error}"),
                Some("set MIGRATIONS_DIR to the directory with the V*__*.sql files"),
            )
        })?;
        let mut search = Self::default();
        search.searched.insert(real.clone());
        let root = Place {
            shown: directory.to_owned(),
            real,
        };
        search.list(&root, entries, &root);
        // Links last, so that messages show paths without links where there are any.
        while let Some(place) = search.below.pop().or_else(|| search.linked.pop()) {
            if search.searched.insert(place.real.clone()) {
                search.descend(&place, &root);
            }
        }
        search.take_linked_files();
        Ok(search)
    }

    fn descend(&mut self, place: &Place, root: &Place) {
        match fs::read_dir(&place.shown) {
            Ok(entries) => self.list(place, entries, root),
            // Of file systems, for root.
            Err(_) if place.shown.file_name() == Some(OsStr::new("lost+found")) => {}
            Err(error) => self.cannot_be_read(&place.shown, &error),
        }
    }

    fn list(&mut self, place: &Place, entries: fs::ReadDir, root: &Place) {
        let mut listed = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => listed.push(entry),
                Err(error) => self.cannot_be_read(&place.shown, &error),
            }
        }
        // Kubernetes mounts a ConfigMap as links through `..data` to files in a directory whose name begins with two dots. It
        // replaces that directory while it runs, so the links decide.
        let is_config_map = listed.iter().any(|entry| entry.file_name() == "..data");
        for entry in listed {
            if !(is_config_map && entry.file_name().as_encoded_bytes().starts_with(b"..")) {
                self.sort_out(&entry, place, root);
            }
        }
    }

    fn sort_out(&mut self, entry: &DirEntry, parent: &Place, root: &Place) {
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return self.cannot_be_read(&entry.path(), &error),
        };
        let name = FileName::of(&entry.file_name());
        if kind.is_file() {
            match name {
                FileName::Migration => self.found.push(entry.path()),
                name => self.leave_out(&entry.path(), name),
            }
        } else if kind.is_symlink() {
            self.follow(entry.path(), name, root);
        } else {
            let place = Place {
                shown: entry.path(),
                real: parent.real.join(entry.file_name()),
            };
            if kind.is_dir() {
                if self.may_be_directory(&place.shown, name) {
                    self.below.push(place);
                }
            } else {
                self.no_file(&place.shown, name);
            }
        }
    }

    fn follow(&mut self, shown: PathBuf, name: FileName, root: &Place) {
        let target = fs::canonicalize(&shown).and_then(|real| Ok((fs::metadata(&real)?, real)));
        let (metadata, real): (Metadata, PathBuf) = match target {
            Ok(target) => target,
            // A dead link to a file that is no migration; one without an ending may have led to a directory of them.
            Err(error)
                if name == FileName::Other
                    && shown.extension().is_some()
                    && error.kind() == io::ErrorKind::NotFound =>
            {
                return tracing::warn!("{} leads to nothing and is left out", shown.display());
            }
            // Editors lock files with dead links.
            Err(_) if name == FileName::OtherSql => return self.leave_out(&shown, name),
            Err(error) => return self.cannot_be_read(&shown, &error),
        };
        if metadata.is_dir() {
            if !self.may_be_directory(&shown, name) {
                return;
            }
            // What such a link leads to contains the whole search.
            if root.real != real && root.real.starts_with(&real) {
                return tracing::warn!(
                    "{} leads to a directory above the migrations and is left out",
                    shown.display()
                );
            }
            self.linked.push(Place { shown, real });
        } else if !metadata.is_file() {
            self.no_file(&shown, name);
        } else if name == FileName::Migration {
            self.linked_files.push(Place { shown, real });
        } else {
            self.leave_out(&shown, name);
        }
    }

    /// A file that is reached twice under the same name counts once.
    fn take_linked_files(&mut self) {
        let mut taken = HashSet::new();
        for Place { shown, real } in std::mem::take(&mut self.linked_files) {
            let name = shown.file_name().map(OsStr::to_owned);
            let was_found = real.file_name() == name.as_deref()
                && real.parent().is_some_and(|parent| self.searched.contains(parent));
            if !was_found && taken.insert((name, real)) {
                self.found.push(shown);
            }
        }
    }

    fn may_be_directory(&mut self, path: &Path, name: FileName) -> bool {
        let is_sql = path.file_name().is_some_and(ends_in_sql);
        if is_sql && matches!(name, FileName::Migration | FileName::Misnamed) {
            self.problems
                .push(problem(path, "is a directory", DIRECTORY_HINT));
            return false;
        }
        if is_sql {
            tracing::warn!("{} is a directory; the files in it are read", path.display());
        }
        true
    }

    fn no_file(&mut self, path: &Path, name: FileName) {
        if name == FileName::Migration {
            self.problems
                .push(problem(path, "is not a regular file", NO_FILE_HINT));
        } else {
            self.leave_out(path, name);
        }
    }

    fn leave_out(&mut self, path: &Path, name: FileName) {
        match name {
            FileName::Misnamed => {
                self.misnamed
                    .push(problem(path, "is not named V<number>__<name>.sql", NAMING_HINT));
            }
            FileName::OtherSql => self.left_out.push(path.display().to_string()),
            FileName::Migration | FileName::Other => {}
        }
    }

    fn cannot_be_read(&mut self, path: &Path, error: &io::Error) {
        let hint = (error.kind() == io::ErrorKind::PermissionDenied).then_some(PERMISSION_HINT);
        self.problems.push(Problem {
            path: path.display().to_string(),
            problem: format!("cannot be read: {error}"),
            hint: hint.map(str::to_owned),
        });
    }
}

fn problem(path: &Path, problem: &str, hint: &str) -> Problem {
    Problem {
        path: path.display().to_string(),
        problem: problem.to_owned(),
        hint: Some(hint.to_owned()),
    }
}
