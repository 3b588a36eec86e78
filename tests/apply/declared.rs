//! Statements of which the file or the server says that they cannot run in a transaction block, and what the operator
//! decides after an interruption.

use insta::assert_snapshot;
use zerostarter_test_harness::{Command, Database, Pooler, Server, ServerOptions, poll, zerostarter_db};

use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn migration(database: &Database, sql: &str) -> Command {
    zerostarter_db(database)
        .migration("V1__log.sql", "CREATE TABLE log (a int);")
        .migration("V2__alone.sql", sql)
}

#[track_caller]
fn applied(database: &Database, sql: &str) -> String {
    let run = migration(database, sql).run();
    assert_eq!(run.status, 0, "{sql}: {}", run.stderr);
    assert_eq!(database.history().len(), 2, "{sql}");
    assert_eq!(comment(database), [""], "{sql}");
    run.stderr
}

fn comment(database: &Database) -> Vec<String> {
    database.rows("SELECT obj_description('refinery_schema_history'::regclass)")
}

/// A procedure that commits after each of its rows.
const PROCEDURE: &str = "CREATE TABLE steps (a int); CREATE PROCEDURE step(pause float) LANGUAGE plpgsql AS $$ BEGIN \
     FOR i IN 1..3 LOOP INSERT INTO steps VALUES (i); COMMIT; PERFORM pg_sleep(pause); END LOOP; END $$";

#[test]
fn what_the_server_refuses_in_a_transaction_runs_once_more_without_one() {
    for (before, sql) in [
        (PROCEDURE, "CALL step(0);"),
        (
            "",
            "DO $$ BEGIN INSERT INTO log VALUES (1); COMMIT; INSERT INTO log VALUES (2); END $$;",
        ),
        (
            "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2); CREATE INDEX pi ON p (a)",
            "REINDEX TABLE p;",
        ),
    ] {
        let database = Server::shared().database();
        database.execute(before);
        let log = applied(&database, sql);
        assert!(
            log.contains("running it once more without one") && log.contains(", without a transaction block"),
            "{sql}: {log}"
        );
    }
}

#[test]
fn a_replication_slot_is_created_in_its_transaction() {
    let server = Server::start(ServerOptions::new().setting("wal_level", "logical"));
    let database = server.database();
    applied(
        &database,
        "SELECT pg_create_logical_replication_slot('s', 'pgoutput');",
    );
    assert_eq!(database.rows("SELECT slot_name FROM pg_replication_slots"), ["s"]);
    database.execute("SELECT pg_drop_replication_slot('s')");
}

#[test]
fn subscriptions_run_without_a_transaction() {
    let server = Server::start(ServerOptions::new().setting("wal_level", "logical"));
    let (source, target) = (server.database(), server.database());
    source.execute("CREATE TABLE log (a int); CREATE PUBLICATION p FOR TABLE log");
    source.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
    let connection = format!(
        "host=127.0.0.1 port={} user=postgres dbname={}",
        source.port(),
        source.name()
    );
    let create = format!(
        "CREATE SUBSCRIPTION s CONNECTION '{connection}' PUBLICATION p WITH (create_slot = false, enabled = false);"
    );
    let refresh = "ALTER SUBSCRIPTION s REFRESH PUBLICATION;";
    let command = migration(&target, &create)
        .migration("V3__enable.sql", "ALTER SUBSCRIPTION s ENABLE;")
        .migration("V4__refresh.sql", refresh)
        .migration("V5__drop.sql", "DROP SUBSCRIPTION s;");
    let run = command.run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(target.history().len(), 5);
}

#[test]
fn the_first_line_says_that_a_statement_runs_without_a_transaction() {
    for line in [
        "-- zerostarter-db: no-transaction",
        "--no-transaction",
        "-- no-transaction because of the commits",
        "-- migrate:up transaction:false",
    ] {
        let database = Server::shared().database();
        database.execute(PROCEDURE);
        let log = applied(&database, &format!("{line}\nCALL step(0);\n"));
        assert!(!log.contains("once more"), "{line}: {log}");
        assert!(log.contains(", without a transaction block"), "{line}: {log}");
    }
    let database = Server::shared().database();
    let atomic = migration(&database, "-- no-transaction\nSELECT 1;\n")
        .env("MIGRATE_ATOMIC", "yes")
        .run();
    assert_eq!(atomic.status, 2, "{}", atomic.stderr);
    assert!(database.history().is_empty());
}

