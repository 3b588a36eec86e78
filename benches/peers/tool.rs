//! The programs that are compared, each run as its own documentation says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::history::History;
use zerostarter_test_harness::client_program;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a tool wants to be told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ours,
    Refinery,
    Sqlx,
    Dbmate,
    Drizzle,
    Psql,
}

/// A program that migrates.
pub(crate) struct Tool {
    kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    /// What has to be installed for it to run, with the program itself.
    installed: PathBuf,
}

impl Tool {
    /// All of them, ours first.
    pub(crate) fn all() -> Vec<Self> {
        let peers = Path::new(ROOT).join("target/peers");
        let modules = peers.join("npm/node_modules");
        let tool = |kind, name, program: PathBuf, installed: Option<PathBuf>| {
            assert!(
                program.exists(),
                "{} is not there: run `make bench`",
                program.display()
            );
            let installed = installed.unwrap_or_else(|| program.clone());
            Self {
                kind,
                name,
                program,
                installed,
            }
        };
        vec![
            tool(Kind::Ours, "zerostarter-db", release_binary(), None),
            tool(Kind::Refinery, "refinery CLI", peers.join("bin/refinery"), None),
            tool(Kind::Sqlx, "sqlx-cli", peers.join("bin/sqlx"), None),
            tool(Kind::Dbmate, "dbmate", dbmate_binary(&modules), None),
            tool(
                Kind::Drizzle,
                "drizzle-kit",
                modules.join(".bin/drizzle-kit"),
                Some(modules.clone()),
            ),
        ]
    }

    /// PostgreSQL's own client, where it is installed: it runs a file and keeps no history.
    pub(crate) fn psql() -> Option<Self> {
        let program = client_program("psql")?;
        Some(Self {
            kind: Kind::Psql,
            name: "psql",
            installed: program.clone(),
            program,
        })
    }

    /// Whether it is compared on large files.
    pub(crate) fn takes_large_files(&self) -> bool {
        !matches!(self.kind, Kind::Dbmate | Kind::Drizzle)
    }

    /// Whether it runs `COPY … FROM stdin` with the data in the file.
    pub(crate) fn copies(&self) -> bool {
        matches!(self.kind, Kind::Ours | Kind::Psql)
    }

    pub(crate) fn keeps_history(&self) -> bool {
        self.kind != Kind::Psql
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.kind == Kind::Ours
    }

    /// The environment and the directory in which `program` applies `history` to the database of `url`.
    pub(crate) fn command(&self, program: &Path, history: &History, url: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("NODE_ENV", "test");
        // drizzle-kit looks for node there.
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.current_dir(history.drizzle());
        if self.is_ours() {
            command.env("POSTGRES_URL", url);
            if !history.embedded {
                command.env("MIGRATIONS_DIR", history.refinery());
            }
        } else {
            command.env("DATABASE_URL", url);
        }
        command
    }

    pub(crate) fn arguments(&self, history: &History, url: &str) -> Vec<String> {
        let text = |path: PathBuf| path.to_str().expect("a path").to_owned();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self.kind {
            Kind::Ours => vec![],
            Kind::Refinery => words(&["migrate", "-e", "DATABASE_URL", "-p", &text(history.refinery())]),
            Kind::Sqlx => words(&["migrate", "run", "--source", &text(history.sqlx())]),
            // Otherwise it would run pg_dump after each run.
            Kind::Dbmate => words(&[
                "--no-dump-schema",
                "--migrations-dir",
                &text(history.dbmate()),
                "migrate",
            ]),
            Kind::Drizzle => words(&["migrate"]),
            Kind::Psql => {
                let file = text(history.large_file());
                words(&["-X", "-1", "-q", "-v", "ON_ERROR_STOP=1", "-f", &file, url])
            }
        }
    }

    /// `refinery 0.10.1` is of version 0.10.1; drizzle-kit also names the version of drizzle-orm.
    pub(crate) fn version(&self) -> String {
        let output = Command::new(&self.program).arg("--version").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        let line = text.lines().find(|line| line.contains(char::is_numeric));
        let word = line.and_then(|line| line.split_whitespace().last());
        word.unwrap_or("unknown").trim_start_matches('v').to_owned()
    }

    /// The size of the program, and for drizzle-kit of the packages that it needs, without Node.js.
    pub(crate) fn megabytes(&self) -> f64 {
        megabytes(size(&self.installed))
    }
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1_000.0
}

fn size(path: &Path) -> u64 {
    let Ok(data) = path.symlink_metadata() else {
        return 0;
    };
    // dbmate comes from npm as well and is no part of drizzle-kit.
    if data.is_dir() && path.ends_with("@dbmate") {
        0
    } else if data.is_dir() {
        let entries = fs::read_dir(path).expect("a directory").flatten();
        entries.map(|entry| size(&entry.path())).sum()
    } else {
        data.len()
    }
}

/// The package holds the program itself beside a script for Node.js that starts it: the program is what its
/// own images and releases consist of.
fn dbmate_binary(modules: &Path) -> PathBuf {
    let packages = fs::read_dir(modules.join("@dbmate")).expect("dbmate: run `make peers`");
    let mut programs = packages.flatten().map(|entry| entry.path().join("bin/dbmate"));
    programs
        .find(|program| program.exists())
        .expect("dbmate for this system")
}

/// The one that `ZEROSTARTER_DB_BINARY` names, or else the newest that was built for a target by name.
fn release_binary() -> PathBuf {
    if let Some(named) = std::env::var_os("ZEROSTARTER_DB_BINARY") {
        return fs::canonicalize(named).expect("ZEROSTARTER_DB_BINARY names a program");
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from);
    let built = fs::read_dir(&target).expect("the target directory").flatten();
    let binaries = built.map(|entry| entry.path().join("release/zerostarter-db"));
    let newest = binaries
        .filter(|path| path.exists())
        .max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    newest.expect("a release binary: run `make build`")
}
