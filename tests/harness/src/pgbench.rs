//! An app at work: PostgreSQL's own pgbench, which keeps account of every transaction.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::database::Database;
use super::installation::Installation;
use super::poll::poll;

const TIMEOUT: Duration = Duration::from_secs(30);

/// pgbench while it runs. Killed when dropped.
pub struct Pgbench {
    child: Child,
    directory: TempDir,
}

/// What it saw from its beginning to its end.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    pub transactions: usize,
    pub longest: Duration,
}

impl Pgbench {
    /// Lets so many clients run these scripts, each as often as any other, on and on.
    #[track_caller]
    pub fn start(database: &Database, clients: u32, scripts: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(Installation::program_of_any("pgbench"));
        for (number, script) in scripts.iter().enumerate() {
            let name = format!("{number}.sql");
            fs::write(directory.path().join(&name), script).expect("to write a script");
            command.args(["--file", &name]);
        }
        let child = command
            .args(["--no-vacuum", "--log", "--log-prefix=log", "--time=3600"])
            .arg(format!("--client={clients}"))
            .arg(database.url())
            .current_dir(directory.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(directory.path().join("errors")).expect("a file"))
            .spawn()
            .expect("to start pgbench");
        let started = Self { child, directory };
        let all_there = format!("SELECT count(*) >= {clients} FROM pg_stat_activity WHERE {SESSIONS}");
        let found = poll(TIMEOUT, || (database.rows(&all_there) == ["t"]).then_some(()));
        assert!(found.is_some(), "pgbench does not work: {}", started.errors());
        started
    }

    /// Ends its sessions, upon which it writes down what it has seen.
    #[track_caller]
    pub fn stop(mut self, database: &Database) -> Account {
        let alive = self.child.try_wait().expect("the child").is_none();
        assert!(alive, "pgbench has ended: {}", self.errors());
        database.execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {SESSIONS}"
        ));
        let ended = poll(TIMEOUT, || self.child.try_wait().expect("the child"));
        assert!(ended.is_some(), "pgbench does not end: {}", self.errors());
        let name = format!("log.{}", self.child.id());
        let log = fs::read_to_string(self.directory.path().join(name)).expect("the log of pgbench");
        // client, number, microseconds, script, when
        let microseconds = log.lines().map(|line| {
            let field = line.split(' ').nth(2);
            field.and_then(|text| text.parse().ok()).expect("microseconds")
        });
        let took: Vec<Duration> = microseconds.map(Duration::from_micros).collect();
        Account {
            transactions: took.len(),
            longest: took.into_iter().max().expect("a transaction"),
        }
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.directory.path().join("errors")).unwrap_or_default()
    }
}

/// Which sessions are its.
const SESSIONS: &str = "datname = current_database() AND application_name = 'pgbench'";

impl Drop for Pgbench {
    fn drop(&mut self) {
        // Nothing happens to a child that was waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
