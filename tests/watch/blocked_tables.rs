//! What an app notices while a migration waits for tables that somebody has forgotten to let go of. pgbench is the app.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use zerostarter_test_harness::{Account, Command, Database, Pgbench, Server, poll, zerostarter_db};

/// How much longer than the budget a stall may be: the cancellation has to be asked for, the transaction rolled back,
/// and the app to be served again, all on a machine that is busy with other tests.
const TOLERANCE: Duration = Duration::from_secs(1);

const SOON: Duration = Duration::from_secs(30);

/// Reads and writes, alone and in transactions.
const APP: [&str; 4] = [
    "\\set id random(1, 20)\nUPDATE a SET n = n + 1 WHERE id = :id;\n\\sleep 5 ms\n",
    "\\set id random(1, 20)\nSELECT n FROM b WHERE id = :id;\n\\sleep 5 ms\n",
    "INSERT INTO c VALUES (0, 0);\n\\sleep 5 ms\n",
    "\\set id random(1, 20)\nBEGIN;\nUPDATE a SET n = n - 1 WHERE id = :id;\nUPDATE b SET n = n + 1 WHERE id = :id;\n\
     SELECT count(*) FROM c;\nEND;\n\\sleep 5 ms\n",
];

fn three_tables() -> Database {
    let database = Server::shared().database();
    for table in ["a", "b", "c"] {
        database.execute(&format!(
            "CREATE TABLE {table} (id int, n int); INSERT INTO {table} SELECT id, 0 FROM generate_series(1, 20) AS id"
        ));
    }
    database
}

fn migrate(database: &Database) -> Command {
    zerostarter_db(database).migration(
        "V1__three.sql",
        "ALTER TABLE a ADD more int;\nALTER TABLE b ADD more int;\nALTER TABLE c ADD more int;\n",
    )
}

/// Holds a table again and again, each time until a migration has waited for it for so long: a transaction that is
/// over before any timeout, but in the way. Ends when `done`.
fn hold_for(database: &Database, table: &str, wait: Duration, done: &AtomicBool) {
    let (holder, observer) = (database.session(), database.session());
    let has_waited = format!(
        "SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted \
         AND mode = 'AccessExclusiveLock' AND clock_timestamp() - waitstart >= interval '{} ms'",
        wait.as_millis()
    );
    while !done.load(Ordering::Relaxed) {
        holder.execute(&format!("BEGIN; SELECT FROM {table} LIMIT 1"));
        let is_over = || done.load(Ordering::Relaxed) || observer.rows(&has_waited) == ["1"];
        poll(SOON, || is_over().then_some(())).expect("a migration that waits");
        holder.execute("COMMIT");
    }
}

/// Two tables are held by transactions that end just before `lock_timeout`, the third by one that never ends and was
/// begun so long ago: without a budget a try would keep the app waiting for all three waits.
fn stall(lock_timeout: Duration, age: Duration, settings: &[(&str, &str)]) -> Account {
    let database = three_tables();
    let forgotten = database.session();
    forgotten.execute("BEGIN; SELECT FROM c LIMIT 1");
    let is_old = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'harness' \
         AND state = 'idle in transaction' AND xact_start < clock_timestamp() - interval '{} ms'",
        age.as_millis()
    );
    poll(SOON, || (database.rows(&is_old) == ["1"]).then_some(())).expect("an old transaction");
    let app = Pgbench::start(&database, 6, &APP);
    let done = AtomicBool::new(false);
    let run = thread::scope(|scope| {
        for table in ["a", "b"] {
            let (database, done) = (&database, &done);
            scope.spawn(move || hold_for(database, table, lock_timeout * 9 / 10, done));
        }
        let held = "SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_stat_activity USING (pid) \
                    WHERE datname = current_database() AND application_name = 'harness' \
                    AND relation IN ('a'::regclass, 'b'::regclass, 'c'::regclass)";
        poll(SOON, || (database.rows(held) == ["3"]).then_some(())).expect("three tables that are held");
        let command = settings
            .iter()
            .fold(migrate(&database), |command, (name, value)| {
                command.env(name, value)
            });
        let mut running = command.start();
        running.wait_for_stderr("attempt 3 of 10 follows");
        done.store(true, Ordering::Relaxed);
        forgotten.execute("COMMIT");
        running.wait()
    });
    let account = app.stop(&database);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("MIGRATE_LOCK_BUDGET"), "{}", run.stderr);
    for table in ["a", "b", "c"] {
        let column = format!("column public.{table}.more integer");
        assert!(database.catalog().contains(&column), "{}", run.stderr);
    }
    assert_eq!(database.history().len(), 1);
    account
}

