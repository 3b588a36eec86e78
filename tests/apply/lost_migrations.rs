//! Migrations that were confirmed, and that the server which answers after a failover does not have.

use std::time::Duration;

use zerostarter_test_harness::{Server, poll, zerostarter_db};

const SOON: Duration = Duration::from_secs(20);
const SLEEPS: &str =
    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";

/// What an asynchronous standby does not have is taken away, as a promotion would.
#[test]
fn what_a_failover_loses_is_warned_of_and_applied_and_listed_once() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE gate ()");
    let directory = tempfile::tempdir().expect("a directory");
    let report = directory.path().join("report.json");
    let mut run = zerostarter_db(&database)
        .env("MIGRATE_REPORT", report.display().to_string())
        .migration("V1__one.sql", "CREATE TABLE one ();")
        .migration("V2__two.sql", "CREATE TABLE two ();")
        .migration(
            "V3__three.sql",
            "DO $$ BEGIN IF to_regclass('gate') IS NOT NULL THEN PERFORM pg_sleep(60); END IF; END $$;",
        )
        .start();
    poll(SOON, || (database.rows(SLEEPS).len() == 1).then_some(())).expect("the third sleeps");
    database.execute(
        "DROP TABLE gate, two; DELETE FROM refinery_schema_history WHERE version = 2; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()",
    );
    run.wait_for_stderr(
        "V2__two was applied and confirmed, but the server that answers now does not have it",
    );
    let run = run.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    for (label, warnings) in [("V1__one", 0), ("V2__two", 1), ("V3__three", 0)] {
        let words = format!("{label} was applied and confirmed, but");
        assert_eq!(
            run.stderr.matches(&words).count(),
            warnings,
            "{label}: {}",
            run.stderr
        );
    }
    assert_eq!(database.history().len(), 3);
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("JSON");
    let listed: Vec<_> = report["applied"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|done| &done["migration"])
        .collect();
    assert_eq!(listed, ["V1__one", "V2__two", "V3__three"]);
}
