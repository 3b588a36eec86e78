//! Throwaway PostgreSQL servers.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::database::Database;
use super::installation::Installation;
use super::left_out::left_out;
use super::poll::poll;
use super::session::Session;
use super::supervisor::{Home, Supervised};

const START_TIMEOUT: Duration = Duration::from_mins(1);
const TRIES: usize = 20;

/// Written to postgresql.conf before the settings of a test. Nothing has to survive the machine, so
/// nothing is flushed; but commits are synchronous, for what was committed has to survive a `stop`.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
max_connections = 200
shared_buffers = '16MB'
fsync = off
full_page_writes = off
autovacuum = off
checkpoint_timeout = '1h'
log_checkpoints = off
log_line_prefix = '%m [%p] %q%u@%d '
timezone = 'UTC'
";

/// How a server is asked to stop.
#[derive(Clone, Copy, Debug)]
pub enum Shutdown {
    /// Sessions are ended with 57P01 and rolled back; the data is written.
    Fast,
    /// As a crash: sessions are cut off with 57P02, and the next start has to recover.
    Immediate,
}

/// What is special about a server.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    version: Option<u32>,
    settings: Vec<(String, String)>,
    hba: Vec<String>,
    tls: Option<(String, String)>,
}

impl ServerOptions {
    pub fn new() -> Self {
        Self::default()
    }

    /// This major version; without, that of `POSTGRES_TEST_VERSION` or the newest of the machine.
    /// Starting panics, and says how to get it, where it is missing.
    pub fn version(mut self, major: u32) -> Self {
        self.version = Some(major);
        self
    }

    /// A line of postgresql.conf, stronger than the harness' own settings.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A line of `pg_hba.conf`. The first one replaces the default, which trusts all of 127.0.0.1;
    /// the harness itself comes in through the socket whatever the lines say.
    pub fn hba(mut self, line: &str) -> Self {
        self.hba.push(line.to_owned());
        self
    }

    /// Serves TLS with this certificate (chain) and key, both PEM.
    pub fn tls(mut self, certificate: &str, key: &str) -> Self {
        self.tls = Some((certificate.to_owned(), key.to_owned()));
        self
    }
}

/// A PostgreSQL server on 127.0.0.1 that ends, with its data, when it is dropped or when the tests
/// end in any way.
pub struct Server {
    installation: &'static Installation,
    address: Address,
    home: Home,
    process: Mutex<Supervised>,
}

/// Where the harness reaches a server: its socket's folder and its port.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub socket: PathBuf,
    pub port: u16,
}

impl Address {
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        let port = self.port;
        format!("postgres://{user}@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    #[track_caller]
    pub(crate) fn session(&self, database: &str) -> Session {
        match Session::open(&self.socket, self.port, database) {
            Ok(session) => session,
            Err((state, message)) => panic!("to connect to {database}: {state} {message}"),
        }
    }
}

impl Server {
    /// The server that most tests share, each with a database of its own. Roles and settings of the
    /// whole server are shared too: a test that changes those starts its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(ServerOptions::new()))
    }

    /// Starts a server of the test's own, and returns when it answers.
    pub fn start(options: ServerOptions) -> Self {
        let installation = Installation::find(options.version);
        let template = installation.template();
        let home = Home::new();
        let holder = copy(&home, &template.data(), home.path());
        Self::start_in(home, holder, installation, options)
    }

    /// Starts a server whose version has `pg_dump`, for [`Server::dump`].
    pub fn start_with_dump() -> Self {
        Self::start(ServerOptions::new().version(Installation::with("pg_dump").major))
    }

    /// What `pg_dump` writes of a database.
    pub fn dump(&self, database: &Database) -> Vec<u8> {
        let dump = process::Command::new(self.installation.program("pg_dump"))
            .args(["--no-owner", &database.url()])
            .output()
            .expect("to run pg_dump");
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        dump.stdout
    }

    /// Starts a standby: a copy of a server as it is now, in recovery, read-only, following nobody.
    /// The server must be the test's own: a file that vanishes during the copy spoils it.
    pub fn start_standby_of(primary: &Self) -> Self {
        Self::start_standby_with(primary, ServerOptions::new())
    }

