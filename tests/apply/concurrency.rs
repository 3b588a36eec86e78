//! Several migrators at once, locks of others, and whose work it is in the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use insta::assert_snapshot;
use tokio::time::Instant;
use zerostarter_connect::connect::connect;
use zerostarter_migrate::ledger::{self, Ledger, advisory_key};

use zerostarter_test_harness::{Database, Server, ServerOptions, poll, rounds, zerostarter_db};

use crate::library::config;

const SOON: Duration = Duration::from_secs(30);

fn hold_the_lock(database: &Database) -> zerostarter_test_harness::Session {
    let session = database.session();
    session.execute(&format!(
        "BEGIN; SELECT pg_advisory_xact_lock({})",
        advisory_key(Ledger::Refinery, "public")
    ));
    session
}

#[test]
#[expect(clippy::print_stderr, reason = "a figure for who reads the test's output")]
fn instances_that_start_at_the_same_time_all_succeed_and_apply_once() {
    // A server of its own: 64 copies take most of the 100 connections that it has.
    let server = Server::start(ServerOptions::new());
    let mut extra = Vec::new();
    for round in 0..rounds() {
        let (database, other) = (server.database(), server.database());
        let started = Instant::now();
        assert_eq!(zerostarter_db(&other).run().status, 0);
        let alone = started.elapsed();
        let started = Instant::now();
        let copies: Vec<_> = (0..64).map(|_| zerostarter_db(&database).start()).collect();
        let runs: Vec<_> = copies.into_iter().map(|copy| copy.wait()).collect();
        extra.push(started.elapsed().saturating_sub(alone));
        for run in &runs {
            assert_eq!(run.status, 0, "round {round}: {}", run.stderr);
        }
        let log: String = runs.iter().map(|run| run.stderr.as_str()).collect();
        for name in ["applied V0000__zero_starter in", "applied V0001__waitlist in"] {
            assert_eq!(log.matches(name).count(), 1, "round {round}: {log}");
        }
        assert_eq!(database.history().len(), 2);
        assert_eq!(database.catalog(), other.catalog(), "round {round}");
    }
    extra.sort();
    let (median, worst) = (extra[extra.len() / 2], extra[extra.len() - 1]);
    eprintln!(
        "64 copies took longer than one: {median:?} (median), {worst:?} (worst of {})",
        extra.len()
    );
    // How long they take is the machine's affair; that none waits out a timeout is ours.
    assert!(worst < Duration::from_secs(10), "{extra:?}");
}

