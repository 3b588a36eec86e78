//! A server under load: ours, or the one that it is compared with.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::{Database, poll, unused_port};
use crate::plan::POOL;

const START_LIMIT: Duration = Duration::from_secs(20);

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
        let log = File::create(Self::log(kind)).expect("a file for the log");
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
            .env("LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", kind.name()));
        let contender = Self { kind, port, process };
        let is_up = || TcpStream::connect(("127.0.0.1", port)).ok();
        poll(START_LIMIT, is_up).unwrap_or_else(|| panic!("{} does not start", kind.name()));
        contender
    }

    fn log(kind: Kind) -> PathBuf {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
        fs::create_dir_all(&directory).expect("a directory");
        directory.join(match kind {
            Kind::Ours => "zerostarter-api.log",
            Kind::Hono => "hono.log",
        })
    }

    /// The processor time it has had.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.process.id())
    }

    /// The most memory it has had, in megabytes.
    pub(crate) fn peak_megabytes(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
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

/// The processor time of a process and of its children that have ended.
pub(crate) fn cpu_of(pid: u32) -> Duration {
    // Ten milliseconds each, on every Linux there is.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u32 = fields
        .split(' ')
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    TICK * ticks
}
