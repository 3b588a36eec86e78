//! Several migrators at once, locks of others, and whose work it is in the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use insta::assert_snapshot;
use tokio::time::Instant;
use zerostarter_db::catalog;
use zerostarter_db::connect::connect;
use zerostarter_db::lock::advisory_key;

use crate::harness::{Database, Server, poll, zerostarter_db};

const SOON: Duration = Duration::from_secs(30);

fn hold_the_lock(database: &Database) -> crate::harness::Session {
    let session = database.session();
    session.execute(&format!(
        "BEGIN; SELECT pg_advisory_xact_lock({})",
        advisory_key("public")
    ));
    session
}

#[test]
fn copies_that_start_at_once_all_succeed_and_apply_once() {
    for round in 0..5 {
        let database = Server::shared().database();
        let copies: Vec<_> = (0..16).map(|_| zerostarter_db(&database).start()).collect();
        let runs: Vec<_> = copies.into_iter().map(|copy| copy.wait()).collect();
        for run in &runs {
            assert_eq!(run.status, 0, "round {round}: {}", run.stderr);
        }
        let log: String = runs.iter().map(|run| run.stderr.as_str()).collect();
        for name in ["applied V0000__zero_starter in", "applied V0001__waitlist in"] {
            assert_eq!(log.matches(name).count(), 1, "round {round}: {log}");
        }
        assert_eq!(database.history().len(), 2);
    }
}

/// Each look-up of a name sees the catalog of its own moment, so one that reads while another creates the
/// history could take it for that of another schema, or for one that it may not write.
#[test]
fn a_history_that_is_being_created_is_there_or_it_is_not() {
    let database = Server::shared().database();
    let config = database.config();
    let creator = database.session();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let history =
                "CREATE TABLE refinery_schema_history (version int4, name text, applied_on text, checksum text)";
            while !done.load(Ordering::Relaxed) {
                creator.execute(history);
                creator.execute("DROP TABLE refinery_schema_history");
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let wrong = runtime.block_on(async {
            let connection = connect(&config, Instant::now() + SOON)
                .await
                .expect("a connection");
            let (mut with, mut without, mut wrong) = (0, 0, 0);
            while with < 5 || with + without < 3000 {
                let snapshot = catalog::read(&connection, &config).await.expect("the state");
                *(if snapshot.history.is_some() {
                    &mut with
                } else {
                    &mut without
                }) += 1;
                if snapshot.history_elsewhere.is_some()
                    || (snapshot.history.is_some() && !snapshot.may_record)
                {
                    wrong += 1;
                }
            }
            wrong
        });
        done.store(true, Ordering::Relaxed);
        assert_eq!(wrong, 0);
    });
}

#[test]
fn a_copy_waits_for_the_lock_without_a_transaction_and_goes_on_when_it_is_free() {
    let database = Server::shared().database();
    let holder = hold_the_lock(&database);
    let mut waiting = zerostarter_db(&database).start();
    waiting.wait_for_stderr("another migrator holds the lock; waiting for it (for up to 10m)");
    let between_tries = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                         AND application_name = 'zerostarter-db' AND state = 'idle' AND backend_xmin IS NULL";
    assert!(poll(SOON, || (database.rows(between_tries) == ["1"]).then_some(())).is_some());
    holder.execute("COMMIT");
    let run = waiting.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(database.history().len(), 2);
}

#[test]
fn a_copy_gives_up_when_the_lock_stays_taken() {
    let database = Server::shared().database();
    let _holder = hold_the_lock(&database);
    let command = zerostarter_db(&database).env("MIGRATE_LOCK_WAIT", "300ms");
    assert_snapshot!(command.snapshot(), @"
    status: 7
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], should this have to be undone from a backup
    [time] INFO  another migrator holds the lock; waiting for it (for up to [duration])
    error: gave up after [duration]: another migrator holds the lock

    hint: find the other migrator (application_name zerostarter-db in pg_stat_activity), or raise MIGRATE_LOCK_WAIT
    ");
    assert!(database.catalog().is_empty());
}

#[test]
fn nothing_to_do_does_not_wait_for_the_lock() {
    let database = Server::shared().database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    let _holder = hold_the_lock(&database);
    assert_eq!(
        zerostarter_db(&database)
            .env("MIGRATE_LOCK_WAIT", "0")
            .run()
            .status,
        0
    );
}