#[test]
#[expect(clippy::print_stderr, reason = "a figure for who reads the test's output")]
fn an_app_never_stalls_for_longer_than_the_budget() {
    let short = [("MIGRATE_LOCK_TIMEOUT", "1s"), ("MIGRATE_LOCK_BUDGET", "1s")];
    for (lock_timeout, budget, settings) in [(2, 4, &[][..]), (1, 1, &short)] {
        let account = stall(Duration::from_secs(lock_timeout), Duration::ZERO, settings);
        eprintln!("a budget of {budget} s: {account:?}");
        let budget = Duration::from_secs(budget);
        assert!(account.longest < budget + TOLERANCE, "{account:?}");
        // It was in the way at all, and the app was served in between.
        assert!(account.longest > budget / 2, "{account:?}");
        assert!(account.transactions > 100, "{account:?}");
    }
}

/// Nobody queues behind a transaction that is older than the budget, and so nobody queues behind us.
#[test]
#[expect(clippy::print_stderr, reason = "a figure for who reads the test's output")]
fn an_app_does_not_notice_a_migration_that_waits_for_a_long_running_transaction() {
    let budget = [("MIGRATE_LOCK_BUDGET", "1500ms")];
    let account = stall(Duration::from_secs(2), Duration::from_millis(1500), &budget);
    eprintln!("behind an old transaction: {account:?}");
    assert!(account.longest < TOLERANCE, "{account:?}");
    assert!(account.transactions > 100, "{account:?}");
}

#[test]
fn tables_that_are_never_released_end_the_run_with_all_blockers() {
    let database = three_tables();
    let forgotten = [(); 3].map(|()| database.session());
    forgotten[0].execute("BEGIN; SELECT FROM b LIMIT 1");
    forgotten[1].execute("BEGIN; SELECT FROM b LIMIT 1");
    forgotten[2].execute("BEGIN; UPDATE c SET n = 1 WHERE id = 1");
    let app = Pgbench::start(&database, 6, &APP);
    let run = migrate(&database)
        .env("MIGRATE_LOCK_TIMEOUT", "700ms")
        .env("MIGRATE_LOCK_BUDGET", "1s")
        .env("MIGRATE_LOCK_RETRIES", "3")
        .run();
    let account = app.stop(&database);
    assert_eq!(run.status, 7, "{}", run.stderr);
    let verdict = run.stderr.split_once("error: ").expect("an error").1;
    assert!(
        verdict.starts_with("V1__three was blocked at each of 3 attempts"),
        "{verdict}"
    );
    assert!(
        verdict.contains("it waited for a lock on public.b, blocked by: "),
        "{verdict}"
    );
    for session in &forgotten[..2] {
        let pid = &session.rows("SELECT pg_backend_pid()")[0];
        assert!(
            verdict.contains(&format!("pid {pid} (application harness")),
            "{pid}: {verdict}"
        );
        assert!(
            verdict.contains(&format!("pg_terminate_backend({pid})")),
            "{pid}: {verdict}"
        );
    }
    assert!(
        account.longest < Duration::from_secs(1) + TOLERANCE,
        "{account:?}"
    );
    assert!(database.history().is_empty());
    let added = "SELECT count(*) FROM pg_attribute WHERE attname = 'more'";
    assert_eq!(database.rows(added), ["0"]);
}
