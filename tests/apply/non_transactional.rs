//! Files that run outside a transaction: what they do, and what becomes of them when they are interrupted.

use std::time::Duration;

use insta::assert_snapshot;

use zerostarter_test_harness::{
    Command, Database, Pooler, Running, Server, ServerOptions, Session, poll, rounds, zerostarter_db,
};

const SOON: Duration = Duration::from_secs(30);

fn with_table() -> Database {
    let database = Server::shared().database();
    database.execute(
        "CREATE TABLE busy (id int PRIMARY KEY, a int, b text); \
         INSERT INTO busy SELECT n, n % 7, n FROM generate_series(1, 1000) AS n",
    );
    database
}

fn with_index(database: &Database) -> Command {
    zerostarter_db(database)
        .migration("V1__first.sql", "CREATE TABLE first ();")
        .migration("V2__index.sql", INDEX)
        .migration("V3__last.sql", "CREATE TABLE last ();")
}

const INDEX: &str = "CREATE INDEX CONCURRENTLY busy_a ON busy (a ASC) WHERE b IS NOT NULL;";

fn history(database: &Database) -> Vec<String> {
    database.rows("SELECT version || ' ' || name FROM refinery_schema_history ORDER BY version")
}

fn indexes(database: &Database) -> Vec<String> {
    database.rows(
        "SELECT c.relname, i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
         WHERE i.indrelid = to_regclass('busy') AND NOT i.indisprimary ORDER BY 1",
    )
}

#[test]
fn an_index_is_built_concurrently_between_files_in_transactions() {
    let database = with_table();
    assert_snapshot!(with_index(&database).snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  3 of 3 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    [time] INFO  applied V2__index in [ms], without a transaction block
    [time] INFO  applied V3__last in [ms]
    ");
    assert_eq!(indexes(&database), ["busy_a|t"]);
    assert_eq!(history(&database), ["1 first", "2 index", "3 last"]);
    assert_eq!(with_index(&database).arg("check").run().status, 0);
}

#[test]
fn each_kind_does_what_it_says_and_is_recorded() {
    let database = with_table();
    database.execute(
        "CREATE INDEX old ON busy (b); CREATE INDEX worn ON busy (a, b); \
         CREATE TABLE \"Months\" (m int) PARTITION BY RANGE (m); \
         CREATE TABLE may PARTITION OF \"Months\" FOR VALUES FROM (5) TO (6)",
    );
    let node = |relation: &str| database.rows(&format!("SELECT pg_relation_filenode('{relation}')"));
    let (worn, heap) = (node("worn"), node("busy"));
    let files = [
        ("V1__drop.sql", "DROP INDEX CONCURRENTLY old;"),
        ("V2__reindex.sql", "REINDEX INDEX CONCURRENTLY public.worn;"),
        (
            "V3__detach.sql",
            "ALTER TABLE \"Months\" DETACH PARTITION may CONCURRENTLY;",
        ),
        (
            "V4__vacuum.sql",
            "-- to be rid of the dead\nVACUUM (ANALYZE) busy; -- done",
        ),
        ("V5__full.sql", "VACUUM FULL busy;"),
        ("V6__schema.sql", "REINDEX SCHEMA CONCURRENTLY public;"),
        (
            "V7__unique.sql",
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"By b\" ON ONLY public.busy (b);",
        ),
        ("V8__cluster.sql", "CLUSTER;"),
    ];
    let command = || {
        files
            .iter()
            .fold(zerostarter_db(&database), |command, (name, sql)| {
                command.migration(name, sql)
            })
    };
    let run = command().run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        run.stderr.matches("without a transaction block").count(),
        8,
        "{}",
        run.stderr
    );
    assert_eq!(indexes(&database), ["By b|t", "worn|t"]);
    assert_ne!(node("worn"), worn);
    assert_ne!(node("busy"), heap);
    assert_eq!(
        database.rows("SELECT relispartition FROM pg_class WHERE relname = 'may'"),
        ["f"]
    );
    assert_eq!(database.history().len(), 8);
    let again = command().run();
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
}

