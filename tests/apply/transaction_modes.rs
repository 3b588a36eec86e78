//! `SET TRANSACTION` at the beginning of a file works as with `psql -1`.

use std::time::Duration;

use insta::assert_snapshot;

use zerostarter_test_harness::{Database, Server, poll, zerostarter_db};

const SOON: Duration = Duration::from_secs(30);

const REPEATABLE: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\n";

fn waits_for(database: &Database, condition: &str) {
    let waits = format!(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
         WHERE NOT granted AND datname = current_database() AND {condition}"
    );
    poll(SOON, || (database.rows(&waits) == ["1"]).then_some(())).expect("a run that waits");
}

#[test]
fn the_transaction_has_the_modes_of_its_file() {
    let database = Server::shared().database();
    let look = "AS SELECT current_setting('transaction_isolation') AS level, \
                current_setting('transaction_deferrable') AS deferrable";
    let run = zerostarter_db(&database)
        .migration(
            "V1__one.sql",
            format!("-- why\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE, DEFERRABLE;\nCREATE TABLE one {look};"),
        )
        .migration(
            "V2__two.sql",
            format!("BEGIN;\nSET LOCAL work_mem = '8MB'; SET LOCAL transaction_isolation TO 'repeatable read';\nCREATE TABLE two {look};\nCOMMIT;"),
        )
        .migration("V3__three.sql", format!("CREATE TABLE three {look};"))
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        database.rows("SELECT * FROM one UNION ALL SELECT * FROM two UNION ALL SELECT * FROM three"),
        ["serializable|on", "repeatable read|off", "read committed|off"]
    );
    assert_eq!(database.history().len(), 3);
    let failing = zerostarter_db(&database)
        .migration("V4__four.sql", format!("{REPEATABLE}CREATE TABLE four ();\n  DROP TABLE five;"))
        .env("MIGRATIONS_DIR", "migrations")
        .migration("V1__one.sql", format!("-- why\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE, DEFERRABLE;\nCREATE TABLE one {look};"))
        .migration(
            "V2__two.sql",
            format!("BEGIN;\nSET LOCAL work_mem = '8MB'; SET LOCAL transaction_isolation TO 'repeatable read';\nCREATE TABLE two {look};\nCOMMIT;"),
        )
        .migration("V3__three.sql", format!("CREATE TABLE three {look};"))
        .run();
    assert_eq!(failing.status, 1, "{}", failing.stderr);
    for text in ["SQLSTATE 42P01", "V4__four.sql:3:3"] {
        assert!(failing.stderr.contains(text), "{}", failing.stderr);
    }
}

/// With a snapshot that is older than the lock, the run would not see what another tool has committed.
#[test]
fn a_transaction_with_one_snapshot_sees_what_was_applied_before_its_lock() {
    let files = [
        ("V1__first.sql", "CREATE TABLE first ();".to_owned()),
        ("V2__second.sql", format!("{REPEATABLE}CREATE TABLE second ();")),
    ];
    let database = Server::shared().database();
    let command = |database: &Database, count: usize| {
        files[..count]
            .iter()
            .fold(zerostarter_db(database), |command, (name, sql)| {
                command.migration(name, sql)
            })
    };
    let elsewhere = Server::shared().database();
    assert_eq!(command(&elsewhere, 2).run().status, 0);
    let row = elsewhere
        .rows("SELECT format('%L, %L, %L, %L', version, name, applied_on, checksum) FROM refinery_schema_history WHERE version = 2")
        .remove(0);
    assert_eq!(command(&database, 1).run().status, 0);
    let other = database.session();
    other.execute(&format!(
        "BEGIN; CREATE TABLE second (); INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES ({row})"
    ));
    let running = command(&database, 2).start();
    waits_for(
        &database,
        "relation = 'refinery_schema_history'::regclass AND mode = 'ShareRowExclusiveLock'",
    );
    other.execute("COMMIT");
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("42P07"), "{}", run.stderr);
    assert_eq!(database.history(), elsewhere.history());
}

#[test]
fn a_serialization_failure_is_retried() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE counter (n int); INSERT INTO counter VALUES (1)");
    let other = database.session();
    other.execute("BEGIN; UPDATE counter SET n = n + 10");
    let running = zerostarter_db(&database)
        .migration(
            "V1__count.sql",
            format!("{REPEATABLE}UPDATE counter SET n = n + 100;"),
        )
        .start();
    waits_for(&database, "locktype = 'transactionid'");
    other.execute("COMMIT");
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("SQLSTATE 40001"), "{}", run.stderr);
    assert_eq!(database.rows("SELECT n FROM counter"), ["111"]);
    assert_eq!(database.history().len(), 1);
}

#[test]
fn modes_that_cannot_hold_are_refused_with_their_line() {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .args(["migrate", "--atomic"])
        .migration("V1__first.sql", format!("{REPEATABLE}CREATE TABLE first ();"))
        .migration("V2__second.sql", format!("{REPEATABLE}CREATE TABLE second ();"))
        .migration(
            "V3__third.sql",
            "SET LOCAL work_mem = '8MB';\nSET TRANSACTION READ ONLY;\nSELECT 1;",
        );
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: 3 places in the pending migrations cannot be applied; nothing was changed
      migrations/V2__second.sql:1: SET TRANSACTION applies before the first query, and with --atomic another migration comes before it in the transaction
      migrations/V3__third.sql:2: a read-only transaction cannot record the migration in the history table
      migrations/V3__third.sql:2: SET TRANSACTION applies before the first query, and with --atomic another migration comes before it in the transaction

    hint: apply without --atomic (MIGRATE_ATOMIC), or apply the migrations before this one first, with MIGRATE_TARGET
    hint: remove READ ONLY
    ");
    assert!(database.catalog().is_empty() && database.history().is_empty());
    let first = zerostarter_db(&database)
        .args(["migrate", "--atomic"])
        .migration("V1__first.sql", format!("{REPEATABLE}CREATE TABLE first ();"))
        .migration(
            "V2__second.sql",
            "CREATE TABLE second AS SELECT current_setting('transaction_isolation') AS level;",
        )
        .run();
    assert_eq!(first.status, 0, "{}", first.stderr);
    assert_eq!(database.rows("SELECT level FROM second"), ["repeatable read"]);
}
