//! Output that nobody reads, and files that are none: nothing waits for the other end.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Server, poll, zerostarter_db};

/// More than a pipe holds.
const NOISE: &str =
    "DO $$ BEGIN FOR i IN 1..5000 LOOP RAISE NOTICE '% %', i, repeat('x', 100); END LOOP; END $$;";

/// More than a run needs, and less than the tests wait for its end.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_log_that_nobody_reads_does_not_hold_up_a_run() {
    let database = Server::shared().database();
    let mut running = zerostarter_db(&database)
        .migration("V1__noise.sql", NOISE)
        .migration("V2__quick.sql", "CREATE TABLE quick ();")
        .start();
    running.leave_stderr_unread();
    poll(SOON, || running.has_ended().then_some(())).expect("it ends");
    assert_eq!(running.wait().status, 0);
    assert_eq!(database.history().len(), 2);
}

#[test]
fn a_signal_ends_a_run_whose_log_nobody_reads() {
    let database = Server::shared().database();
    let running = zerostarter_db(&database)
        .migration("V1__noise.sql", NOISE)
        .migration("V2__slow.sql", "SELECT pg_sleep(60);")
        .start();
    running.leave_stderr_unread();
    let sleeps = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    poll(SOON, || (database.rows(sleeps).len() == 1).then_some(())).expect("it is under way");
    let started = Instant::now();
    running.signal("TERM");
    assert_eq!(running.wait().status, 143);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(database.history().len(), 1);
}

/// Data is complete however slowly it is read, and does not swallow signals.
#[test]
fn a_signal_ends_a_command_whose_data_nobody_reads() {
    let database = Server::shared().database();
    let long = format!("SELECT 1; -- {}", "x".repeat(200_000));
    let command = zerostarter_db(&database).migration("V1__long.sql", &long);
    let start = || {
        Process::new(env!("CARGO_BIN_EXE_zerostarter-db"))
            .arg("plan")
            .current_dir(command.directory())
            .env_clear()
            .envs([
                ("NODE_ENV", "test"),
                ("POSTGRES_URL", &database.url()),
                ("MIGRATIONS_DIR", "migrations"),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("to start")
    };
    let mut unread = start();
    let mut first = [0; 1];
    unread
        .stdout
        .as_mut()
        .expect("a pipe")
        .read_exact(&mut first)
        .unwrap();
    let kill = Process::new("/bin/kill").arg(unread.id().to_string()).status();
    assert!(kill.expect("kill").success());
    let status = poll(SOON, || unread.try_wait().expect("the child")).expect("it ends");
    assert_eq!(status.code(), Some(143));
    let mut slowly = start();
    let mut text = String::new();
    slowly
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut text)
        .unwrap();
    assert!(slowly.wait().expect("the child").success());
    assert!(text.contains(&long), "{}", text.len());
}

fn fifo(command: &Command, name: &str) {
    let path = command.directory().join(name);
    let made = Process::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo").success());
}

#[test]
fn a_fifo_in_place_of_a_file_is_refused() {
    let command = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL_FILE", "url")
        .env("POSTGRES_CA_FILE", "ca.pem")
        .env("MIGRATE_REPORT", "report.json")
        .env("TERMINATION_LOG", "log");
    for name in ["url", "ca.pem", "report.json", "log"] {
        fifo(&command, name);
    }
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_URL_FILE names a file that cannot be read: url: is not a regular file
      POSTGRES_CA_FILE names a file that cannot be read: ca.pem: is not a regular file
      MIGRATE_REPORT names what is not a regular file: report.json
      TERMINATION_LOG names what is not a regular file: log
    ");
    let command = Command::bare().env("NODE_ENV", "test");
    fifo(&command, ".env");
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: .env is not a regular file

    hint: write NAME=value, and quote a value that has spaces or a #
    ");
}

#[test]
fn links_to_files_are_files() {
    let database = Server::shared().database();
    let command = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL_FILE", "link")
        .file("url", database.url());
    std::os::unix::fs::symlink("url", command.directory().join("link")).unwrap();
    assert_eq!(command.run().status, 0);
}

#[test]
fn a_report_may_go_to_a_device() {
    for device in ["/dev/null", "/dev/stdout"] {
        let database = Server::shared().database();
        let run = zerostarter_db(&database)
            .args(["migrate", "--report", device])
            .run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(!run.stderr.contains("WARN"), "{}", run.stderr);
        assert_eq!(
            run.stdout.contains("success"),
            device == "/dev/stdout",
            "{}",
            run.stdout
        );
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }
}

/// With the output redirected to a file, that name leads to a regular file, which a rename would replace.
#[test]
fn the_name_of_a_stream_is_never_replaced() {
    let database = Server::shared().database();
    let command = zerostarter_db(&database);
    let path = command.directory().join("out");
    let status = Process::new(env!("CARGO_BIN_EXE_zerostarter-db"))
        .args(["migrate", "--report", "/dev/stdout"])
        .current_dir(command.directory())
        .env_clear()
        .envs([("NODE_ENV", "test"), ("POSTGRES_URL", &database.url())])
        .stdout(std::fs::File::create(&path).unwrap())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("to run").success());
    assert!(Path::new("/dev/stdout").is_symlink());
    assert!(std::fs::read_to_string(path).unwrap().contains("success"));
}

/// Whoever can write in the directory could have the run overwrite another file.
#[test]
fn a_link_beside_the_report_is_not_followed() {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .args(["migrate", "--report", "report.json"])
        .file("victim", "intact");
    for name in ["report.json.new", "report.json"] {
        std::os::unix::fs::symlink("victim", command.directory().join(name)).unwrap();
    }
    let run = command.run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    let read = |name: &str| std::fs::read_to_string(command.directory().join(name)).unwrap();
    assert_eq!(read("victim"), "intact");
    assert!(read("report.json").contains("success"));
}