    /// As [`Server::start_standby_of`], with settings of its own. `hot_standby = off` gives a server
    /// that answers every connection with 57P03, until it is promoted.
    pub fn start_standby_with(primary: &Self, options: ServerOptions) -> Self {
        // The low-level backup API: pg_basebackup is not among the programs of every installation.
        let (start, stop) = if primary.major() < 15 {
            (
                "pg_start_backup('standby', true, false)",
                "pg_stop_backup(false, false)",
            )
        } else {
            ("pg_backup_start('standby', true)", "pg_backup_stop(false)")
        };
        let home = Home::new();
        let data = home.data();
        let session = primary.address.session("postgres");
        session.execute(&format!("SELECT {start}"));
        let holder = copy(&home, &primary.home.data(), home.path());
        let label = session.rows(&format!("SELECT labelfile FROM {stop}"));
        fs::remove_dir_all(data.join("pg_wal")).expect("pg_wal");
        copy(&home, &primary.home.data().join("pg_wal"), &data).release();
        fs::remove_file(data.join("postmaster.pid")).expect("postmaster.pid");
        write(&home, &data.join("backup_label"), &label.concat());
        write(&home, &data.join("standby.signal"), "");
        Self::start_in(home, holder, primary.installation, options)
    }

    /// Starts in a home that another program held on to until now.
    fn start_in(
        home: Home,
        mut holder: Supervised,
        installation: &'static Installation,
        options: ServerOptions,
    ) -> Self {
        configure(&home, options);
        for _ in 0..TRIES {
            let port = unused_port();
            let socket = home.path().to_owned();
            let address = Address { socket, port };
            let mut process = launch(&home, installation, &address);
            holder.release();
            match ready(&mut process, &address) {
                Ok(()) => {
                    return Self {
                        installation,
                        address,
                        home,
                        process: Mutex::new(process),
                    };
                }
                // Somebody else was faster.
                Err(_) if home.log().contains("Address already in use") => {
                    fs::remove_file(home.path().join("log")).ok();
                    holder = process;
                }
                Err(problem) => panic!("PostgreSQL {problem}:\n{}", home.log()),
            }
        }
        panic!("{TRIES} ports were all taken")
    }

    /// A database for one test.
    pub fn database(&self) -> Database {
        Database::create(self.address.clone())
    }

    /// The URL of a database for the superuser, over TCP and without TLS.
    pub fn url(&self, database: &str) -> String {
        self.address.url("postgres", database)
    }

    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// Whether `standard_conforming_strings` can be off: before PostgreSQL 19. Otherwise stderr has what the test leaves out.
    pub fn has_nonstandard_strings(&self) -> bool {
        let is_old = self.major() < 19;
        if !is_old {
            let major = self.major();
            left_out(&format!(
                "standard_conforming_strings is always on in PostgreSQL {major}"
            ));
        }
        is_old
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.installation.major
    }

    /// The process of the postmaster, of the last start.
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// Runs statements as the superuser, and panics with what the server says against them.
    #[track_caller]
    pub fn execute(&self, database: &str, sql: &str) {
        self.session(database).execute(sql);
    }

    /// The rows that statements give, as [`Session::rows`].
    #[track_caller]
    pub fn rows(&self, database: &str, sql: &str) -> Vec<String> {
        self.session(database).rows(sql)
    }

    /// An open connection of the superuser.
    #[track_caller]
    pub fn session(&self, database: &str) -> Session {
        self.address.session(database)
    }

    /// The server's own log, to prove what was asked of it. `log_statement = all` makes it complete.
    pub fn log(&self) -> String {
        self.home.log()
    }

    /// The directory of this server's data, socket and log; it goes with the server.
    pub fn directory(&self) -> &Path {
        self.home.path()
    }

    /// Sends a signal to the postmaster by its name without SIG: STOP for a server that accepts and
    /// does not answer, CONT, HUP.
    pub fn signal(&self, name: &str) {
        self.process().signal(name);
    }

    /// Stops the server and returns when it is down. Its port refuses connections then, and its
    /// data waits for [`Server::restart`].
    pub fn stop(&self, shutdown: Shutdown) {
        let mut process = self.process();
        process.signal(match shutdown {
            Shutdown::Fast => "INT",
            Shutdown::Immediate => "QUIT",
        });
        process.wait();
    }

