//! A folder of drizzle-kit in the making, and the programs that apply it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zerostarter_test_harness::{Command, Database, Run, workspace, zerostarter_db};

/// One entry: tag, time and text.
pub(crate) type Entry<'a> = (&'a str, i64, &'a str);

/// A project with `drizzle.config.ts`, and the folder `drizzle` in it.
pub(crate) struct Folder {
    project: TempDir,
}

/// Which drizzle-kit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kit {
    /// 0.31.
    Old,
    /// 1.0.
    New,
}

impl Folder {
    /// A folder of 0.x.
    pub(crate) fn journal(entries: &[Entry<'_>]) -> Self {
        let folder = Self::empty();
        folder.write_journal(entries);
        folder
    }

    /// A folder of 1.0: names with their times, and texts.
    pub(crate) fn folders(entries: &[(&str, &str)]) -> Self {
        let folder = Self::empty();
        for (number, (name, sql)) in entries.iter().enumerate() {
            folder.write_folder(number, name, sql);
        }
        folder
    }

    /// Writes migration number `number` of 1.0, with a snapshot that follows the one before.
    pub(crate) fn write_folder(&self, number: usize, name: &str, sql: &str) {
        let id = |number: usize| format!("00000000-0000-0000-0000-{number:012}");
        self.file(&format!("{name}/migration.sql"), sql);
        let (kind, changes) = if number == 0 {
            ("base", "ddl")
        } else {
            ("diff", "deltas")
        };
        self.file(
            &format!("{name}/snapshot.json"),
            format!(
                "{{\"type\": \"{kind}\", \"version\": \"9\", \"dialect\": \"postgres\", \"id\": \"{}\", \
                 \"prevIds\": [\"{}\"], \"footprints\": [], \"{changes}\": []}}",
                id(number + 1),
                id(number)
            ),
        );
    }

    pub(crate) fn empty() -> Self {
        let folder = Self {
            project: tempfile::tempdir().expect("a directory"),
        };
        fs::create_dir(folder.path()).expect("the folder");
        fs::write(
            folder.project.path().join("drizzle.config.ts"),
            "export default { dialect: 'postgresql', schema: './none.ts', out: './drizzle', \
             dbCredentials: { url: process.env.DATABASE_URL } };\n",
        )
        .expect("the config");
        folder
    }

    /// Writes the journal and the files of its entries.
    pub(crate) fn write_journal(&self, entries: &[Entry<'_>]) {
        let mut listed = String::new();
        for (index, (tag, when, sql)) in entries.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(
                listed,
                "{comma}\n    {{\"idx\": {index}, \"version\": \"7\", \"when\": {when}, \"tag\": \"{tag}\", \"breakpoints\": true}}"
            );
            self.file(&format!("{tag}.sql"), sql);
        }
        self.file(
            "meta/_journal.json",
            format!("{{\"version\": \"7\", \"dialect\": \"postgresql\", \"entries\": [{listed}]}}"),
        );
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("to write");
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.project.path().join("drizzle")
    }

    /// Our program.
    pub(crate) fn ours(&self, database: &Database) -> Command {
        zerostarter_db(database)
            .env("MIGRATIONS_DIR", self.path())
            .filter(&regex_of(&self.path()), "[folder]")
    }

    #[track_caller]
    pub(crate) fn applied(&self, database: &Database) -> Run {
        let run = self.ours(database).run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        run
    }

    /// The real drizzle-kit, with its exit status and what it says.
    pub(crate) fn kit(&self, kit: Kit, database: &Database, arguments: &[&str]) -> (i32, String) {
        let output = self
            .kit_command(kit, database, arguments)
            .output()
            .expect("drizzle-kit");
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    pub(crate) fn kit_command(
        &self,
        kit: Kit,
        database: &Database,
        arguments: &[&str],
    ) -> std::process::Command {
        let peer = match kit {
            Kit::Old => "npm",
            Kit::New => "drizzle-1",
        };
        let modules = workspace().join("target/peers").join(peer).join("node_modules");
        let program = modules.join(".bin/drizzle-kit");
        assert!(
            program.exists(),
            "{} is not there: run `make peers`",
            program.display()
        );
        let mut command = std::process::Command::new(program);
        command
            .args(arguments)
            .current_dir(self.project.path())
            .env("DATABASE_URL", database.url());
        command
    }

    #[track_caller]
    pub(crate) fn kit_migrates(&self, kit: Kit, database: &Database) {
        let (status, said) = self.kit(kit, database, &["migrate"]);
        assert_eq!(status, 0, "{kit:?}: {said}");
    }
}

fn regex_of(path: &Path) -> String {
    path.display().to_string().replace('.', "\\.")
}

/// The rows of Drizzle's table, without its serial.
pub(crate) fn rows(database: &Database) -> Vec<String> {
    database.rows(
        "SELECT hash, created_at, to_jsonb(t) ->> 'name' FROM drizzle.__drizzle_migrations AS t ORDER BY id",
    )
}

/// How many rows Drizzle's table has.
pub(crate) fn count(database: &Database) -> usize {
    if database.rows("SELECT to_regclass('drizzle.__drizzle_migrations')") == [""] {
        return 0;
    }
    rows(database).len()
}
