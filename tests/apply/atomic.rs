//! `--atomic`: all that is pending in one transaction, or nothing.

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Proxy, Server, zerostarter_db};

fn atomic(command: Command) -> Command {
    command.args(["migrate", "--atomic"])
}

#[test]
fn everything_is_applied_in_one_transaction_and_one_wait() {
    let database = Server::shared().database();
    let proxy = Proxy::builder().start(database.port());
    let run = atomic(zerostarter_db(&database))
        .env("POSTGRES_URL", database.url_through(proxy.port()))
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(proxy.round_trips(), 4);
    assert_eq!(
        database.rows("SELECT count(DISTINCT xmin::text) FROM refinery_schema_history"),
        ["1"]
    );
    let one_by_one = Server::shared().database();
    assert_eq!(zerostarter_db(&one_by_one).run().status, 0);
    assert_eq!(database.catalog(), one_by_one.catalog());
    let history = "SELECT version, name, checksum FROM refinery_schema_history ORDER BY 1";
    assert_eq!(database.rows(history), one_by_one.rows(history));
    let again = atomic(zerostarter_db(&database)).run();
    assert_eq!(again.status, 0);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
}

#[test]
fn one_that_fails_takes_the_others_with_it() {
    let database = Server::shared().database();
    let command = atomic(zerostarter_db(&database))
        .migration("V1__good.sql", "CREATE TABLE good (); -- the first\n")
        .migration(
            "V2__also.sql",
            "DO $$ BEGIN PERFORM 1; END $$; CREATE TABLE also ();",
        )
        .migration(
            "V3__bad.sql",
            "CREATE TABLE third ();\nCREATE TABLE bad (id nonsense);",
        )
        .migration("V4__never.sql", "CREATE TABLE never ();");
    assert_snapshot!(command.snapshot(), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  4 of 4 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V3__bad failed and was rolled back
      type "nonsense" does not exist (SQLSTATE 42704)
       --> migrations/V3__bad.sql:2:22
      2 | CREATE TABLE bad (id nonsense);
        |                      ^
      nothing was applied before it
    "#);
    assert!(database.catalog().is_empty());
}

/// No position is given for this one: the statement is found by counting those that were completed.
#[test]
fn an_error_without_a_position_is_found_in_its_file() {
    let database = Server::shared().database();
    let command = atomic(zerostarter_db(&database))
        .migration(
            "V1__good.sql",
            "CREATE TABLE n (id int);\nINSERT INTO n VALUES (0);",
        )
        .migration("V2__bad.sql", "SELECT 1;\n\nSELECT 1 / id FROM n;");
    assert_snapshot!(command.snapshot(), @"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V2__bad failed and was rolled back
      division by zero (SQLSTATE 22012)
       --> migrations/V2__bad.sql:3:1
      3 | SELECT 1 / id FROM n;
        | ^
      nothing was applied before it
    ");
}

#[test]
fn what_a_file_sets_does_not_reach_the_next() {
    let database = Server::shared().database();
    let run = atomic(zerostarter_db(&database))
        .migration(
            "V1__sets.sql",
            "CREATE SCHEMA other; SET search_path = other; SET ROLE pg_read_all_data; SET statement_timeout = 20;",
        )
        .migration("V2__next.sql", "SELECT pg_sleep(0.05); CREATE TABLE here ();")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(database.catalog().contains(&"table public.here".to_owned()));
}

#[test]
fn a_file_that_leaves_the_transaction_is_refused_as_ever() {
    let database = Server::shared().database();
    let run = atomic(zerostarter_db(&database))
        .migration("V1__good.sql", "CREATE TABLE good ();")
        .migration("V2__outside.sql", "CREATE INDEX CONCURRENTLY i ON good ((1));")
        .run();
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains(
            "V2__outside.sql:1: CREATE INDEX CONCURRENTLY cannot run in a transaction block, and --atomic applies"
        ),
        "{}",
        run.stderr
    );
    assert!(database.catalog().is_empty());
}

#[test]
fn a_new_value_of_an_enum_is_explained() {
    let database = Server::shared().database();
    let files = |command: Command| {
        command
            .migration("V1__type.sql", "CREATE TYPE mood AS ENUM ('sad');")
            .migration("V2__value.sql", "ALTER TYPE mood ADD VALUE 'happy';")
            .migration(
                "V3__use.sql",
                "CREATE TABLE people (mood mood DEFAULT 'happy'::mood);",
            )
    };
    assert_eq!(
        files(zerostarter_db(&database))
            .env("MIGRATE_TARGET", "1")
            .run()
            .status,
        0
    );
    let run = atomic(files(zerostarter_db(&database))).run();
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("(SQLSTATE 55P04)")
            && run
                .stderr
                .contains("hint: add the new enum value in a separate migration"),
        "{}",
        run.stderr
    );
    assert_eq!(files(zerostarter_db(&database)).run().status, 0);
}

#[test]
fn many_migrations_stop_at_the_target() {
    let database = Server::shared().database();
    let command = || {
        (1..=200).fold(zerostarter_db(&database), |command, version| {
            command.migration(
                &format!("V{version}__n.sql"),
                format!("CREATE TABLE IF NOT EXISTS n (id int); INSERT INTO n VALUES ({version});"),
            )
        })
    };
    assert_eq!(atomic(command()).env("MIGRATE_TARGET", "150").run().status, 0);
    assert_eq!(database.rows("SELECT count(*), max(id) FROM n"), ["150|150"]);
    assert_eq!(atomic(command()).run().status, 0);
    assert_eq!(database.rows("SELECT count(*), max(id) FROM n"), ["200|200"]);
}
