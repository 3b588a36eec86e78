//! The memory of a run grows with its largest pending file at most, and not with applied ones.

use std::fs;
use std::time::Duration;

use zerostarter_test_harness::{Command, Database, Running, Server, poll, zerostarter_db};

const SOON: Duration = Duration::from_secs(40);

/// The size of a large file, in bytes.
const SIZE: usize = 20 << 20;

/// What a run may take beside its files, and vary, in bytes.
const TOLERANCE: usize = 6 << 20;

const HEAD: &str = "CREATE TABLE rows (a int, b text);\n";

/// `head` and lines up to a size, then `tail`.
fn lines(size: usize, head: &str, line: &str, tail: &str) -> String {
    let mut sql = format!("{HEAD}{head}");
    while sql.len() < size {
        sql.push_str(line);
    }
    sql + tail
}

const FILL: &str = "'the quick brown fox jumps over the lazy dog; the quick brown fox'";

fn inserts(size: usize) -> String {
    lines(size, "", &format!("INSERT INTO rows VALUES (1, {FILL});\n"), "")
}

fn one_insert(size: usize) -> String {
    let head = format!("INSERT INTO rows VALUES (1, {FILL})");
    lines(size, &head, &format!(",\n(1, {FILL})"), ";\n")
}

fn rows(size: usize) -> String {
    lines(size, "COPY rows FROM stdin;\n", &format!("1\t{FILL}\n"), "\\.\n")
}

/// The peak of the memory of a process so far, in bytes.
fn peak(running: &Running) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", running.pid())).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kilobytes.expect("a peak") * 1024
}

/// The peak of a run that applies `sql`, taken while its last statement waits.
fn peak_of_applying(sql: &str) -> usize {
    let database = Server::shared().database();
    let session = database.session();
    session.execute("SELECT pg_advisory_lock(1)");
    let running = zerostarter_db(&database)
        .migration("V1__rows.sql", format!("{sql}SELECT pg_advisory_xact_lock(1);\n"))
        .env("MIGRATE_LOCK_TIMEOUT", "0")
        .env("MIGRATE_LOCK_BUDGET", "0")
        .start();
    let waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    poll(SOON, || (!database.rows(waits).is_empty()).then_some(())).expect("the last statement");
    let peak = peak(&running);
    session.execute("SELECT pg_advisory_unlock(1)");
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    peak
}

#[test]
fn a_run_takes_at_most_twice_its_largest_file() {
    for (name, sql, times) in [
        ("inserts", inserts as fn(usize) -> String, 1),
        ("one insert", one_insert, 2),
        ("rows", rows, 1),
    ] {
        let base = peak_of_applying(&sql(1000));
        let grown = peak_of_applying(&sql(SIZE)).saturating_sub(base);
        assert!(
            grown <= times * SIZE + TOLERANCE,
            "{name}: {grown} bytes more for a file of {SIZE}"
        );
    }
}

/// The peak of a `wait` after a migration with the text `sql` was applied.
fn peak_of_waiting(database: &Database, sql: &str) -> usize {
    let command = || -> Command { zerostarter_db(database).migration("V1__rows.sql", sql) };
    let run = command().run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    let mut waiting = command()
        .migration("V2__next.sql", "SELECT 1;")
        .arg("wait")
        .start();
    waiting.wait_for_stderr("waiting until");
    peak(&waiting)
}

#[test]
fn an_applied_file_takes_no_memory() {
    let (small, large) = (Server::shared().database(), Server::shared().database());
    let base = peak_of_waiting(&small, HEAD);
    let grown = peak_of_waiting(&large, &inserts(SIZE)).saturating_sub(base);
    assert!(grown <= TOLERANCE, "{grown} bytes more for a file of {SIZE}");
}