#[test]
fn the_plan_names_non_transactional_migrations() {
    let database = with_table();
    let plan = with_index(&database).arg("plan").run();
    assert!(
        plan.stdout
            .contains("V2__index.sql, without a transaction block\n")
            && plan.stdout.contains("V3__last.sql, in its own transaction\n"),
        "{}",
        plan.stdout
    );
}

/// The server has no history, and the guard may not create it: its transaction must not hold anything.
#[test]
fn the_first_file_of_all_may_be_one() {
    let database = Server::shared().database();
    let run = zerostarter_db(&database)
        .migration("V1__vacuum.sql", "VACUUM;")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(history(&database), ["1 vacuum"]);
}

/// What an earlier try can have left, and what comes of it: the index that is there in the end, and the line of the
/// log that says so.
#[test]
fn the_leftovers_of_an_earlier_attempt_decide_what_is_done() {
    for (left, status, expected, said) in [
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'busy_a'::regclass",
            0,
            "rebuilt",
            "dropping the invalid index public.busy_a that it left",
        ),
        (
            "SELECT 1",
            0,
            "kept",
            "V2__index is already done: the index public.busy_a exists, is valid, and has the definition of the file",
        ),
        (
            "DROP INDEX busy_a; CREATE INDEX busy_a ON busy (a) WHERE b IS NULL",
            6,
            "kept",
            "V2__index.sql is not in the history table, but the index public.busy_a already exists and has another definition",
        ),
        (
            "DROP INDEX busy_a; CREATE UNIQUE INDEX busy_a ON busy (id, a) WHERE b IS NOT NULL",
            6,
            "kept",
            "has another definition",
        ),
        (
            "DROP INDEX busy_a; CREATE TABLE other (a int); CREATE INDEX busy_a ON other (a)",
            6,
            "kept",
            "public.busy_a already exists and is no index of busy",
        ),
        (
            "DROP INDEX busy_a; CREATE TABLE busy_a ()",
            6,
            "kept",
            "public.busy_a already exists and is no index of busy",
        ),
    ] {
        let database = with_table();
        database.execute("CREATE INDEX busy_a ON busy (a) WHERE b IS NOT NULL");
        database.execute(left);
        let oid = || database.rows("SELECT 'busy_a'::regclass::oid");
        let before = oid();
        let run = with_index(&database).run();
        assert_eq!(run.status, status, "{left}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{left}: {}", run.stderr);
        assert_eq!(oid() == before, expected == "kept", "{left}");
        if status == 0 {
            assert_eq!(indexes(&database), ["busy_a|t"], "{left}");
            assert_eq!(history(&database).len(), 3, "{left}");
        } else {
            assert_eq!(history(&database), ["1 first"], "{left}");
        }
    }
}

/// Only the server knows that two ways to write an index mean the same.
#[test]
fn one_index_is_recognised_however_it_is_written() {
    for (there, file) in [
        ("ON busy (a)", "ON busy USING btree (a ASC NULLS LAST)"),
        ("ON busy (lower(b))", "ON ONLY public.busy ((LOWER(busy.b)))"),
        ("ON busy (a) INCLUDE (b)", "ON \"busy\"(a)INCLUDE(b)"),
        (
            "ON busy (b text_pattern_ops DESC)",
            "ON busy (b text_pattern_ops DESC NULLS FIRST)",
        ),
        (
            "ON busy (a) WITH (fillfactor = 70)",
            "ON busy (a) WITH (FILLFACTOR='70')",
        ),
        (
            "ON busy (a) WHERE a IN (1, 2)",
            "ON busy (a) WHERE a = ANY (ARRAY[1, 2])",
        ),
        ("ON busy USING hash (b)", "ON busy USING HASH (b) -- why not"),
    ] {
        let database = with_table();
        database.execute(&format!("CREATE INDEX \"The index\" {there}"));
        let run = zerostarter_db(&database)
            .migration(
                "V1__index.sql",
                format!("CREATE INDEX CONCURRENTLY \"The index\" {file};"),
            )
            .run();
        assert_eq!(run.status, 0, "{file}: {}", run.stderr);
        assert!(run.stderr.contains("is already done"), "{file}: {}", run.stderr);
    }
    for (there, file) in [
        ("ON busy (a)", "ON busy (a DESC)"),
        ("ON busy (a, b)", "ON busy (b, a)"),
        ("ON busy (b)", "ON busy (b COLLATE \"C\")"),
        ("ON busy (a)", "ON busy (a) WITH (fillfactor = 70)"),
        ("ON busy (b)", "ON busy USING hash (b)"),
        ("ON busy (b)", "ON busy (nothing)"),
    ] {
        let database = with_table();
        database.execute(&format!("CREATE INDEX i {there}"));
        let run = zerostarter_db(&database)
            .migration("V1__index.sql", format!("CREATE INDEX CONCURRENTLY i {file};"))
            .run();
        assert_eq!(run.status, 6, "{file}: {}", run.stderr);
    }
}

