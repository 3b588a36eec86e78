//! A folder of another tool, and where its V files go.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zerostarter_test_harness::{Command, Database, Run, zerostarter_db};

pub(crate) struct Folder {
    directory: TempDir,
}

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        fs::create_dir(folder.theirs()).expect("a folder");
        for (name, text) in files {
            folder.file(name, text);
        }
        folder
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.theirs().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("to write");
    }

    /// The folder of the other tool.
    pub(crate) fn theirs(&self) -> PathBuf {
        self.directory.path().join("theirs")
    }

    /// The directory of V files.
    pub(crate) fn ours(&self) -> PathBuf {
        self.directory.path().join("migrations")
    }

    pub(crate) fn import(&self, tool: &str, database: &Database) -> Run {
        self.import_command(tool, database).run()
    }

    pub(crate) fn import_command(&self, tool: &str, database: &Database) -> Command {
        zerostarter_db(database)
            .args(["import", "--from", tool])
            .arg(self.theirs())
            .arg("--to")
            .arg(self.ours())
    }

    #[track_caller]
    pub(crate) fn imported(&self, tool: &str, database: &Database) -> String {
        let run = self.import(tool, database);
        assert_eq!(run.status, 0, "{tool}: {}{}", run.stdout, run.stderr);
        run.stdout
    }

    /// The V files, by name.
    pub(crate) fn v_files(&self) -> Vec<String> {
        names(&self.ours())
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.ours().join(name)).expect("a V file")
    }

    /// Applies the V files.
    #[track_caller]
    pub(crate) fn migrated(&self, database: &Database) -> String {
        let run = zerostarter_db(database).env("MIGRATIONS_DIR", self.ours()).run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        run.stderr
    }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let listed = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = listed
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
