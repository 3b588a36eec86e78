//! Through PgBouncer in transaction mode, where each transaction may run on another server connection, and where
//! what is left behind on one is somebody else's problem.

use std::time::{Duration, Instant};

use zerostarter_migrate::ledger::{Ledger, advisory_key};

use zerostarter_test_harness::{
    Command, Database, Pooler, Server, ServerOptions, Session, poll, zerostarter_db,
};

const SOON: Duration = Duration::from_secs(30);

fn through(pooler: &Pooler, database: &Database) -> Command {
    zerostarter_db(database).env("POSTGRES_URL", database.url_through(pooler.port()))
}

fn locks_left(database: &Database) -> Vec<String> {
    database.rows(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
}

/// What a session's connection has that a new one has not.
fn left_behind(session: &Session) -> Vec<String> {
    session.rows(
        "SELECT name || '=' || setting FROM pg_settings WHERE source = 'session' \
           AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', \
             'standard_conforming_strings', 'transaction_isolation', 'transaction_read_only', 'transaction_deferrable') \
         UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements \
         UNION ALL SELECT 'role ' || current_user WHERE current_user <> session_user \
         UNION ALL SELECT 'zerostarter_db.transaction' \
           WHERE current_setting('zerostarter_db.transaction', true) <> ''",
    )
}

#[test]
fn instances_share_a_pool_of_any_size() {
    let server = Server::start(ServerOptions::new());
    for size in [1, 2, 20] {
        let database = server.database();
        let pooler = Pooler::start(&server, size);
        let copies: Vec<_> = (0..16).map(|_| through(&pooler, &database).start()).collect();
        let runs: Vec<_> = copies.into_iter().map(|copy| copy.wait()).collect();
        let log: String = runs.iter().map(|run| run.stderr.as_str()).collect();
        for run in &runs {
            assert_eq!(run.status, 0, "a pool of {size}: {}", run.stderr);
        }
        for name in ["applied V0000__zero_starter in", "applied V0001__waitlist in"] {
            assert_eq!(log.matches(name).count(), 1, "a pool of {size}: {log}");
        }
        assert_eq!(database.history().len(), 2);
        assert!(locks_left(&database).is_empty());
        assert_eq!(through(&pooler, &database).arg("check").run().status, 0);
    }
}

/// The pool has one connection, so that the next client is given the very one that was used.
#[test]
fn nothing_stays_on_a_connection_of_the_pool() {
    let server = Server::start(ServerOptions::new());
    for (name, file, status) in [
        ("a good file", "CREATE TABLE one ();", 0),
        (
            "settings by function",
            "SELECT set_config('search_path', 'pg_temp', false), set_config('work_mem', '1MB', false);",
            0,
        ),
        ("a role", "SET LOCAL ROLE pg_read_all_data;", 0),
        (
            "a failure after settings",
            "SELECT set_config('search_path', 'pg_temp', false); SELECT 1 / 0;",
            1,
        ),
        ("a syntax error", "CREATE TABEL one ();", 1),
    ] {
        let database = server.database();
        let pooler = Pooler::start(&server, 1);
        let command = || {
            through(&pooler, &database)
                .migration("V1__file.sql", file)
                .env("MIGRATE_STATEMENT_TIMEOUT", "1m")
        };
        let run = command().run();
        assert_eq!(run.status, status, "{name}: {}", run.stderr);
        let next = Session::open_tcp(pooler.port(), database.name());
        assert_eq!(left_behind(&next), Vec::<String>::new(), "{name}");
        assert!(locks_left(&database).is_empty(), "{name}");
    }
}

/// The connection that would look who is in the way is not to be had, and nothing hangs for want of it.
#[test]
fn a_blocked_table_is_given_up_also_with_one_connection() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    database.execute("CREATE TABLE busy ()");
    let session = database.session();
    session.execute("BEGIN; LOCK TABLE busy");
    let pooler = Pooler::start(&server, 1);
    let started = Instant::now();
    let run = through(&pooler, &database)
        .migration("V1__blocked.sql", "ALTER TABLE busy ADD a int;")
        .env("MIGRATE_LOCK_TIMEOUT", "1s")
        .env("MIGRATE_LOCK_RETRIES", "2")
        .run();
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(started.elapsed() < SOON);
    assert!(locks_left(&database).is_empty());
}