/// Each lookup of a name sees the catalog of its own moment. So a run that reads while another one creates the history table
/// could take it for that of another schema, or for one without the INSERT privilege.
#[test]
fn a_history_table_that_is_being_created_exists_or_does_not() {
    let database = Server::shared().database();
    let config = config(&database).migrate;
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
            let connection = connect(&config.database, Instant::now() + SOON)
                .await
                .expect("a connection");
            let (mut with, mut without, mut wrong) = (0, 0, 0);
            while with < 5 || with + without < 3000 {
                let snapshot = ledger::read(connection.client(), &config.snapshot_query(Ledger::Refinery))
                    .await
                    .expect("the state");
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
fn an_instance_waits_for_the_lock_without_a_transaction_and_continues_when_it_is_free() {
    let database = Server::shared().database();
    let holder = hold_the_lock(&database);
    let mut waiting = zerostarter_db(&database).start();
    waiting.wait_for_stderr("another migrator holds the lock; waiting for up to 10m");
    let between_attempts = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                         AND application_name = 'zerostarter-db' AND state = 'idle' AND backend_xmin IS NULL";
    assert!(poll(SOON, || (database.rows(between_attempts) == ["1"]).then_some(())).is_some());
    holder.execute("COMMIT");
    let run = waiting.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(database.history().len(), 2);
}

#[test]
fn an_instance_gives_up_if_the_lock_stays_taken() {
    let database = Server::shared().database();
    let _holder = hold_the_lock(&database);
    let command = zerostarter_db(&database).env("MIGRATE_LOCK_WAIT", "300ms");
    assert_snapshot!(command.snapshot(), @"
    status: 7
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  another migrator holds the lock; waiting for up to [duration]: pid [pid] (application harness, user postgres, idle in transaction, transaction open for [duration]), last statement: BEGIN; SELECT pg_advisory_xact_lock(3345345016611812582)
    error: gave up after [duration]: another migrator holds the lock
      blocked by: pid [pid] (application harness, user postgres, idle in transaction, transaction open for [duration]), last statement: BEGIN; SELECT pg_advisory_xact_lock(3345345016611812582)

    hint: let pid [pid] finish, terminate it with SELECT pg_terminate_backend([pid]), or raise MIGRATE_LOCK_WAIT
    ");
    assert!(database.catalog().is_empty());
}

const LOCK_TAKEN: &str = "another migrator holds the lock; waiting for up to";

/// `MIGRATE_LOCK_WAIT` is not used up by what else was waited for in between.
#[test]
fn attempts_at_a_blocked_table_are_no_wait_for_another_migrator() {
    let (database, table) = with_a_blocked_table();
    let holder = hold_the_lock(&database);
    let mut running = zerostarter_db(&database)
        .migration(BLOCKED.0, BLOCKED.1)
        .env("MIGRATE_LOCK_WAIT", "1500ms")
        .env("MIGRATE_LOCK_TIMEOUT", "20ms")
        .start();
    running.wait_for_stderr(LOCK_TAKEN);
    holder.execute("COMMIT");
    // The pauses up to then are at least 0.9 s, and the one that follows is another second.
    running.wait_for_stderr("attempt 5 of 10 follows");
    let holder = hold_the_lock(&database);
    running.wait_for_stderr_times(LOCK_TAKEN, 2);
    holder.execute("COMMIT");
    table.execute("COMMIT");
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn a_reconnection_is_no_wait_for_another_migrator() {
    let database = Server::shared().database();
    let role = database.role("NOSUPERUSER");
    database.execute(&format!("GRANT ALL ON SCHEMA public TO {role}"));
    let holder = hold_the_lock(&database);
    let mut running = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .env("MIGRATE_LOCK_WAIT", "1500ms")
        .start();
    running.wait_for_stderr(LOCK_TAKEN);
    // There is no room for it when it comes back.
    database.execute(&format!(
        "ALTER ROLE {role} CONNECTION LIMIT 0; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
    ));
    running.wait_for_stderr("waiting for the database");
    database.execute(&format!(
        "SELECT pg_sleep(1.6); ALTER ROLE {role} CONNECTION LIMIT -1"
    ));
    running.wait_for_stderr_times(LOCK_TAKEN, 2);
    holder.execute("COMMIT");
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
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
fn what_another_instance_has_applied_is_not_applied_again() {
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

fn with_a_blocked_table() -> (Database, zerostarter_test_harness::Session) {
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
fn a_blocked_migration_gives_up_after_its_attempts() {
    let (database, _session) = with_a_blocked_table();
    let command = zerostarter_db(&database)
        .migration(BLOCKED.0, BLOCKED.1)
        .env("MIGRATE_LOCK_TIMEOUT", "1s")
        .env("MIGRATE_LOCK_RETRIES", "2");
    assert_snapshot!(command.snapshot(), @"
    status: 7
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] WARN  V1__blocked has waited [duration] for a lock on public.busy, blocked by: pid [pid] (application harness, user postgres, idle in transaction, transaction open for [duration]), last statement: BEGIN; LOCK TABLE busy
    [time] WARN  V1__blocked was rolled back: canceling statement due to lock timeout (SQLSTATE 55P03); attempt 2 of 2 follows in [duration]
    [time] WARN  V1__blocked has waited [duration] for a lock on public.busy, blocked by: pid [pid] (application harness, user postgres, idle in transaction, transaction open for [duration]), last statement: BEGIN; LOCK TABLE busy
    error: V1__blocked was blocked at each of 2 attempts
      canceling statement due to lock timeout (SQLSTATE 55P03)
      it waited for a lock on public.busy, blocked by: pid [pid] (application harness, user postgres, idle in transaction, transaction open for [duration]), last statement: BEGIN; LOCK TABLE busy

    hint: let pid [pid] finish, terminate it with SELECT pg_terminate_backend([pid]), or raise MIGRATE_LOCK_RETRIES
    ");
    assert_eq!(database.catalog(), ["table public.busy"]);
}

#[test]
fn a_role_that_may_not_see_the_blocker_is_told_what_it_needs() {
    let database = Server::shared().database();
    let role = database.role("NOSUPERUSER");
    database.execute(&format!(
        "GRANT ALL ON SCHEMA public TO {role}; CREATE TABLE busy (); ALTER TABLE busy OWNER TO {role}"
    ));
    let session = database.session();
    session.execute("BEGIN; LOCK TABLE busy");
    let command = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .migration(BLOCKED.0, BLOCKED.1)
        .env("MIGRATE_LOCK_TIMEOUT", "1s")
        .env("MIGRATE_LOCK_RETRIES", "1");
    assert_snapshot!(command.snapshot(), @"
    status: 7
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] WARN  V1__blocked has waited [duration] for a lock on public.busy, blocked by: pid [pid] (application harness, user postgres)
    error: V1__blocked was blocked at each of 1 attempts
      canceling statement due to lock timeout (SQLSTATE 55P03)
      it waited for a lock on public.busy, blocked by: pid [pid] (application harness, user postgres)

    hint: let pid [pid] finish, terminate it with SELECT pg_terminate_backend([pid]), or raise MIGRATE_LOCK_RETRIES
    hint: GRANT pg_read_all_stats to the role of the URL to see what such a session does
    ");
}

#[test]
fn a_blocking_prepared_transaction_is_named() {
    let server = Server::start(ServerOptions::new().setting("max_prepared_transactions", "1"));
    let database = server.database();
    database.execute("CREATE TABLE busy ()");
    database.execute("BEGIN; LOCK TABLE busy; PREPARE TRANSACTION 'forgotten'");
    let command = zerostarter_db(&database)
        .migration(BLOCKED.0, BLOCKED.1)
        .env("MIGRATE_LOCK_TIMEOUT", "1s")
        .env("MIGRATE_LOCK_RETRIES", "1");
    assert_snapshot!(command.snapshot(), @"
    status: 7
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] WARN  V1__blocked has waited [duration] for a lock on public.busy, blocked by: a prepared transaction (see pg_prepared_xacts)
    error: V1__blocked was blocked at each of 1 attempts
      canceling statement due to lock timeout (SQLSTATE 55P03)
      it waited for a lock on public.busy, blocked by: a prepared transaction (see pg_prepared_xacts)

    hint: COMMIT PREPARED or ROLLBACK PREPARED what pg_prepared_xacts lists
    ");
    database.execute("ROLLBACK PREPARED 'forgotten'");
}

#[test]
fn an_attempt_ends_when_its_lock_waits_add_up_to_the_budget() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE first (); CREATE TABLE second ()");
    let [first, second] = ["first", "second"].map(|table| {
        let session = database.session();
        session.execute(&format!("BEGIN; LOCK TABLE {table}"));
        session
    });
    let mut running = zerostarter_db(&database)
        .migration(
            "V1__two.sql",
            "ALTER TABLE first ADD a int; ALTER TABLE second ADD a int;",
        )
        .env("MIGRATE_LOCK_TIMEOUT", "none")
        .env("MIGRATE_LOCK_BUDGET", "3s")
        .env("MIGRATE_LOCK_RETRIES", "1")
        .start();
    running.wait_for_stderr("for a lock on public.first, blocked by: pid ");
    first.execute("SELECT pg_sleep(1); COMMIT");
    running.wait_for_stderr("for a lock on public.second, blocked by: pid ");
    let run = running.wait();
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(
        run.stderr.contains("used up MIGRATE_LOCK_BUDGET"),
        "{}",
        run.stderr
    );
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(database.rows(waits), ["0"]);
    second.execute("COMMIT");
    assert!(
        !database
            .catalog()
            .iter()
            .any(|line| line.starts_with("column public.first.a"))
    );
}

#[test]
fn a_blocked_migration_is_tried_again_until_it_succeeds() {
    let (database, session) = with_a_blocked_table();
    let mut running = zerostarter_db(&database)
        .migration(BLOCKED.0, BLOCKED.1)
        .env("MIGRATE_LOCK_TIMEOUT", "20ms")
        .start();
    running.wait_for_stderr("attempt 3 of 10 follows");
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
fn the_role_of_migrations_owns_what_they_create() {
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

    hint: set MIGRATE_ROLE to an existing role of which the login role is a member
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

    hint: set MIGRATE_ROLE to an existing role of which the login role is a member
    "#);
}

/// The end of a transaction that has been open for long is waited for outside of the queue: whoever comes to the
/// table meanwhile is not kept waiting.
#[test]
fn a_migration_does_not_queue_behind_a_long_running_transaction() {
    for (held, file, queues) in [
        ("SELECT FROM busy", "ALTER TABLE busy ADD a int;", true),
        ("SELECT FROM busy", "CREATE INDEX ON busy (id);", false),
        ("INSERT INTO busy VALUES (1)", "CREATE INDEX ON busy (id);", true),
        ("SELECT FROM busy", "DROP INDEX busy_id;", true),
        (
            "SELECT FROM busy",
            "CREATE TABLE new (id int REFERENCES busy (id));",
            false,
        ),
        (
            "UPDATE busy SET id = 2",
            "CREATE TABLE new (id int REFERENCES busy (id));",
            true,
        ),
    ] {
        let database = Server::shared().database();
        database.execute("CREATE TABLE busy (id int PRIMARY KEY); CREATE INDEX busy_id ON busy (id)");
        let session = database.session();
        session.execute("BEGIN");
        session.execute(held);
        let age = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND xact_start < clock_timestamp() - interval '300 ms'";
        poll(SOON, || (database.rows(age) == ["1"]).then_some(())).expect("it is old");
        let mut running = zerostarter_db(&database)
            .migration("V1__file.sql", file)
            .env("MIGRATE_LOCK_BUDGET", "300ms")
            .start();
        if queues {
            running.wait_for_stderr(
                "V1__file was rolled back: it did not queue behind a transaction older than MIGRATE_LOCK_BUDGET for a lock on public.busy",
            );
            running.wait_for_stderr("attempt 3 of 10 follows");
            assert!(!running.has_ended());
        }
        if queues {
            drop(session);
        }
        let run = running.wait();
        assert_eq!(run.status, 0, "{held}, {file}: {}", run.stderr);
        assert!(!run.stderr.contains("55P03"), "{held}, {file}: {}", run.stderr);
        assert_eq!(
            run.stderr.contains("did not queue"),
            queues,
            "{held}, {file}: {}",
            run.stderr
        );
    }
}

/// The statements do not name the table that they lock: its foreign key, partitions or view bring it along.
#[test]
fn a_migration_does_not_queue_for_tables_that_it_does_not_name() {
    let schema = "CREATE TABLE busy (id int PRIMARY KEY); CREATE TABLE posts (id int, busy int CONSTRAINT k REFERENCES busy);
        CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
        CREATE TABLE part_rest PARTITION OF parts DEFAULT; CREATE TABLE loose (id int);
        CREATE VIEW list AS SELECT id FROM posts; CREATE SCHEMA app;
        CREATE TABLE app.things (busy int REFERENCES busy); CREATE TABLE child () INHERITS (busy)";
    for (held, file, queues) in [
        ("busy", "DROP TABLE posts CASCADE", true),
        ("busy", "ALTER TABLE posts DROP CONSTRAINT k", true),
        ("busy", "ALTER TABLE posts DROP busy", true),
        ("busy", "DROP SCHEMA app CASCADE", true),
        ("posts", "TRUNCATE busy CASCADE", true),
        ("child", "ALTER TABLE busy ADD more int", true),
        (
            "part_rest",
            "CREATE TABLE part_2 PARTITION OF parts FOR VALUES IN (2)",
            true,
        ),
        (
            "parts",
            "CREATE TABLE part_2 PARTITION OF parts FOR VALUES IN (2)",
            true,
        ),
        (
            "part_rest",
            "ALTER TABLE parts ATTACH PARTITION loose FOR VALUES IN (2)",
            true,
        ),
        (
            "list",
            "CREATE OR REPLACE VIEW list AS SELECT id FROM posts WHERE true",
            true,
        ),
        ("busy", "ALTER TABLE busy SET (autovacuum_enabled = false)", false),
        ("busy", "ALTER TABLE busy CLUSTER ON busy_pkey", false),
        ("busy", "ALTER TABLE posts ADD more int", false),
    ] {
        let database = Server::shared().database();
        database.execute(schema);
        let session = database.session();
        session.execute(&format!("BEGIN; SELECT FROM {held}"));
        let age = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND xact_start < clock_timestamp() - interval '300 ms'";
        poll(SOON, || (database.rows(age) == ["1"]).then_some(())).expect("it is old");
        let mut running = zerostarter_db(&database)
            .migration("V1__file.sql", format!("{file};"))
            .env("MIGRATE_LOCK_BUDGET", "300ms")
            .start();
        if queues {
            running.wait_for_stderr(
                "V1__file was rolled back: it did not queue behind a transaction older than",
            );
            running.wait_for_stderr("attempt 3 of 10 follows");
            assert!(!running.has_ended());
            drop(session);
        }
        let run = running.wait();
        assert_eq!(run.status, 0, "{held}, {file}: {}", run.stderr);
        // It never waited in the queue of the table, where readers would have stood behind it.
        assert!(!run.stderr.contains("55P03"), "{held}, {file}: {}", run.stderr);
        assert!(
            !run.stderr.contains("has waited"),
            "{held}, {file}: {}",
            run.stderr
        );
        let stepped_aside = run.stderr.contains("did not queue");
        assert_eq!(stepped_aside, queues, "{held}, {file}: {}", run.stderr);
    }
}

/// Whether the table is free in the end is only known to one who asks for the lock.
#[test]
fn the_last_attempt_queues_behind_a_long_running_transaction() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE busy (id int)");
    let session = database.session();
    session.execute("BEGIN; SELECT FROM busy");
    let run = zerostarter_db(&database)
        .migration("V1__file.sql", "ALTER TABLE busy ADD a int;")
        .env("MIGRATE_LOCK_BUDGET", "1ms")
        .env("MIGRATE_LOCK_RETRIES", "2")
        .run();
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert_eq!(run.stderr.matches("did not queue").count(), 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("it waited for a lock on public.busy"),
        "{}",
        run.stderr
    );
}

/// What is asked about tables beforehand is asked as the role of the run.
#[test]
fn a_file_may_become_a_role_that_sees_more() {
    let database = Server::shared().database();
    let owner = database.role("");
    let login = database.role(&format!("NOINHERIT IN ROLE {owner}"));
    database.execute(&format!(
        "CREATE SCHEMA \"Closed\" AUTHORIZATION {owner}; CREATE TABLE \"Closed\".\"T\" (); \
         ALTER TABLE \"Closed\".\"T\" OWNER TO {owner}; GRANT CREATE ON SCHEMA public TO {login}"
    ));
    let run = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&login))
        .migration(
            "V1__file.sql",
            format!("SET LOCAL ROLE {owner}; ALTER TABLE \"Closed\".\"T\" ADD a int; DROP TABLE IF EXISTS none.such;"),
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}
