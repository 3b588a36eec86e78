//! The verdict: `--report` for programs, the last words for whoever looks at a pod.

use std::path::Path;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};
use zerostarter_migrate::ledger::{Ledger, advisory_key};

use zerostarter_test_harness::{Command, Database, Server, poll, unused_port, zerostarter_db};

const SLOW: (&str, &str) = ("V2__slow.sql", "SELECT pg_sleep(60);");

fn validated(path: &Path) -> Value {
    let report: Value = serde_json::from_slice(&std::fs::read(path).expect("a report")).expect("JSON");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    let schema = compiler
        .compile(
            concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json"),
            &mut schemas,
        )
        .expect("a schema");
    if let Err(error) = schemas.validate(&report, schema) {
        panic!("{error:#}\n{report:#}");
    }
    report
}

/// Runs a command that is to end with `status`, and returns its report.
fn report_of(command: Command, status: i32) -> Value {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("report.json");
    let run = command.env("MIGRATE_REPORT", path.display().to_string()).run();
    assert_eq!(run.status, status, "{}", run.stderr);
    let report = validated(&path);
    assert_eq!(report["exit"], status);
    let left: Vec<_> = std::fs::read_dir(&directory).expect("the directory").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    report
}

fn migrations(applied: &Value) -> Vec<&str> {
    let applied = applied.as_array().expect("a list");
    applied
        .iter()
        .filter_map(|done| done["migration"].as_str())
        .collect()
}

#[test]
fn a_success_is_reported() {
    let database = Server::shared().database();
    let report = report_of(zerostarter_db(&database), 0);
    assert_eq!(report["result"], "success");
    assert_eq!(
        migrations(&report["applied"]),
        ["V0000__zero_starter", "V0001__waitlist"]
    );
    assert_eq!(
        (&report["schema"], &report["pending"]),
        (&json!("public"), &json!(2))
    );
    assert_eq!(report["error"], Value::Null);
    assert!(report["recovery_point"]["wal_position"].is_string());
    let again = report_of(zerostarter_db(&database), 0);
    assert_eq!(again["applied"], json!([]));
}

#[test]
fn a_failure_is_reported_with_what_stays() {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .migration("V1__good.sql", "CREATE TABLE good ();")
        .migration("V2__bad.sql", "CREATE TABLE bad (id nonsense);");
    let report = report_of(command, 1);
    assert_eq!(migrations(&report["applied"]), ["V1__good"]);
    assert_eq!(report["unfinished"], "V2__bad");
    assert_eq!(report["error"]["message"], "V2__bad failed and was rolled back");
    assert!(
        report["error"]["details"][0]
            .as_str()
            .expect("a detail")
            .contains("42704")
    );
}

#[test]
fn each_way_to_fail_has_its_report() {
    let database = Server::shared().database();
    let at = |url: String| {
        Command::bare()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", url)
            .env("MIGRATE_WAIT", "200ms")
            .migration("V1__one.sql", "CREATE TABLE one ();")
    };
    let unreachable = report_of(at(format!("postgres://u@127.0.0.1:{}/d", unused_port())), 3);
    assert_eq!(unreachable["result"], "unreachable");
    let refused = report_of(at(database.url_as("nosuch")).env("MIGRATE_WAIT", "20s"), 4);
    assert_eq!(refused["result"], "refused");
    let holder = database.session();
    let key = advisory_key(Ledger::Refinery, "public");
    holder.execute(&format!("SELECT pg_advisory_lock({key})"));
    let locked = report_of(
        at(database.url())
            .env("MIGRATE_WAIT", "20s")
            .env("MIGRATE_LOCK_WAIT", "100ms"),
        7,
    );
    assert!(
        locked["error"]["details"][0]
            .as_str()
            .expect("a detail")
            .contains("blocked by: pid")
    );
    holder.execute(&format!("SELECT pg_advisory_unlock({key})"));
    holder.execute("CREATE TABLE busy ()");
    holder.execute("BEGIN; LOCK TABLE busy");
    let blocked = report_of(
        zerostarter_db(&database)
            .migration("V1__blocked.sql", "ALTER TABLE busy ADD a int;")
            .env("MIGRATE_LOCK_TIMEOUT", "1s")
            .env("MIGRATE_LOCK_RETRIES", "2"),
        7,
    );
    assert_eq!(blocked["tries"], 2);
    assert!(
        blocked["blocked_by"]
            .as_str()
            .expect("somebody")
            .contains("application harness")
    );
}

fn interrupted(database: &Database, path: &Path, name: &str) {
    let mut running = zerostarter_db(database)
        .migration("V1__quick.sql", "CREATE TABLE quick ();")
        .migration(SLOW.0, SLOW.1)
        .env(name, path.display().to_string())
        .start();
    running.wait_for_stderr("applied V1__quick");
    let sleeps = "SELECT count(*) FROM pg_stat_activity \
                  WHERE datname = current_database() AND wait_event = 'PgSleep'";
    poll(std::time::Duration::from_secs(20), || {
        (database.rows(sleeps) == ["1"]).then_some(())
    })
    .expect("it is under way");
    running.signal("TERM");
    assert_eq!(running.wait().status, 143);
}

#[test]
fn a_signal_is_reported() {
    let database = Server::shared().database();
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("report.json");
    interrupted(&database, &path, "MIGRATE_REPORT");
    let report = validated(&path);
    assert_eq!(
        (&report["exit"], &report["unfinished"]),
        (&json!(143), &json!("V2__slow"))
    );
    assert_eq!(migrations(&report["applied"]), ["V1__quick"]);
}

#[test]
fn a_report_that_cannot_be_written_changes_nothing() {
    let database = Server::shared().database();
    let run = zerostarter_db(&database)
        .args(["migrate", "--report", "no/such/directory/report.json"])
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("the report no/such/directory/report.json cannot be written: No such file"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_final_error_is_in_the_termination_log() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("termination-log");
    let shown = path.display().to_string();
    let words = || std::fs::read_to_string(&path).expect("the file");

    let database = Server::shared().database();
    assert_eq!(
        zerostarter_db(&database)
            .env("TERMINATION_LOG", &shown)
            .run()
            .status,
        0
    );
    assert!(!path.exists(), "nobody had asked");

    std::fs::write(&path, "words of an earlier container, and longer").expect("to write");
    assert_eq!(
        zerostarter_db(&database)
            .env("TERMINATION_LOG", &shown)
            .run()
            .status,
        0
    );
    assert_eq!(words(), "done");

    let other = Server::shared().database();
    interrupted(&other, &path, "TERMINATION_LOG");
    assert_eq!(
        words(),
        "SIGTERM ended the run\nV2__slow was cancelled and rolled back\napplied, and kept: V1__quick\n\
         hint: run it again: it continues where this run stopped"
    );

    let run = Command::bare().env("TERMINATION_LOG", &shown).run();
    assert_eq!(run.status, 2);
    assert!(
        words().starts_with("the configuration cannot be used\nNODE_ENV is not set"),
        "{}",
        words()
    );

    // Kubernetes shows 4096 bytes.
    let third = Server::shared().database();
    let long = (1..=300).fold(zerostarter_db(&third), |command, version| {
        command.migration(&format!("V{version}__with_a_long_name.sql"), "ROLLBACK;")
    });
    assert_eq!(long.env("TERMINATION_LOG", &shown).run().status, 2);
    assert_eq!(words().len(), 4096);
}
