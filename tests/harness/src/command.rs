//! The program under test, with nothing around it that the test did not put there.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use regex::Regex;
use tempfile::TempDir;

use super::database::Database;
use super::filters;
use super::left_out::left_out;
use super::program::program;
use super::running::Running;

/// `zerostarter-db` for a database, with `NODE_ENV` and `POSTGRES_URL` set.
pub fn zerostarter_db(database: &Database) -> Command {
    Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", database.url())
}

/// A run of the program in the making. It works in an empty directory of its own and with exactly
/// the environment it is given, so that neither the developer's `.env` nor their shell takes part.
pub struct Command {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<String, OsString>,
    directory: Arc<TempDir>,
    filters: Vec<(Regex, String)>,
}

impl Command {
    /// `zerostarter-db` without any variable.
    pub fn bare() -> Self {
        Self::program(program("zerostarter-db"))
    }

    /// Another program under the same conditions: the peer that ours is compared with.
    pub fn program(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            directory: Arc::new(tempfile::tempdir().expect("a temporary directory")),
            filters: Vec::new(),
        }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let arguments = arguments.into_iter();
        self.arguments
            .extend(arguments.map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    pub fn env_remove(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Writes a file below the working directory, with the folders it needs.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.directory().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("a folder");
        }
        fs::write(path, content).expect("to write a file");
        self
    }

    /// Adds a migration such as `V1__one.sql`, and has migrations read from the directory that holds
    /// those added so, in place of the embedded ones.
    pub fn migration(self, name: &str, sql: impl AsRef<[u8]>) -> Self {
        self.file(&format!("migrations/{name}"), sql)
            .env("MIGRATIONS_DIR", "migrations")
    }

    /// Replaces what else differs from run to run, in snapshots, after the filters that every
    /// snapshot has. The replacement may name groups: `$1`.
    pub fn filter(mut self, pattern: &str, replacement: &str) -> Self {
        let pattern = Regex::new(pattern).expect("a filter");
        self.filters.push((pattern, replacement.to_owned()));
        self
    }

    /// The same as a user who is not root and may have one process, with one thread. `None`, with the reason on stderr, where
    /// the tests cannot become such a user.
    pub fn with_one_process(mut self) -> Option<Self> {
        // The system counts the processes of a user, so each call takes another one.
        static USERS: AtomicU32 = AtomicU32::new(0);
        let limit = Path::new("/usr/bin/prlimit");
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if !is_root || !limit.exists() {
            left_out("only root, with prlimit of util-linux, can limit the processes of a user");
            return None;
        }
        let user = 100_000 + process::id() % 100_000 * 100 + USERS.fetch_add(1, Ordering::Relaxed);
        let user = user.to_string();
        let switch = [
            "--nproc=1",
            "/usr/bin/setpriv",
            "--clear-groups",
            "--reuid",
            &user,
            "--regid",
            &user,
            "--",
        ];
        let program = std::mem::replace(&mut self.program, limit.to_owned());
        let arguments = switch.map(OsString::from).into_iter().chain([program.into()]);
        self.arguments = arguments.chain(self.arguments).collect();
        fs::set_permissions(self.directory(), Permissions::from_mode(0o755)).expect("to open the directory");
        Some(self)
    }

    /// The working directory, which lives as long as the command and its runs.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs to the end, and says what came of it unfiltered. A run is killed, and the test fails
    /// with what it had printed, after a minute.
    #[track_caller]
    pub fn run(&self) -> Run {
        self.start().wait()
    }

    /// Runs to the end, for a comparison with a snapshot of status, stdout and stderr.
    #[track_caller]
    pub fn snapshot(&self) -> String {
        self.snapshot_of(&self.run())
    }

    /// The same for a run that was started and watched.
    pub fn snapshot_of(&self, run: &Run) -> String {
        let Run {
            status,
            stdout,
            stderr,
        } = run;
        let (stdout, stderr) = (self.filtered(stdout), self.filtered(stderr));
        format!("status: {status}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }

    /// Starts without waiting for the end, for a run that is watched or interrupted.
    #[track_caller]
    pub fn start(&self) -> Running {
        let mut command = process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(self.directory())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(profile) = env::var_os("LLVM_PROFILE_FILE") {
            command.env("LLVM_PROFILE_FILE", profile); // of cargo llvm-cov
        }
        Running::start(command, Arc::clone(&self.directory))
    }

    fn filtered(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let directory = self.directory();
        let real = fs::canonicalize(directory).expect("the working directory");
        for path in [real.as_path(), directory] {
            text = text.replace(&*path.to_string_lossy(), "[dir]");
        }
        text = filters::apply(&text);
        for (pattern, replacement) in &self.filters {
            text = pattern.replace_all(&text, replacement).into_owned();
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str("[no newline at the end]\n");
        }
        text
    }
}

/// What came of a run. The status is 128 and the signal's number where a signal ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}
