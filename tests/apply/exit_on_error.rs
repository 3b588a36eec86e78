//! With `exit_on_error`, every error ends the connection. It still is an error of the migration, not a lost connection.

use zerostarter_test_harness::{Command, Database, Pooler, Server, zerostarter_db};

fn database() -> (Database, String) {
    let database = Server::shared().database();
    let role = database.role("NOSUPERUSER");
    database.execute(&format!(
        "GRANT ALL ON SCHEMA public TO {role}; ALTER ROLE {role} SET exit_on_error = on"
    ));
    let url = database.url_as(&role);
    (database, url)
}

fn one(database: &Database, url: &str) -> Command {
    zerostarter_db(database)
        .env("POSTGRES_URL", url)
        .migration("V1__one.sql", "CREATE TABLE one (a int PRIMARY KEY);")
}

#[test]
fn it_does_not_hinder_a_run() {
    let (database, url) = database();
    for arguments in [&["check"][..], &["migrate"], &["migrate"], &["status"]] {
        let run = one(&database, &url).args(arguments.iter().copied()).run();
        let expected = if arguments == ["check"] { 5 } else { 0 };
        assert_eq!(run.status, expected, "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.contains("lost the connection"), "{}", run.stderr);
    }
}

#[test]
fn an_error_has_its_place_and_its_status() {
    for (sql, place) in [
        // The server finds it before the first statement, and so before any setting of ours.
        ("CREATE TABLE two ();\nCREAT TABLE three ();", "V2__next.sql:2"),
        ("CREATE TABLE two ();\n\nSELECT 1 / 0;", "V2__next.sql:3"),
        ("SET exit_on_error = on;\nSELECT 1 / 0;", "V2__next.sql:2"),
        ("COPY one FROM stdin;\n1\nx\n\\.\n", "V2__next.sql:3"),
        (
            "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON nosuch (a);",
            "V2__next.sql:2",
        ),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY i ON one ((1 / (a - a)));",
            "V2__next.sql",
        ),
    ] {
        let (database, url) = database();
        assert_eq!(one(&database, &url).run().status, 0);
        database.execute("INSERT INTO one VALUES (7)");
        let run = one(&database, &url).migration("V2__next.sql", sql).run();
        assert_eq!(run.status, 1, "{sql}: {}", run.stderr);
        assert!(run.stderr.contains(place), "{sql}: {}", run.stderr);
        assert!(
            !run.stderr.contains("lost the connection"),
            "{sql}: {}",
            run.stderr
        );
        assert_eq!(database.history().len(), 1, "{sql}");
    }
}

/// What the transaction script raises is found too: the lock of another migrator, a changed history.
#[test]
fn two_runs_at_the_same_time_apply_once() {
    let (database, url) = database();
    let runs: Vec<_> = (0..4).map(|_| one(&database, &url).start()).collect();
    for run in runs {
        let run = run.wait();
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(!run.stderr.contains("lost the connection"), "{}", run.stderr);
    }
    assert_eq!(database.history().len(), 1);
}

#[test]
fn a_pooler_gives_the_error_back() {
    let (database, _) = database();
    database.execute(&format!(
        "ALTER DATABASE {} SET exit_on_error = on",
        database.name()
    ));
    let pooler = Pooler::start(Server::shared(), 1);
    let url = database.url_through(pooler.port());
    assert_eq!(one(&database, &url).run().status, 0);
    let run = one(&database, &url)
        .migration("V2__next.sql", "SELECT 1;\nSELECT 1 / 0;")
        .run();
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(run.stderr.contains("V2__next.sql:2"), "{}", run.stderr);
}