    /// Starts the server again with its port and data, after stopping it if it runs. Returns when it answers.
    pub fn restart(&self) {
        self.stop(Shutdown::Fast);
        let mut process = self.process();
        let mut next = launch(&self.home, self.installation, &self.address);
        if let Err(problem) = ready(&mut next, &self.address) {
            panic!("PostgreSQL {problem}:\n{}", self.log());
        }
        std::mem::replace(&mut *process, next).release();
    }

    /// Ends the recovery of a standby: it becomes a server that can be written to.
    pub fn promote(&self) {
        write(&self.home, &self.home.data().join("promote"), "");
        self.signal("USR1");
        let promoted = poll(START_TIMEOUT, || {
            let session = Session::open(&self.address.socket, self.port(), "postgres").ok()?;
            (session.rows("SELECT pg_is_in_recovery()") == ["f"]).then_some(())
        });
        assert!(promoted.is_some(), "not promoted:\n{}", self.log());
    }

    fn process(&self) -> MutexGuard<'_, Supervised> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A port on which nobody listens. It is taken from below the range that the system uses for
/// outgoing connections, and only once in a process, so that it stays free for a while.
pub fn unused_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    const RANGE: std::ops::Range<u32> = 20_000..32_000;
    loop {
        let taken = u32::from(TAKEN.fetch_add(1, Ordering::Relaxed));
        // Test processes that run side by side begin at different places.
        let offset = (process::id().wrapping_mul(101) + taken) % (RANGE.end - RANGE.start);
        let port = u16::try_from(RANGE.start + offset).expect("below 32000");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Adds to the configuration of a copied cluster what the harness and the test want.
fn configure(home: &Home, options: ServerOptions) {
    let mut settings = vec![SETTINGS.to_owned()];
    let mut set = |name: &str, value: &str| {
        settings.push(format!("{name} = '{}'\n", value.replace('\'', "''")));
    };
    set("unix_socket_directories", &home.path().to_string_lossy());
    if let Some((certificate, key)) = options.tls {
        set("ssl", "on");
        for (file, pem) in [("server.crt", certificate), ("server.key", key)] {
            write(home, &home.data().join(file), &pem);
        }
    }
    for (name, value) in options.settings {
        set(&name, &value);
    }
    let mut file = OpenOptions::new()
        .append(true)
        .open(home.data().join("postgresql.conf"))
        .expect("postgresql.conf");
    file.write_all(settings.concat().as_bytes())
        .expect("postgresql.conf");

    let mut hba = vec!["local all all trust".to_owned()];
    if options.hba.is_empty() {
        hba.push("host all all 127.0.0.1/32 trust".to_owned());
    }
    hba.extend(options.hba);
    write(home, &home.data().join("pg_hba.conf"), &(hba.join("\n") + "\n"));
}

fn launch(home: &Home, installation: &Installation, address: &Address) -> Supervised {
    let port = address.port.to_string();
    Supervised::start(
        home,
        &installation.program("postgres"),
        &["-D", "data", "-p", &port],
    )
}

/// Waits until the server answers over its socket, which nobody else can be at the other end of.
fn ready(process: &mut Supervised, address: &Address) -> Result<(), String> {
    let answer = poll(START_TIMEOUT, || {
        // Looked at first: what was refused by a server that is gone was its last word.
        let exited = process.exited();
        match Session::open(&address.socket, address.port, "postgres") {
            Ok(_) => Some(Ok(())),
            Err((_, message)) if message.contains("is not accepting connections") => {
                Some(Ok(())) // hot_standby = off: as ready as it gets
            }
            Err(_) => exited.map(|status| Err(format!("exited with {status}"))),
        }
    });
    answer.unwrap_or_else(|| Err("does not answer".to_owned()))
}

/// A file that only the server can read, as it demands of its key.
fn write(home: &Home, path: &Path, content: &str) {
    fs::write(path, content).expect("to write a file of the server");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("to protect it");
    home.give(path);
}

/// Copies a directory into another. What comes back holds on to the new server's home, as a server will.
fn copy(home: &Home, from: &Path, into: &Path) -> Supervised {
    let [from, into] = [from, into].map(Path::to_string_lossy);
    let mut copy = Supervised::start(home, Path::new("cp"), &["-R", &from, &into]);
    let status = copy.wait();
    assert!(status == 0, "cp exited with {status}:\n{}", home.log());
    copy
}