/// The comparison needs a temporary table. Where there may be none, a person has to look.
#[test]
fn an_index_that_cannot_be_compared_is_not_recorded() {
    let database = with_table();
    let owner = database.role("");
    database.execute(&format!(
        "ALTER TABLE busy OWNER TO {owner}; CREATE INDEX busy_a ON busy (a) WHERE b IS NOT NULL; \
         GRANT CREATE ON SCHEMA public TO {owner}; REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC",
        database.name()
    ));
    let command = || with_index(&database).env("POSTGRES_URL", database.url_as(&owner));
    let run = command().run();
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("cannot be compared with the index of the file: permission denied"),
        "{}",
        run.stderr
    );
    assert_eq!(history(&database), ["1 first"]);
    database.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'busy_a'::regclass");
    let run = command().run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(indexes(&database), ["busy_a|t"]);
}

#[test]
fn the_leftovers_of_other_statements_are_found_too() {
    let database = with_table();
    database.execute(
        "CREATE INDEX worn ON busy (a); CREATE INDEX worn_ccnew ON busy (a); \
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'worn_ccnew'::regclass; \
         CREATE TABLE months (m int) PARTITION BY RANGE (m); \
         CREATE TABLE may PARTITION OF months FOR VALUES FROM (5) TO (6); \
         CREATE TABLE june (m int)",
    );
    // Waits for this transaction after it has marked the partition.
    let reader = database.session();
    reader.execute("BEGIN; SELECT FROM months");
    let detaching = database.session();
    detaching.execute("SET statement_timeout = '300ms'");
    let (state, _) = detaching
        .try_execute("ALTER TABLE months DETACH PARTITION may CONCURRENTLY")
        .unwrap_err();
    assert_eq!(state, "57014");
    drop(reader);
    let run = zerostarter_db(&database)
        .migration("V1__gone.sql", "DROP INDEX CONCURRENTLY never_was;")
        .migration("V2__reindex.sql", "REINDEX TABLE CONCURRENTLY busy;")
        .migration(
            "V3__half.sql",
            "ALTER TABLE months DETACH PARTITION may CONCURRENTLY;",
        )
        .migration(
            "V4__whole.sql",
            "ALTER TABLE months DETACH PARTITION june CONCURRENTLY;",
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    for said in [
        "V1__gone is already done: the index never_was does not exist",
        "dropping the invalid index public.worn_ccnew that it left",
        "an earlier attempt at V3__half was interrupted: the detachment of may from months is pending; finishing it",
        "V4__whole is already done: june is already detached",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert_eq!(indexes(&database), ["worn|t"]);
    assert_eq!(
        database.rows("SELECT count(*) FROM pg_inherits WHERE inhparent = 'months'::regclass"),
        ["0"]
    );
}

/// An open transaction with a snapshot, for the end of which `CREATE INDEX CONCURRENTLY` waits.
fn snapshot_holder(database: &Database) -> Session {
    let holder = database.session();
    holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM busy");
    holder
}

/// Waits until the index is there and not valid: its builder waits for the holder of a snapshot.
fn wait_for_builder(database: &Database) {
    poll(SOON, || (indexes(database) == ["busy_a|f"]).then_some(())).expect("the index is being built");
}

fn building(database: &Database) -> Running {
    let running = with_index(database).start();
    wait_for_builder(database);
    running
}

/// Dropping what somebody is building would deadlock with the builder.
#[test]
fn an_operator_who_is_building_the_index_is_waited_for() {
    let database = with_table();
    let holder = snapshot_holder(&database);
    let operator = database.session();
    std::thread::scope(|scope| {
        let build = scope.spawn(|| {
            operator.try_execute("CREATE INDEX CONCURRENTLY busy_a ON busy (a) WHERE b IS NOT NULL")
        });
        wait_for_builder(&database);
        let impatient = with_index(&database).env("MIGRATE_LOCK_WAIT", "500ms").run();
        assert_eq!(impatient.status, 7, "{}", impatient.stderr);
        assert!(
            impatient.stderr.contains("blocked by: pid ")
                && impatient
                    .stderr
                    .contains("last statement: CREATE INDEX CONCURRENTLY busy_a"),
            "{}",
            impatient.stderr
        );
        let mut patient = with_index(&database).start();
        patient.wait_for_stderr(
            "another session runs this statement or builds an index on the same table; waiting for up to",
        );
        drop(holder);
        let run = patient.wait();
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(run.stderr.contains("V2__index is already done"), "{}", run.stderr);
        assert_eq!(build.join().expect("the operator"), Ok(()));
    });
    assert_eq!(indexes(&database), ["busy_a|t"]);
}

/// The transaction that holds the lock has neither a snapshot nor an id, for which the build would wait.
#[test]
fn a_build_does_not_wait_for_our_sessions() {
    let database = with_table();
    let holder = snapshot_holder(&database);
    let running = building(&database);
    let guards = "SELECT count(*), count(backend_xid), count(backend_xmin) FROM pg_stat_activity \
                  WHERE datname = current_database() AND state = 'idle in transaction' \
                  AND application_name = 'zerostarter-db'";
    assert_eq!(database.rows(guards), ["1|0|0"]);
    drop(holder);
    assert_eq!(running.wait().status, 0);
}

/// The budget is for locks behind which the app queues; a build in the background may take its time.
#[test]
fn a_build_waits_for_long_running_transactions_and_names_them() {
    let database = with_table();
    let holder = snapshot_holder(&database);
    let mut running = with_index(&database)
        .env("MIGRATE_LOCK_TIMEOUT", "100ms")
        .env("MIGRATE_LOCK_BUDGET", "100ms")
        .env("MIGRATE_STATEMENT_TIMEOUT", "100ms")
        .start();
    running.wait_for_stderr("V2__index has waited ");
    running.wait_for_stderr("for a transaction to end, blocked by: pid ");
    drop(holder);
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(indexes(&database), ["busy_a|t"]);
}

#[test]
fn a_statement_that_blocks_the_app_rolls_back() {
    let database = with_table();
    let session = database.session();
    session.execute("BEGIN; LOCK TABLE busy IN ROW EXCLUSIVE MODE");
    let command = || {
        zerostarter_db(&database)
            .migration("V1__full.sql", "VACUUM FULL busy;")
            .env("MIGRATE_LOCK_TIMEOUT", "300ms")
            .env("MIGRATE_LOCK_RETRIES", "2")
    };
    let run = command().run();
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(
        run.stderr.contains("(SQLSTATE 55P03)")
            && run.stderr.contains("a lock on public.busy, blocked by: pid "),
        "{}",
        run.stderr
    );
    drop(session);
    assert_eq!(command().run().status, 0);
}

#[test]
fn a_failed_statement_names_its_leftovers_and_the_next_run_recovers() {
    let database = with_table();
    let command = || {
        zerostarter_db(&database)
            .migration("V1__first.sql", "CREATE TABLE first ();")
            .migration(
                "V2__unique.sql",
                "-- one of each\nCREATE UNIQUE INDEX CONCURRENTLY busy_a\nON busy (a);",
            )
            // Which key is found first depends on the order of the scan.
            .filter(r"Key \(a\)=\(\d+\)", "Key (a)=([key])")
    };
    assert_snapshot!(command().snapshot(), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__unique failed
      could not create unique index "busy_a" (SQLSTATE 23505)
       --> migrations/V2__unique.sql:2:1
      2 | CREATE UNIQUE INDEX CONCURRENTLY busy_a
        | ^
      detail: Key (a)=([key]) is duplicated.
      it ran without a transaction block: it left an invalid index: public.busy_a; the next run drops it and starts again
      applied before it, and kept: V1__first
    "#);
    assert_eq!(indexes(&database), ["busy_a|f"]);
    database.execute("DELETE FROM busy WHERE id > 7");
    let run = command().run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(indexes(&database), ["busy_a|t"]);
    let broken = zerostarter_db(&database)
        .migration("V1__first.sql", "CREATE TABLE first ();")
        .migration(
            "V2__unique.sql",
            "-- one of each\nCREATE UNIQUE INDEX CONCURRENTLY busy_a\nON busy (a);",
        )
        .migration("V3__typo.sql", "CREATE INDEX CONCURRENTLY i\nON busy (nothing);")
        // From PostgreSQL 19 on the server names the column's place, before that the run names the statement's.
        .filter(r"(V3__typo\.sql):(?:1:1|2:10)\n.*\n.*\^", "$1:[place]");
    assert_snapshot!(broken.snapshot(), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 3 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V3__typo failed
      column "nothing" does not exist (SQLSTATE 42703)
       --> migrations/V3__typo.sql:[place]
      it ran without a transaction block: it left nothing
      nothing was applied before it
    "#);
}

#[test]
fn a_signal_cancels_it_and_names_the_leftovers() {
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let database = with_table();
        let holder = snapshot_holder(&database);
        let running = building(&database);
        running.signal(signal);
        let run = running.wait();
        assert_eq!(run.status, status, "{}", run.stderr);
        assert!(
            run.stderr.contains(
                "V2__index was cancelled: it left an invalid index: public.busy_a; the next run drops it"
            ),
            "{}",
            run.stderr
        );
        assert_eq!(indexes(&database), ["busy_a|f"]);
        drop(holder);
        let run = with_index(&database).run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(indexes(&database), ["busy_a|t"]);
    }
}

/// The server notices within a second that the program is gone; what it had built is invalid.
#[test]
fn after_a_kill_the_next_run_starts_again() {
    let database = with_table();
    let holder = snapshot_holder(&database);
    let running = building(&database);
    running.signal("KILL");
    assert_eq!(running.wait().status, 137);
    let mut heir = with_index(&database).start();
    heir.wait_for_stderr("dropping the invalid index public.busy_a");
    drop(holder);
    let run = heir.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(indexes(&database), ["busy_a|t"]);
    assert_eq!(history(&database).len(), 3);
}

/// Without the lock, another migrator could begin the same.
#[test]
fn the_statement_ends_with_the_connection_that_holds_the_lock() {
    let database = with_table();
    let holder = snapshot_holder(&database);
    let mut running = building(&database);
    let builder = "SELECT pid FROM pg_stat_activity WHERE query LIKE '/* zerostarter-db %' AND state = 'active' \
                   AND datname = current_database()";
    let before = database.rows(builder);
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' \
         AND application_name = 'zerostarter-db' AND datname = current_database()",
    );
    running.wait_for_stderr("lost the connection");
    poll(SOON, || (database.rows(builder) != before).then_some(())).expect("it was cancelled");
    drop(holder);
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(indexes(&database), ["busy_a|t"]);
}

#[test]
fn the_defaults_of_role_and_database_do_not_matter() {
    let server = Server::start(ServerOptions::new());
    for defaults in [
        "default_transaction_isolation = 'serializable'",
        "default_transaction_isolation = 'repeatable read'",
        "default_transaction_read_only = on",
        "statement_timeout = 200",
        "lock_timeout = 200",
        "idle_in_transaction_session_timeout = 200",
        "search_path = pg_temp",
        "standard_conforming_strings = off",
        "DateStyle = 'German'",
    ] {
        if defaults.starts_with("standard_conforming_strings") && !server.has_nonstandard_strings() {
            continue;
        }
        let database = server.database();
        database.execute("CREATE TABLE busy (id int PRIMARY KEY, a int, b text)");
        database.execute(&format!("ALTER DATABASE {} SET {defaults}", database.name()));
        let holder = server.session(database.name());
        holder.execute(
            "SET search_path = public; SET idle_in_transaction_session_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM busy",
        );
        let running = with_index(&database).start();
        let state = "SELECT indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
                     WHERE c.relname = 'busy_a'";
        let session = database.session();
        session.execute("SET search_path = public");
        let since = poll(SOON, || {
            (session.rows(state) == ["f"]).then(std::time::Instant::now)
        })
        .expect(defaults);
        // Longer than each of the timeouts.
        poll(SOON, || {
            (since.elapsed() > Duration::from_millis(600)).then_some(())
        })
        .expect("time to pass");
        drop(holder);
        let run = running.wait();
        assert_eq!(run.status, 0, "{defaults}: {}", run.stderr);
        assert_eq!(session.rows(state), ["t"], "{defaults}");
    }
}

#[test]
fn roles_and_schemas_are_those_of_the_other_files() {
    let database = Server::shared().database();
    let owner = database.role("");
    let login = database.role(&format!("IN ROLE {owner}"));
    database.execute(&format!(
        "CREATE SCHEMA \"My app\" AUTHORIZATION {owner}; GRANT {owner} TO {login}"
    ));
    let run = zerostarter_db(&database)
        .env(
            "POSTGRES_URL",
            format!("{}&schema=My%20app", database.url_as(&login)),
        )
        .env("MIGRATE_ROLE", &owner)
        .migration("V1__table.sql", "CREATE TABLE t (a int);")
        .migration("V2__index.sql", "CREATE INDEX CONCURRENTLY i ON t (a);")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        database
            .rows("SELECT relnamespace::regnamespace, relowner::regrole FROM pg_class WHERE relname = 'i'"),
        [format!("\"My app\"|{owner}")]
    );
}

/// Each copy that finds the lock taken closes its transaction: one that waited inside of it would have a snapshot,
/// for which the build would wait in turn.
#[test]
fn instances_that_start_during_a_build_under_load_all_succeed() {
    for _ in 0..rounds() {
        let database = with_table();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (database, stop) = (&database, &stop);
                scope.spawn(move || {
                    let session = database.session();
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        session.execute(&format!(
                            "UPDATE busy SET a = a + 1 WHERE id % 4 = {writer} AND id < 200"
                        ));
                    }
                });
            }
            let copies: Vec<_> = (0..16).map(|_| with_index(&database).start()).collect();
            let runs: Vec<_> = copies.into_iter().map(Running::wait).collect();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            let log: String = runs.iter().map(|run| run.stderr.as_str()).collect();
            for run in &runs {
                assert_eq!(run.status, 0, "{log}");
            }
            assert_eq!(log.matches("applied V2__index in").count(), 1, "{log}");
            assert!(!log.contains("40P01"), "{log}");
        });
        assert_eq!(indexes(&database), ["busy_a|t"]);
        assert_eq!(history(&database).len(), 3);
    }
}

