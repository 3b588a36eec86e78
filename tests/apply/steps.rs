//! Migrations that do not run in one transaction: split around statements that cannot, and where a `COMMIT` stands.

use std::thread;
use std::time::Duration;

use insta::assert_snapshot;
use zerostarter_test_harness::{Command, Database, Pooler, Server, ServerOptions, poll, zerostarter_db};

const SOON: Duration = Duration::from_secs(30);

fn with_table() -> Database {
    let database = Server::shared().database();
    database.execute("CREATE TABLE t (a int, b int); CREATE TABLE log (n int)");
    database
}

fn migration(database: &Database, sql: &str) -> Command {
    zerostarter_db(database).migration("V1__steps.sql", sql)
}

fn log(database: &Database) -> Vec<String> {
    database.rows("SELECT n FROM log ORDER BY n")
}

fn comment(database: &Database) -> Vec<String> {
    database.rows("SELECT obj_description('refinery_schema_history'::regclass)")
}

fn indexes(database: &Database) -> Vec<String> {
    database.rows(
        "SELECT c.relname, i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
         WHERE i.indrelid = to_regclass('t') ORDER BY 1",
    )
}

#[track_caller]
fn applied(database: &Database, sql: &str) -> String {
    let run = migration(database, sql).run();
    assert_eq!(run.status, 0, "{sql}: {}", run.stderr);
    assert_eq!(database.history().len(), 1, "{sql}");
    assert_eq!(comment(database), [""], "{sql}");
    let check = migration(database, sql).arg("check").run();
    assert_eq!(check.status, 0, "{sql}: {}", check.stderr);
    run.stderr
}

/// Builds an index twice, around its drop.
const TWO_INDEXES: &str = "SET statement_timeout = 0;\n\
    INSERT INTO log VALUES (1);\n\
    DROP INDEX CONCURRENTLY IF EXISTS t_a;\n\
    CREATE INDEX CONCURRENTLY t_a ON t (a);\n\
    CREATE INDEX CONCURRENTLY t_b ON t (b);\n\
    INSERT INTO log VALUES (2);\n";