/// A tool that takes no lock, such as refinery's own, gets in between.
#[test]
fn work_that_somebody_else_has_done_meanwhile_is_not_done_again() {
    let database = Server::shared().database();
    let holder = hold_the_lock(&database);
    let mut waiting = zerostarter_db(&database)
        .migration("V1__one.sql", "CREATE TABLE one ();")
        .start();
    waiting.wait_for_stderr("another migrator holds the lock");
    let other = Server::shared().database();
    assert_eq!(
        zerostarter_db(&other)
            .migration("V1__one.sql", "CREATE TABLE one ();")
            .run()
            .status,
        0
    );
    let row = other.rows("SELECT version, name, applied_on, checksum FROM refinery_schema_history")[0]
        .replace('|', "','");
    database.execute(&format!(
        "CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255)); \
         INSERT INTO refinery_schema_history VALUES ('{row}')"
    ));
    holder.execute("COMMIT");
    let run = waiting.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
    assert!(!database.catalog().contains(&"table public.one".to_owned()));
}

fn with_a_blocked_table() -> (Database, crate::harness::Session) {
    let database = Server::shared().database();
    database.execute("CREATE TABLE busy ()");
    let session = database.session();
    session.execute("BEGIN; LOCK TABLE busy");
    (database, session)
}

const BLOCKED: (&str, &str) = (
    "V1__blocked.sql",
    "CREATE TABLE free (); ALTER TABLE busy ADD a int;",
);

#[test]
fn a_blocked_migration_gives_up_after_its_tries() {
    let (database, _session) = with_a_blocked_table();
    let command = zerostarter_db(&database)
        .migration(BLOCKED.0, BLOCKED.1)
        .env("MIGRATE_LOCK_TIMEOUT", "50ms")
        .env("MIGRATE_LOCK_RETRIES", "2");
    assert_snapshot!(command.snapshot(), @"
    status: 7
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], should this have to be undone from a backup
    [time] WARN  V1__blocked was rolled back: canceling statement due to lock timeout (SQLSTATE 55P03); try 2 of 2 follows in [duration]
    error: V1__blocked was blocked at each of 2 tries
      canceling statement due to lock timeout (SQLSTATE 55P03)

    hint: look in pg_stat_activity for long transactions on the tables of this migration, or raise MIGRATE_LOCK_TIMEOUT or MIGRATE_LOCK_RETRIES
    ");
    assert_eq!(database.catalog(), ["table public.busy"]);
}

#[test]
fn a_blocked_migration_is_tried_again_until_it_succeeds() {
    let (database, session) = with_a_blocked_table();
    let mut running = zerostarter_db(&database)
        .migration(BLOCKED.0, BLOCKED.1)
        .env("MIGRATE_LOCK_TIMEOUT", "20ms")
        .start();
    running.wait_for_stderr("try 3 of 10 follows");
    session.execute("COMMIT");
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        database
            .catalog()
            .contains(&"column public.busy.a integer".to_owned())
    );
}

#[test]
fn the_role_of_migrations_owns_what_they_make() {
    let database = Server::shared().database();
    let owner = database.role("NOSUPERUSER");
    database.execute(&format!(
        "ALTER ROLE {owner} NOLOGIN; GRANT ALL ON SCHEMA public TO {owner}"
    ));
    let login = database.role("NOSUPERUSER NOINHERIT");
    database.execute(&format!("GRANT {owner} TO {login}"));
    let command = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&login))
        .env("MIGRATE_ROLE", &owner);
    for name in ["first run", "no-op"] {
        let run = command.run();
        assert_eq!(run.status, 0, "{name}: {}", run.stderr);
    }
    let owners = database.rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'");
    assert_eq!(owners, [owner]);
}

#[test]
fn a_role_that_cannot_be_taken_on_is_a_refusal() {
    let database = Server::shared().database();
    assert_snapshot!(zerostarter_db(&database).env("MIGRATE_ROLE", "nosuch").snapshot(), @r#"
    status: 4
    --- stdout
    --- stderr
    error: MIGRATE_ROLE cannot be used
      role "nosuch" does not exist (SQLSTATE 22023)

    hint: MIGRATE_ROLE has to name a role that there is and that the login role is a member of
    "#);
    let login = database.role("NOSUPERUSER");
    let command = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&login))
        .env("MIGRATE_ROLE", "postgres");
    assert_snapshot!(command.snapshot(), @r#"
    status: 4
    --- stdout
    --- stderr
    error: MIGRATE_ROLE cannot be used
      permission denied to set role "postgres" (SQLSTATE 42501)

    hint: MIGRATE_ROLE has to name a role that there is and that the login role is a member of
    "#);
}
