//! The PostgreSQL programs of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::{env, fs};

use super::program::workspace;

use super::supervisor::{Home, Supervised};

const OLDEST: u32 = 14;

/// Folders with a version in their names, where packages put PostgreSQL.
const PLACES: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"), // /usr/pgsql-17/bin
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
];

/// The programs of one major version.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub major: u32,
    bin: PathBuf,
}

impl Installation {
    /// The version asked for, else that of `POSTGRES_TEST_VERSION`, else the newest.
    pub(crate) fn find(version: Option<u32>) -> &'static Self {
        let wanted = version.or_else(|| {
            let text = env::var("POSTGRES_TEST_VERSION").ok()?;
            let major = text.parse().ok();
            Some(major.unwrap_or_else(|| panic!("POSTGRES_TEST_VERSION={text} is not a number")))
        });
        // Installed ones come first, each group with its newest first.
        let found = installations();
        let matching = match wanted {
            Some(major) => found.iter().find(|one| one.major == major),
            None => found.first(),
        };
        matching.unwrap_or_else(|| {
            let wanted = wanted.map_or_else(String::new, |major| format!(" {major}"));
            panic!(
                "PostgreSQL{wanted} was not found: `make postgres-versions` fetches it (there are {found:?})"
            )
        })
    }

    /// The first one that has a program which not every installation has.
    pub(crate) fn with(name: &str) -> &'static Self {
        Self::having(name)
            .unwrap_or_else(|| panic!("{name}, which these tests need, comes with PostgreSQL's packages"))
    }

    fn having(name: &str) -> Option<&'static Self> {
        installations().iter().find(|one| one.program(name).exists())
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// A program that works with servers of other versions too, and that not every installation has.
    pub(crate) fn program_of_any(name: &str) -> PathBuf {
        Self::with(name).program(name)
    }

    /// An empty cluster to copy, made once in a process: `initdb` takes longer than most tests.
    pub(crate) fn template(&self) -> Arc<Template> {
        static TEMPLATES: Mutex<BTreeMap<u32, Arc<Template>>> = Mutex::new(BTreeMap::new());
        let mut templates = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(Template::new(self));
        Arc::clone(templates.entry(self.major).or_insert_with(make))
    }
}

/// A client program of PostgreSQL, such as psql, if any installation has it.
pub fn client_program(name: &str) -> Option<PathBuf> {
    Some(Installation::having(name)?.program(name))
}

/// An empty cluster that was never started.
pub(crate) struct Template {
    home: Home,
    _initdb: Mutex<Supervised>, // removes the directory when the tests end
}

impl Template {
    fn new(installation: &Installation) -> Self {
        let home = Home::new();
        let arguments = [
            "--pgdata=data",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--wal-segsize=1", // a cluster of half the size is copied in half the time
        ];
        let mut initdb = Supervised::start(&home, &installation.program("initdb"), &arguments);
        let status = initdb.wait();
        assert!(status == 0, "initdb exited with {status}:\n{}", home.log());
        Self {
            home,
            _initdb: Mutex::new(initdb),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.data()
    }
}

fn installations() -> &'static [Installation] {
    static FOUND: OnceLock<Vec<Installation>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut installed: Vec<PathBuf> = env::split_paths(&path).collect();
        installed.extend(PLACES.iter().flat_map(|(place, bin)| versions(place, bin)));
        let fetched = workspace().join(".postgres/versions");
        [installed, versions(fetched, "bin")]
            .into_iter()
            .flat_map(|group| {
                let mut group: Vec<_> = group.iter().filter_map(|bin| look(bin)).collect();
                group.sort_by_key(|one| std::cmp::Reverse(one.major));
                group
            })
            .collect()
    })
}

fn versions(place: impl AsRef<Path>, bin: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.parse::<f32>().is_ok() || name.starts_with("postgresql") || name.starts_with("pgsql")
        })
        .map(|entry| entry.path().join(bin))
        .collect()
}

/// The installation in a folder of programs, where there is one that is new enough.
fn look(bin: &Path) -> Option<Installation> {
    // PATH has links; initdb looks for `postgres` beside the real file.
    let initdb = fs::canonicalize(bin.join("initdb")).ok()?;
    let bin = initdb.parent()?.to_owned();
    let output = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    // "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)", or "18beta1"
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(2)?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    let major = digits.parse().ok()?;
    (major >= OLDEST).then_some(Installation { major, bin })
}