fn through(pooler: &Pooler, database: &Database) -> Command {
    with_index(database).env("POSTGRES_URL", database.url_through(pooler.port()))
}

fn behind(server: &Server) -> Database {
    let database = server.database();
    database.execute("CREATE TABLE busy (id int PRIMARY KEY, a int, b text)");
    database
}

#[test]
fn a_pool_with_a_second_connection_is_enough() {
    let server = Server::start(ServerOptions::new());
    for size in [2, 20] {
        let database = behind(&server);
        let pooler = Pooler::start(&server, size);
        let copies: Vec<_> = (0..16).map(|_| through(&pooler, &database).start()).collect();
        for run in copies.into_iter().map(Running::wait) {
            assert_eq!(run.status, 0, "a pool of {size}: {}", run.stderr);
        }
        assert_eq!(indexes(&database), ["busy_a|t"], "a pool of {size}");
        assert_eq!(history(&database).len(), 3, "a pool of {size}");
        let left = "SELECT count(*) FROM pg_settings WHERE source = 'session' AND name LIKE '%timeout'";
        let next = Session::open_tcp(pooler.port(), database.name());
        assert_eq!(next.rows(left), ["0"], "a pool of {size}");
    }
}

/// With one, the statement would wait for the connection on which its own guard sits.
#[test]
fn a_pool_without_a_second_connection_is_named_before_anything_is_changed() {
    let server = Server::start(ServerOptions::new());
    let database = behind(&server);
    let pooler = Pooler::start(&server, 1);
    let command = || through(&pooler, &database).env("MIGRATE_WAIT", "1s");
    let filtered = command().filter("127.0.0.1:[0-9]+", "[server]");
    assert_snapshot!(filtered.snapshot(), @"
    status: 3
    --- stdout
    --- stderr
    error: CREATE INDEX CONCURRENTLY needs a second connection, and none could be opened within [duration]
      it was opened, and the server did not answer

    hint: give the pool one more connection, or set POSTGRES_DIRECT_URL to a direct connection: a non-transactional migration needs two connections at once
    ");
    assert!(database.history().is_empty());
    // Files in transactions do not need it.
    assert_eq!(command().env("MIGRATE_TARGET", "1").run().status, 0);
}

/// A `SET` would stay behind in the pool, and a statement that runs alone has none in front of it.
#[test]
fn a_pool_whose_defaults_would_end_the_statement_early_is_refused() {
    let server = Server::start(ServerOptions::new());
    let database = behind(&server);
    database.execute(&format!(
        "ALTER DATABASE {} SET statement_timeout = '1h'",
        database.name()
    ));
    let pooler = Pooler::start(&server, 2);
    assert_snapshot!(through(&pooler, &database).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: CREATE INDEX CONCURRENTLY cannot run with the settings of this connection
      statement_timeout is 3600000

    hint: set POSTGRES_DIRECT_URL to a direct connection, or change the defaults of the role with ALTER ROLE … SET: a connection pooler does not pass settings on
    ");
    assert!(database.history().is_empty());
    let direct = through(&pooler, &database).env("POSTGRES_DIRECT_URL", database.url());
    assert_eq!(direct.run().status, 0);
}

/// Through a pooler the server is not told to look after its client, and goes on when that is killed.
#[test]
fn what_goes_on_behind_a_pooler_is_waited_for() {
    let server = Server::start(ServerOptions::new());
    let database = behind(&server);
    let pooler = Pooler::start(&server, 5);
    let holder = snapshot_holder(&database);
    let running = through(&pooler, &database).start();
    wait_for_builder(&database);
    running.signal("KILL");
    assert_eq!(running.wait().status, 137);
    let mut heir = through(&pooler, &database).start();
    heir.wait_for_stderr(
        "another session runs this statement or builds an index on the same table; waiting for up to",
    );
    drop(holder);
    let run = heir.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(indexes(&database), ["busy_a|t"]);
    assert_eq!(history(&database).len(), 3);
}

/// The comparison of an index that exists already needs a temporary table.
#[test]
fn a_role_without_temporary_tables_is_told_what_to_grant() {
    let database = Server::shared().database();
    let role = database.role("");
    database.execute(&format!(
        "GRANT CREATE ON SCHEMA public TO {role}; REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC; \
         CREATE TABLE t (a int); CREATE INDEX i ON t (a); ALTER TABLE t OWNER TO {role}",
        database.name()
    ));
    let run = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .migration("V1__index.sql", "CREATE INDEX CONCURRENTLY i ON t (a);")
        .run();
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(
        run.stderr.contains("GRANT TEMPORARY ON DATABASE") && !run.stderr.contains("drop or rename"),
        "{}",
        run.stderr
    );
}