/// A copy that is killed takes its statement with it, and the next one does not wait for what is left of it. With a
/// pool of one connection more than once: whether PgBouncer notices the end used to be a matter of how the answers
/// before the statement fell into packets.
#[test]
fn the_next_instance_takes_over_soon_after_a_kill() {
    let server = Server::start(ServerOptions::new());
    for pool in [
        None,
        Some(1),
        Some(1),
        Some(1),
        Some(1),
        Some(1),
        Some(2),
        Some(20),
    ] {
        let database = server.database();
        let pooler = pool.map(|size| Pooler::start(&server, size));
        let command = || match &pooler {
            Some(pooler) => through(pooler, &database),
            None => zerostarter_db(&database),
        };
        let orphan = command()
            .migration("V1__orphan.sql", "CREATE TABLE orphan (); SELECT pg_sleep(60);")
            .start();
        let sleeps = "SELECT count(*) FROM pg_stat_activity \
                      WHERE datname = current_database() AND wait_event = 'PgSleep'";
        poll(SOON, || (database.rows(sleeps) == ["1"]).then_some(())).expect("it is under way");
        let ours = "SELECT count(*) FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name = 'zerostarter-db'";
        let is_watched = || match &pooler {
            // Its second connection waits for one of the pool, in vain.
            Some(pooler) if pool == Some(1) => Session::open_tcp(pooler.port(), "pgbouncer")
                .rows("SHOW POOLS")
                .iter()
                .any(|row| row.starts_with(&format!("{}|postgres|1|1|", database.name()))),
            _ => database.rows(ours) == ["2"],
        };
        poll(SOON, || is_watched().then_some(())).expect("it is watched");
        orphan.signal("KILL");
        let killed = Instant::now();
        assert_eq!(orphan.wait().status, 137);
        let run = command().migration("V1__heir.sql", "CREATE TABLE heir ();").run();
        let took = killed.elapsed();
        assert_eq!(run.status, 0, "{pool:?}: {}", run.stderr);
        // Two seconds are what it is meant to take; the rest is for a machine that is busy with other tests.
        assert!(took < Duration::from_secs(6), "{pool:?}: {took:?}");
        assert_eq!(
            database
                .catalog()
                .iter()
                .filter(|line| line.contains("orphan"))
                .count(),
            0
        );
        assert_eq!(
            database.rows("SELECT name FROM refinery_schema_history"),
            ["heir"]
        );
        assert!(locks_left(&database).is_empty());
    }
}

/// PgBouncer forgets the request to cancel of a client that does not stay for the end of it. It then closes the
/// server's connection with the client's, and the server rolls back when it notices that.
#[test]
fn a_signal_cancels_through_the_pooler_too() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    let pooler = Pooler::start(&server, 1);
    let mut running = through(&pooler, &database)
        .migration("V1__quick.sql", "CREATE TABLE quick ();")
        .migration("V2__slow.sql", "SELECT pg_sleep(60);")
        .start();
    running.wait_for_stderr("applied V1__quick");
    let sleeps = "SELECT count(*) FROM pg_stat_activity \
                  WHERE datname = current_database() AND wait_event = 'PgSleep'";
    poll(SOON, || (database.rows(sleeps) == ["1"]).then_some(())).expect("it is under way");
    running.signal("TERM");
    let run = running.wait();
    assert_eq!(run.status, 143, "{}", run.stderr);
    assert!(run.stderr.contains("  V2__slow was "), "{}", run.stderr);
    assert!(
        run.stderr.contains("applied, and kept: V1__quick"),
        "{}",
        run.stderr
    );
    poll(SOON, || (database.rows(sleeps) == ["0"]).then_some(())).expect("its end");
    poll(SOON, || locks_left(&database).is_empty().then_some(())).expect("the lock is free");
    assert_eq!(database.history().len(), 1);
    let key = advisory_key(Ledger::Refinery, "public");
    assert_eq!(
        database.rows(&format!("SELECT pg_try_advisory_lock({key})")),
        ["t"]
    );
}