#[test]
fn an_error_after_a_commit_is_not_tried_again() {
    let database = Server::shared().database();
    let sql = "DO $$ BEGIN INSERT INTO log VALUES (1); COMMIT; PERFORM 1 / 0; END $$;";
    let run = migration(&database, sql).run();
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("what it committed before the error stays"),
        "{}",
        run.stderr
    );
    assert_eq!(database.rows("SELECT * FROM log"), ["1"]);
    // Nor by the next run.
    let next = migration(&database, sql).run();
    assert_eq!(next.status, 6, "{}", next.stderr);
    assert_eq!(database.rows("SELECT * FROM log"), ["1"]);

    // Of a statement that is wrong in itself, nothing has run.
    let database = Server::shared().database();
    for _ in 0..2 {
        let run = migration(&database, "-- no-transaction\nCALL missing();").run();
        assert_eq!(run.status, 1, "{}", run.stderr);
        assert_eq!(comment(&database), [""]);
    }
}

#[test]
fn lock_waits_do_not_repeat_what_was_committed() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE steps (a int); CREATE TABLE first (); CREATE TABLE second ()");
    let session = database.session();
    session.execute("BEGIN; LOCK TABLE first");
    let sql =
        "-- no-transaction\nDO $$ BEGIN INSERT INTO steps VALUES (1); COMMIT; LOCK TABLE first; END $$;";
    let run = migration(&database, sql)
        .env("MIGRATE_LOCK_BUDGET", "300ms")
        .env("MIGRATE_LOCK_TIMEOUT", "2s")
        .run();
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_eq!(database.rows("SELECT * FROM steps"), ["1"]);
}

/// A database on which a run was killed in the middle of the procedure, and the server has finished it.
fn interrupted(server: &Server) -> Database {
    let database = server.database();
    database.execute(PROCEDURE);
    let running = migration(&database, "-- no-transaction\nCALL step(0.3);").start();
    poll(SOON, || {
        (database.rows("SELECT count(*) FROM steps") != ["0"]).then_some(())
    })
    .expect("the first step");
    running.signal("KILL");
    poll(SOON, || {
        let busy = "SELECT FROM pg_stat_activity WHERE query LIKE '%step(0.3)%' AND pid <> pg_backend_pid()";
        database.rows(busy).is_empty().then_some(())
    })
    .expect("the server to end the procedure");
    database
}

#[test]
fn after_an_interruption_the_operator_decides() {
    let server = Server::start(ServerOptions::new());
    for (resolution, runs_again) in [("--applied", false), ("--pending", true)] {
        let database = interrupted(&server);
        database.execute("COMMENT ON COLUMN refinery_schema_history.name IS 'of others'");
        let command = || migration(&database, "-- no-transaction\nCALL step(0.3);");
        let before = database.rows("SELECT count(*) FROM steps");
        for _ in 0..2 {
            let output = command().snapshot();
            assert!(
                output.starts_with("status: 6\n") && output.contains("it may have run"),
                "{output}"
            );
        }
        assert_eq!(database.rows("SELECT count(*) FROM steps"), before);
        // Without a terminal nothing is changed before --yes.
        let asked = command().args(["resolve", "2", resolution]).run();
        assert_eq!(asked.status, 2, "{}", asked.stderr);
        assert_eq!(command().run().status, 6);
        let done = command().args(["resolve", "2", resolution, "--yes"]).run();
        assert_eq!(done.status, 0, "{}", done.stderr);
        assert!(done.stdout.contains("V2__alone"), "{}", done.stdout);
        let run = command().run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(database.history().len(), 2);
        assert_eq!(comment(&database), [""]);
        let after = database.rows("SELECT count(*) FROM steps");
        assert_eq!(after != before, runs_again, "{resolution}: {before:?} {after:?}");
    }
}

