//! A missing database is created, also if the usual way there is closed.

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Server, ServerOptions};

fn at(server: &Server, database: &str) -> Command {
    let url = format!(
        "postgres://creator@127.0.0.1:{}/{database}?sslmode=disable",
        server.port()
    );
    Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", url)
        .env("MIGRATE_CREATE_DATABASE", "yes")
        .migration("V1__one.sql", "CREATE TABLE one ();")
}

fn server() -> Server {
    let server = Server::start(ServerOptions::new());
    server.execute("postgres", "CREATE ROLE creator LOGIN CREATEDB");
    server.execute("postgres", "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC");
    server
}

#[test]
fn template1_is_used_if_the_database_postgres_is_closed_or_missing() {
    let server = server();
    assert_snapshot!(at(&server, "first").snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  created the database first
    [time] INFO  1 of 1 migrations are pending in first, schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__one in [ms]
    ");
    let copies: Vec<_> = (0..8).map(|_| at(&server, "second").start()).collect();
    for copy in copies {
        let run = copy.wait();
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    server.execute("template1", "ALTER DATABASE postgres RENAME TO elsewhere");
    let run = at(&server, "third").run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    server.execute("template1", "ALTER DATABASE elsewhere RENAME TO postgres");
    server.execute("template1", "ALTER DATABASE postgres ALLOW_CONNECTIONS false");
    let run = at(&server, "fourth").run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn the_databases_that_were_tried_are_named() {
    let server = server();
    server.execute("postgres", "REVOKE CONNECT ON DATABASE template1 FROM PUBLIC");
    assert_snapshot!(at(&server, "other").snapshot(), @r#"
    status: 4
    --- stdout
    --- stderr
    error: the database other does not exist, and it can be created only from another database
      postgres: permission denied for database "postgres" (SQLSTATE 42501)
      template1: permission denied for database "template1" (SQLSTATE 42501)

    hint: as an administrator: CREATE DATABASE other, or GRANT CONNECT ON DATABASE postgres to the role of the URL
    "#);
}