#[test]
fn statements_that_cannot_run_in_a_transaction_stand_beside_others() {
    let database = with_table();
    database.execute("CREATE INDEX t_a ON t (b)");
    assert_snapshot!(migration(&database, TWO_INDEXES).snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__steps in [ms], in 5 steps
    ");
    assert_eq!(indexes(&database), ["t_a|t", "t_b|t"]);
    assert_eq!(log(&database), ["1", "2"]);
    assert_eq!(comment(&database), [""]);
    assert_snapshot!(migration(&database, TWO_INDEXES).arg("plan").snapshot(), @"
    status: 0
    --- stdout
    -- nothing is pending
    --- stderr
    ");
}

#[test]
fn a_commit_in_the_middle_ends_the_transaction() {
    for sql in [
        "INSERT INTO log VALUES (1); COMMIT; CREATE INDEX CONCURRENTLY t_a ON t (a); INSERT INTO log VALUES (2);",
        "BEGIN; INSERT INTO log VALUES (1); COMMIT; CREATE INDEX CONCURRENTLY t_a ON t (a); BEGIN; INSERT INTO log VALUES (2); COMMIT;",
        "INSERT INTO log VALUES (1); COMMIT; CREATE INDEX CONCURRENTLY t_a ON t (a); BEGIN; INSERT INTO log VALUES (2);",
        "COMMIT; SET lock_timeout = '5s'; CREATE INDEX CONCURRENTLY t_a ON t (a); INSERT INTO log VALUES (1); INSERT INTO log VALUES (2);",
        "-- no-transaction\nINSERT INTO log VALUES (1); CREATE INDEX CONCURRENTLY t_a ON t (a); INSERT INTO log VALUES (2);",
    ] {
        let database = with_table();
        let stderr = applied(&database, sql);
        assert!(stderr.contains(" steps"), "{sql}: {stderr}");
        assert_eq!(log(&database), ["1", "2"], "{sql}");
        assert_eq!(indexes(&database), ["t_a|t"], "{sql}");
    }
    // Nothing follows, or nothing precedes: it is one transaction.
    for sql in [
        "INSERT INTO log VALUES (1); INSERT INTO log VALUES (2); COMMIT;",
        "COMMIT; BEGIN; INSERT INTO log VALUES (1); INSERT INTO log VALUES (2);",
    ] {
        let database = with_table();
        let stderr = applied(&database, sql);
        assert!(!stderr.contains(" steps"), "{sql}: {stderr}");
        assert_eq!(log(&database), ["1", "2"], "{sql}");
    }
}

#[test]
fn a_procedure_that_commits_may_be_called_after_a_commit() {
    let database = with_table();
    database.execute(
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (2); COMMIT; INSERT INTO log VALUES (3); END $$",
    );
    let sql = "INSERT INTO log VALUES (1);\nCOMMIT;\nCALL p();\n\
        DO $$ BEGIN INSERT INTO log VALUES (4); COMMIT; INSERT INTO log VALUES (5); END $$;\nINSERT INTO log VALUES (6);";
    applied(&database, sql);
    assert_eq!(log(&database), ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn an_enum_value_can_be_used_after_a_commit() {
    let database = with_table();
    applied(
        &database,
        "CREATE TYPE mood AS ENUM ('a'); COMMIT; ALTER TYPE mood ADD VALUE 'b'; SELECT 'b'::mood;",
    );
}

#[test]
fn the_settings_of_the_file_hold_in_every_step() {
    let database = with_table();
    database.execute("CREATE SCHEMA other; CREATE TABLE other.t (a int, b int)");
    applied(
        &database,
        "SET search_path = other;\nSELECT set_config('app.level', 'high', false);\n\
         INSERT INTO t VALUES (1);\nCREATE INDEX CONCURRENTLY t_b ON t (b);\nINSERT INTO t VALUES (2);\n\
         CREATE TABLE level AS SELECT current_setting('app.level') AS name;\nVACUUM t;\n",
    );
    assert_eq!(database.rows("SELECT a FROM other.t ORDER BY a"), ["1", "2"]);
    assert_eq!(database.rows("SELECT name FROM other.level"), ["high"]);
    assert_eq!(
        database.rows("SELECT indrelid::regclass FROM pg_index WHERE indexrelid = 'other.t_b'::regclass"),
        ["other.t"]
    );
    // SET LOCAL ends with its step, and the settings with the file.
    let database = with_table();
    let command = migration(
        &database,
        "SET LOCAL app.level = 'high'; VACUUM; CREATE TABLE level AS SELECT current_setting('app.level', true) AS name;",
    );
    let run = command
        .migration(
            "V2__next.sql",
            "CREATE TABLE path AS SELECT current_setting('search_path') AS name;",
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(database.rows("SELECT name FROM level"), [""]);
}

#[test]
fn rows_are_copied_in_a_step() {
    let database = with_table();
    applied(
        &database,
        "VACUUM t;\nCOPY log FROM stdin;\n1\n2\n\\.\nCREATE INDEX CONCURRENTLY t_a ON t (a);\nINSERT INTO log VALUES (3);",
    );
    assert_eq!(log(&database), ["1", "2", "3"]);
}

/// What failed is named with its place and what stays; the next run continues there.
#[test]
fn after_an_error_the_next_run_continues() {
    let database = with_table();
    let sql = "INSERT INTO log VALUES (1);\nVACUUM t;\nINSERT INTO log VALUES (2);\nINSERT INTO missing VALUES (3);\nVACUUM log;\n";
    assert_snapshot!(migration(&database, sql).snapshot(), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__steps failed
      relation "missing" does not exist (SQLSTATE 42P01)
       --> migrations/V1__steps.sql:4:13
      4 | INSERT INTO missing VALUES (3);
        |             ^
      steps 1 to 2 of 4 have run and stay; the next run continues with step 3
      nothing was applied before it
    "#);
    assert_eq!(log(&database), ["1"]);
    assert_eq!(
        database.rows(
            "SELECT obj_description('refinery_schema_history'::regclass) LIKE '%: 2 of 4 steps have run'"
        ),
        ["t"]
    );
    assert!(database.history().is_empty());
    // Only the file that was begun can be continued.
    let edited = migration(&database, &sql.replace("missing", "log"));
    assert_snapshot!(edited.snapshot(), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      migrations/V1__steps.sql was edited after 2 of its 4 steps had run

    hint: restore the file as it was; or undo those steps by hand, and run zerostarter-db resolve VERSION --pending to let the next run begin the new file
    ");
    assert_eq!(edited.run().status, 6);
    assert_eq!(log(&database), ["1"]);
    database.execute("CREATE TABLE missing (n int)");
    let run = migration(&database, sql).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("2 of the 4 steps"), "{}", run.stderr);
    assert_eq!(log(&database), ["1", "2"]);
    assert_eq!(comment(&database), [""]);
    assert_eq!(database.history().len(), 1);
}

#[test]
fn the_operator_lets_an_edited_file_begin_anew() {
    let database = with_table();
    let sql = "INSERT INTO log VALUES (1);\nVACUUM t;\nINSERT INTO missing VALUES (3);\n";
    assert_eq!(migration(&database, sql).run().status, 1);
    database.execute("DELETE FROM log; COMMENT ON COLUMN refinery_schema_history.name IS 'ours'");
    let edited = sql.replace("missing", "log");
    assert_eq!(migration(&database, &edited).run().status, 6);
    let resolve = migration(&database, &edited).args(["resolve", "1", "--pending", "--yes"]);
    let resolved = resolve.run();
    assert_eq!(resolved.status, 0, "{}", resolved.stderr);
    assert!(
        resolved
            .stdout
            .contains("remove the note that 2 of 3 steps of V1__steps have run"),
        "{}",
        resolved.stdout
    );
    applied(&database, &edited);
    assert_eq!(log(&database), ["1", "3"]);
}

/// Of a procedure nobody knows how far it came, so the operator decides about that step alone.
#[test]
fn an_interrupted_procedure_is_resolved_as_one_step() {
    let server = Server::start(ServerOptions::new());
    for (resolution, expected) in [("--applied", ["1", "2", "9"]), ("--pending", ["1", "2", "2"])] {
        let database = server.database();
        database.execute(
            "CREATE TABLE log (n int); CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (2); COMMIT; PERFORM pg_sleep(600); END $$",
        );
        let sql = "INSERT INTO log VALUES (1); COMMIT; CALL p(); INSERT INTO log VALUES (9);";
        let running = migration(&database, sql).start();
        poll(SOON, || (log(&database) == ["1", "2"]).then_some(())).expect("the procedure to commit");
        running.signal("KILL");
        let busy = "SELECT FROM pg_stat_activity WHERE query LIKE '%CALL p()%' AND pid <> pg_backend_pid()";
        poll(SOON, || database.rows(busy).is_empty().then_some(())).expect("the procedure to end");
        assert_eq!(migration(&database, sql).run().status, 6);
        database.execute(
            "CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (2); COMMIT; END $$",
        );
        let resolve = migration(&database, sql)
            .args(["resolve", "1", resolution, "--yes"])
            .run();
        assert_eq!(resolve.status, 0, "{}", resolve.stderr);
        assert!(database.history().is_empty());
        let stderr = applied(&database, sql);
        assert!(stderr.contains("continuing with the next"), "{stderr}");
        assert_eq!(log(&database)[..3], expected, "{resolution}");
    }
}

#[test]
fn a_role_that_does_not_own_the_history_table_is_warned() {
    let database = Server::shared().database();
    let role = database.role("");
    database.execute(&format!(
        "GRANT CREATE, USAGE ON SCHEMA public TO {role}; CREATE TABLE first ()"
    ));
    let first = zerostarter_db(&database)
        .migration("V1__first.sql", "SELECT 1;")
        .run();
    assert_eq!(first.status, 0, "{}", first.stderr);
    database.execute(&format!(
        "GRANT SELECT, INSERT ON refinery_schema_history TO {role}"
    ));
    let run = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .migration("V1__first.sql", "SELECT 1;")
        .migration(
            "V2__steps.sql",
            "CREATE TABLE mine (a int); CREATE INDEX CONCURRENTLY mine_a ON mine (a); CREATE TABLE more ();",
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("does not own the history table"),
        "{}",
        run.stderr
    );
    assert_eq!(database.history().len(), 2);
}

/// A lock conflict in the middle repeats that step alone.
#[test]
fn a_blocked_step_is_retried_alone() {
    let database = with_table();
    let session = database.session();
    session.execute("BEGIN; LOCK TABLE t");
    let sql = "INSERT INTO log VALUES (1); VACUUM log; ALTER TABLE t ADD c int;";
    let running = migration(&database, sql)
        .env("MIGRATE_LOCK_TIMEOUT", "200ms")
        .env("MIGRATE_LOCK_RETRIES", "100")
        .start();
    poll(SOON, || running.stderr().contains(" follows in ").then_some(())).expect("a retry");
    session.execute("COMMIT");
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(log(&database), ["1"]);
    assert_eq!(database.history().len(), 1);
}

#[test]
fn instances_that_start_at_the_same_time_run_each_step_once() {
    let server = Server::start(ServerOptions::new().setting("max_connections", "300"));
    let database = server.database();
    database.execute("CREATE TABLE t (a int, b int); CREATE TABLE log (n int)");
    let runs: Vec<_> = thread::scope(|scope| {
        let starts = || migration(&database, TWO_INDEXES).run();
        let all: Vec<_> = (0..64).map(|_| scope.spawn(starts)).collect();
        all.into_iter().map(|run| run.join().expect("a run")).collect()
    });
    for run in &runs {
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    let appliers = runs.iter().filter(|run| run.stderr.contains("applied V1__steps"));
    assert_eq!(appliers.count(), 1);
    assert_eq!(log(&database), ["1", "2"]);
    assert_eq!(indexes(&database), ["t_a|t", "t_b|t"]);
}

#[test]
fn steps_run_through_a_pool() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    database.execute("CREATE TABLE t (a int, b int); CREATE TABLE log (n int)");
    let pooler = Pooler::start(&server, 2);
    let sql =
        "INSERT INTO log VALUES (1); CREATE INDEX CONCURRENTLY t_a ON t (a); INSERT INTO log VALUES (2);";
    let run = migration(&database, sql)
        .env("POSTGRES_URL", database.url_through(pooler.port()))
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(log(&database), ["1", "2"]);
    // Settings would stay with other clients.
    let run = migration(&database, "SET app.level = 'high'; VACUUM t; SELECT 1;")
        .env(
            "POSTGRES_URL",
            format!("{}?pgbouncer=true", database.url_through(pooler.port())),
        )
        .run();
    assert_eq!(run.status, 2, "{}", run.stderr);
}

#[test]
fn atomic_refuses_steps() {
    let database = with_table();
    let command = migration(&database, "SELECT 1;\nVACUUM;\n").env("MIGRATE_ATOMIC", "yes");
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: 1 place in the pending migrations cannot be applied; nothing was changed
      migrations/V1__steps.sql:2: this migration runs in several steps, and --atomic applies all pending migrations in one transaction

    hint: apply without --atomic (MIGRATE_ATOMIC), or apply the migrations before this one first, with MIGRATE_TARGET
    ");
    assert!(database.history().is_empty());
}

#[test]
fn a_signal_names_the_steps_that_stay() {
    let database = with_table();
    let sql = "INSERT INTO log VALUES (1); VACUUM log; INSERT INTO log VALUES (2); SELECT pg_sleep(600);";
    let running = migration(&database, sql).start();
    let sleeping =
        "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    poll(SOON, || (!database.rows(sleeping).is_empty()).then_some(())).expect("the last step");
    running.signal("TERM");
    let run = running.wait();
    assert_eq!(run.status, 143, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("steps 1 to 2 of 3 have run and stay; the next run continues with step 3"),
        "{}",
        run.stderr
    );
    assert_eq!(log(&database), ["1"]);
}

/// Whatever the file is now, and whatever its name: what has run of it does not run again.
#[test]
fn a_file_that_was_begun_is_not_begun_again_under_another_form_or_name() {
    let database = with_table();
    let sql = "INSERT INTO log VALUES (1);\nCOMMIT;\nINSERT INTO missing VALUES (1);\n";
    assert_eq!(migration(&database, sql).run().status, 1);
    let whole = migration(&database, "INSERT INTO log VALUES (1);\n");
    let alone = migration(&database, "VACUUM log;\n");
    let renamed = zerostarter_db(&database).migration("V1__other.sql", sql);
    for command in [whole, alone, renamed] {
        let run = command.run();
        assert_eq!(run.status, 6, "{}", run.stderr);
        assert_eq!(command.arg("check").run().status, 6);
    }
    assert_eq!(log(&database), ["1"]);
    database.execute("CREATE TABLE missing (n int)");
    applied(&database, sql);
    assert_eq!(log(&database), ["1"]);
}

#[test]
fn a_role_of_the_file_does_not_write_our_notes() {
    let database = with_table();
    let role = database.role("");
    database.execute(&format!(
        "GRANT CREATE, USAGE ON SCHEMA public TO {role}; GRANT INSERT ON log TO {role}; \
         CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); COMMIT; END $$"
    ));
    applied(
        &database,
        &format!(
            "SET ROLE {role}; CREATE TABLE mine (a int); CREATE INDEX CONCURRENTLY mine_a ON mine (a); \
             COMMIT; CALL p(); CREATE TABLE more (a int);"
        ),
    );
    let owner =
        "SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE relname IN ('mine', 'more')";
    assert_eq!(database.rows(owner), ["f", "f"]);
    assert_eq!(log(&database), ["1"]);
}

#[test]
fn temporary_tables_outlive_a_procedure() {
    let database = with_table();
    database.execute(
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); COMMIT; END $$",
    );
    applied(
        &database,
        "CREATE TEMP TABLE kept AS SELECT 7 AS n; COMMIT; CALL p(); INSERT INTO log SELECT n FROM kept;",
    );
    assert_eq!(log(&database), ["1", "7"]);
}