#[test]
fn the_comment_of_the_history_table_stays() {
    let database = Server::shared().database();
    assert_eq!(migration(&database, "SELECT 1;").run().status, 0);
    database.execute("COMMENT ON TABLE refinery_schema_history IS 'ours; do not touch'");
    let run = migration(&database, "SELECT 1;")
        .migration(
            "V3__declared.sql",
            "-- no-transaction\nINSERT INTO log VALUES (3);",
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(comment(&database), ["ours; do not touch"]);
}

#[test]
fn a_role_that_cannot_note_it_is_told_so() {
    let database = Server::shared().database();
    assert_eq!(migration(&database, "SELECT 1;").run().status, 0);
    let role = database.role("");
    database.execute(&format!(
        "GRANT SELECT, INSERT ON refinery_schema_history TO {role}; GRANT INSERT ON log TO {role}"
    ));
    let run = migration(&database, "SELECT 1;")
        .env("POSTGRES_URL", database.url_as(&role))
        .migration(
            "V3__declared.sql",
            "-- no-transaction\nINSERT INTO log VALUES (3);",
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("does not own the history table"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_resolve_cannot_do_is_said() {
    let database = Server::shared().database();
    let resolve = |arguments: &[&str]| {
        let command = migration(&database, "SELECT 1;").arg("resolve");
        command.args(arguments.iter().copied())
    };
    assert_snapshot!(resolve(&["2", "--applied", "--yes"]).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: there is no history table yet

    hint: run zerostarter-db migrate: it creates the table
    ");
    assert_eq!(migration(&database, "SELECT 1;").run().status, 0);
    assert_snapshot!(resolve(&["9", "--applied", "--yes"]).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: there is no migration with version 9

    hint: the newest migration is V2__alone
    ");
    assert_snapshot!(resolve(&["2", "--applied", "--yes"]).snapshot(), @"
    status: 0
    --- stdout
    nothing to change
    --- stderr
    ");
    assert_snapshot!(resolve(&["2", "--pending"]).snapshot(), @r#"
    status: 2
    --- stdout
    remove V2__alone from "public".refinery_schema_history: the next run applies it again
    --- stderr
    error: nothing was changed

    hint: add --yes to make these changes
    "#);
    assert_eq!(resolve(&["2"]).run().status, 2);
    assert_eq!(resolve(&["2", "--applied", "--pending"]).run().status, 2);
    assert_eq!(resolve(&["--applied"]).run().status, 2);
    let edited = migration(&database, "SELECT 2;")
        .args(["resolve", "2", "--applied", "--yes"])
        .run();
    assert_eq!(edited.status, 6, "{}", edited.stderr);
    let earlier = migration(&database, "SELECT 1;")
        .args(["resolve", "1", "--pending", "--yes"])
        .run();
    assert_eq!(earlier.status, 2, "{}", earlier.stderr);
    assert!(
        earlier.stderr.contains("V2__alone was applied after it"),
        "{}",
        earlier.stderr
    );
    // A row that is removed is applied again.
    assert_eq!(resolve(&["2", "--pending", "--yes"]).run().status, 0);
    assert_eq!(database.history().len(), 1);
    assert_eq!(migration(&database, "SELECT 1;").run().status, 0);
    assert_eq!(database.history().len(), 2);
}

/// Through a pool of one connection there is no second one.
#[test]
fn a_pool_of_one_has_no_second_connection() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    let pooler = Pooler::start(&server, 1);
    let sql = "DO $$ BEGIN INSERT INTO log VALUES (1); COMMIT; END $$;";
    let run = migration(&database, sql)
        .env("POSTGRES_URL", database.url_through(pooler.port()))
        .run();
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("second connection"), "{}", run.stderr);
    assert_eq!(database.rows("SELECT * FROM log"), Vec::<String>::new());
}

#[test]
fn a_migration_that_takes_its_server_process_down_is_named() {
    let server = Server::start(ServerOptions::new());
    for ends in [
        "SELECT pg_terminate_backend(pg_backend_pid());",
        "COPY log FROM PROGRAM 'kill -9 $PPID';",
    ] {
        let database = server.database();
        let run = migration(&database, ends).run();
        assert_eq!(run.status, 1, "{ends}: {}", run.stderr);
        assert!(
            run.stderr
                .contains("the connection was lost twice while V2__alone ran")
                && run.stderr.contains("applied before it, and kept: V1__log"),
            "{ends}: {}",
            run.stderr
        );
    }
}
