//! A server under load: ours, or the one that it is compared with.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::http;
use crate::plan::POOL;
use zerostarter_test_harness::{Database, poll, unused_port};

const START_LIMIT: Duration = Duration::from_secs(20);

/// In which the lines of the last requests must have been written.
const LOG_LIMIT: Duration = Duration::from_secs(5);

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Hono,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Ours, Self::Hono];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "zerostarter-api",
            Self::Hono => "Bun + Hono + Drizzle",
        }
    }

    fn command(self) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        match self {
            Self::Ours => {
                let program = std::env::var_os("ZEROSTARTER_API_BINARY");
                Command::new(program.expect("ZEROSTARTER_API_BINARY; `make bench-api` sets it"))
            }
            Self::Hono => {
                let directory = root.join("target/peers/hono");
                let mut command = Command::new(bun(&directory));
                command.arg(directory.join("server.ts"));
                command
            }
        }
    }

    fn log(self) -> PathBuf {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
        fs::create_dir_all(&directory).expect("a directory");
        directory.join(match self {
            Self::Ours => "zerostarter-api.log",
            Self::Hono => "hono.log",
        })
    }
}

/// npm installs the package that fits the machine; its name tells which that is.
fn bun(directory: &Path) -> PathBuf {
    let packages =
        fs::read_dir(directory.join("node_modules/@oven")).expect("Bun; `make bench-api` installs it");
    let mut programs = packages.filter_map(|package| Some(package.ok()?.path().join("bin/bun")));
    programs.find(|program| program.exists()).expect("Bun's program")
}

/// A server that runs, and ends when it is dropped.
pub(crate) struct Contender {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    process: Child,
}

impl Contender {
    /// Starts it as in production, with a line of log a request in a file, and waits until it is ready.
    pub(crate) fn start(kind: Kind, database: &Database) -> Self {
        let port = unused_port();
        File::create(kind.log()).expect("a file for the log");
        // At its end, also after it was emptied.
        let log = OpenOptions::new().append(true).open(kind.log()).expect("the log");
        let process = kind
            .command()
            .env_clear()
            .env("NODE_ENV", "production")
            .env("POSTGRES_URL", database.url())
            // The database is on this machine, and its URL says sslmode=disable.
            .env("POSTGRES_PLAINTEXT_IN_PRODUCTION", "yes")
            .env("POSTGRES_POOL_SIZE", POOL.to_string())
            .env("API_LISTEN", format!("127.0.0.1:{port}"))
            .env("API_RATE_LIMIT", "0")
            // The peer has neither: it answers as soon as it can, with the count of that moment, and limits nobody.
            .env("API_JOIN_TIME", "0s")
            .env("API_COUNT_AGE", "0s")
            .env("API_CLIENT_CONNECTIONS", "0")
            .env("API_HEALTH_LISTEN", "127.0.0.1:0")
            .env("LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", kind.name()));
        let contender = Self { kind, port, process };
        let is_ready = || {
            let answer = http::ask(port, "GET", "/api/health", "", "").ok()?;
            (answer.status == 200).then_some(())
        };
        poll(START_LIMIT, is_ready).unwrap_or_else(|| {
            let log = fs::read_to_string(kind.log()).unwrap_or_default();
            panic!("{} does not become ready:\n{log}", kind.name())
        });
        contender
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Empties its log, and lets the peak of its memory begin anew.
    pub(crate) fn forget(&self) {
        OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(self.kind.log())
            .expect("to empty the log");
        fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").expect("to reset the peak of memory");
    }

    /// Panics unless the log has, since it was emptied, a line for each of so many requests which says that it was
    /// answered with 200, and none of another status but 499: at the end wrk hangs up on what is under way.
    pub(crate) fn expect_logged(&self, requests: u64) {
        let name = self.kind.name();
        let is_complete = || {
            let mut lines = 0;
            let log = BufReader::new(File::open(self.kind.log()).expect("the log"));
            for line in log.split(b'\n').map(|line| line.expect("a line")) {
                let line = String::from_utf8_lossy(&line);
                if let Some((_, status)) = line.split_once("\"status\":") {
                    let is_answered = status.starts_with("200");
                    assert!(is_answered || status.starts_with("499"), "{name}: {line}");
                    lines += u64::from(is_answered);
                }
            }
            (lines >= requests).then_some(())
        };
        let complete = poll(LOG_LIMIT, is_complete);
        assert!(
            complete.is_some(),
            "{name} has not logged all of {requests} requests"
        );
    }

    /// The most memory it has had since [`Contender::forget`], in megabytes.
    pub(crate) fn peak_megabytes(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("its peak");
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024.0 / 1e6
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
