//! A child process that cannot outlive the tests, not even when they are killed with SIGKILL.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;
use std::{env, fs};

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;

const SCRIPT: &str = include_str!("../supervisor.sh");
/// 2 GB: a container has 64 MB there unless told otherwise, too little for one server.
const MEMORY_NEEDED: u64 = 2 * 1024 * 1024;
const EXIT_TIMEOUT: Duration = Duration::from_mins(1);

/// A user and group that a program runs as.
#[derive(Clone, Copy)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
}

/// A directory for one server, which belongs to the user the server has to run as: PostgreSQL
/// refuses root, and refuses a data directory of somebody else.
#[derive(Clone)]
pub(crate) struct Home {
    path: PathBuf,
    user: Option<User>,
}

impl Home {
    /// A new directory that nobody else can enter. It stays until a [`Supervised`] removes it.
    pub(crate) fn new() -> Self {
        let path = tempfile::Builder::new()
            .prefix("zerostarter-db-")
            .tempdir_in(place())
            .expect("a temporary directory")
            .keep();
        let owner = fs::metadata(&path).expect("the new directory").uid();
        let user = (owner == 0).then(unprivileged_user);
        let home = Self { path, user };
        home.give(&home.path);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the server keeps its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// What the programs that ran here have printed.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.path.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Makes a file or directory belong to the user of this directory.
    pub(crate) fn give(&self, path: &Path) {
        if let Some(User { uid, gid }) = self.user {
            chown(path, Some(uid), Some(gid)).expect("to change the owner");
        }
    }

    /// A program that runs here, as the user of the directory and with nothing of the developer's
    /// environment: a PGPORT or PGOPTIONS of theirs must not reach the servers.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(&self.path)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C");
        if let Some(User { uid, gid }) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// Where servers live: TMPDIR where that is set, else in memory where there is enough of it (a cluster is
/// a thousand small files, and tests make many), else where temporary files go.
fn place() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let use_memory = env::var_os("TMPDIR").is_none()
            && available_kilobytes(&memory).is_some_and(|available| available >= MEMORY_NEEDED);
        if use_memory { memory } else { env::temp_dir() }
    })
}

/// The fourth column of the second line of `df`.
fn available_kilobytes(path: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(path).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

/// `postgres` where the machine has that user, else `nobody`.
fn unprivileged_user() -> User {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |wanted: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            (name == wanted).then_some(User { uid, gid })
        })
    };
    find("postgres").or_else(|| find("nobody")).unwrap_or(User {
        uid: 65_534,
        gid: 65_534,
    })
}

/// A program below a small shell script that holds the other end of a pipe. The kernel closes the
/// pipe when the tests end in any way; the script then kills the program and removes its directory.
pub(crate) struct Supervised {
    shell: Child,
    orders: Option<ChildStdin>,
    events: Receiver<String>,
    pid: u32,
    exited: Option<i32>,
}

impl Supervised {
    pub(crate) fn start(home: &Home, program: &Path, arguments: &[&str]) -> Self {
        let mut shell = home
            .command("/bin/sh")
            .args(["-c", SCRIPT, "supervisor"])
            .arg(&home.path)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0) // Ctrl-C in a terminal is for the tests; the pipe tells the rest
            .spawn()
            .unwrap_or_else(|error| {
                // A TMPDIR in root's home, perhaps, where the user of the server may not go.
                panic!("to start /bin/sh in {}: {error}", home.path.display())
            });
        let orders = shell.stdin.take();
        let output = shell.stdout.take().expect("a pipe was asked for");
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let started = events.recv().expect("the supervisor says what it started");
        let pid = started
            .strip_prefix("started ")
            .and_then(|pid| pid.parse().ok())
            .expect("started PID");
        Self {
            shell,
            orders,
            events,
            pid,
            exited: None,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The exit status, where the program has ended (128 and the signal's number where one did it).
    pub(crate) fn exited(&mut self) -> Option<i32> {
        while self.exited.is_none()
            && let Ok(event) = self.events.try_recv()
        {
            self.exited = exit_status(&event);
        }
        self.exited
    }

    /// Waits for the end of the program, and panics where it does not end.
    pub(crate) fn wait(&mut self) -> i32 {
        loop {
            match self.exited {
                Some(status) => return status,
                None => self.exited = exit_status(&self.next_event()),
            }
        }
    }

    /// Sends a signal by its name without SIG, and returns when it was sent. Nothing happens where the
    /// program has ended.
    pub(crate) fn signal(&mut self, name: &str) {
        if self.exited().is_none() {
            self.order(name);
            self.exited = exit_status(&self.next_event());
        }
    }

    fn next_event(&self) -> String {
        let event = self.events.recv_timeout(EXIT_TIMEOUT);
        event.expect("word from the supervisor in time")
    }

    /// Ends the supervision of a program that has ended, without removing its directory.
    pub(crate) fn release(mut self) {
        self.wait();
        self.order("keep");
    }

    fn order(&mut self, order: &str) {
        if let Some(orders) = &mut self.orders {
            // The script may be gone, and what was ordered with it.
            writeln!(orders, "{order}").ok();
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.orders.take());
        self.shell.wait().ok();
    }
}

/// The status in "exited STATUS"; nothing in "sent SIGNAL".
fn exit_status(event: &str) -> Option<i32> {
    event.strip_prefix("exited ")?.parse().ok()
}
