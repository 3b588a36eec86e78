//! What a run costs, and what it needs, when nothing is pending.

use zerostarter_test_harness::{Command, Database, Proxy, Server, ServerOptions, zerostarter_db};

fn migrated() -> Database {
    let database = Server::shared().database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    database
}

fn waits(database: &Database, command: Command) -> usize {
    let proxy = Proxy::start(database.port());
    let run = command
        .env("POSTGRES_URL", database.url_through(proxy.port()))
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    proxy.round_trips()
}

#[test]
fn nothing_to_do_takes_three_round_trips() {
    let database = migrated();
    assert_eq!(waits(&database, zerostarter_db(&database)), 3);
}

#[test]
fn a_first_run_takes_five_round_trips() {
    let database = Server::shared().database();
    assert_eq!(waits(&database, zerostarter_db(&database)), 5);
}

#[test]
fn each_pending_migration_takes_one_wait() {
    for count in [1, 3, 17] {
        let database = Server::shared().database();
        let mut command = zerostarter_db(&database);
        for version in 1..=count {
            command = command.migration(
                &format!("V{version}__t.sql"),
                format!("CREATE TABLE t{version} ();"),
            );
        }
        assert_eq!(waits(&database, command), count + 3, "{count} migrations");
    }
}

#[test]
fn a_role_that_may_only_read_the_history_is_enough() {
    let database = migrated();
    database.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC");
    let role = database.role("NOSUPERUSER");
    database.execute(&format!(
        "GRANT USAGE ON SCHEMA public TO {role}; GRANT SELECT ON refinery_schema_history TO {role}; \
         ALTER ROLE {role} SET default_transaction_read_only = on"
    ));
    for command in ["migrate", "check", "status", "plan", "wait"] {
        let run = zerostarter_db(&database)
            .env("POSTGRES_URL", database.url_as(&role))
            .arg(command)
            .run();
        assert_eq!(run.status, 0, "{command}: {}", run.stderr);
    }
}

#[test]
fn a_role_that_may_not_read_the_history_is_told_what_it_needs() {
    let database = migrated();
    let role = database.role("NOSUPERUSER");
    let command = zerostarter_db(&database).env("POSTGRES_URL", database.url_as(&role));
    insta::assert_snapshot!(command.snapshot(), @"
    status: 4
    --- stdout
    --- stderr
    error: the history table cannot be read
      permission denied for table refinery_schema_history (SQLSTATE 42501)

    hint: as the owner of the history table: GRANT SELECT ON refinery_schema_history to this role, and USAGE on its schema
    ");
}

/// A transaction number is only given out to a transaction that writes.
#[test]
fn nothing_is_written_and_no_lock_is_asked_for() {
    let server = Server::start(
        ServerOptions::new()
            .setting("log_statement", "all")
            .setting("autovacuum", "off"),
    );
    let database = server.database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    let next = "SELECT pg_snapshot_xmax(pg_current_snapshot())";
    let (before, log_before) = (database.rows(next), server.log().len());
    assert_eq!(zerostarter_db(&database).run().status, 0);
    assert_eq!(database.rows(next), before);
    let log = server.log().split_off(log_before);
    for word in ["CREATE", "INSERT", "advisory", "LOCK TABLE", "BEGIN"] {
        let is_there = log
            .lines()
            .any(|line| line.contains("statement:") && line.contains(word));
        assert!(!is_there, "{word} in {log}");
    }
}

#[test]
fn a_standby_with_nothing_pending_is_as_good_as_its_primary() {
    let primary = Server::start(ServerOptions::new());
    primary.execute("postgres", "CREATE DATABASE app");
    let url = primary.url("app");
    let command = Command::bare().env("NODE_ENV", "test");
    assert_eq!(command.env("POSTGRES_URL", &url).run().status, 0);
    let standby = Server::start_standby_of(&primary);
    let on_standby = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", standby.url("app"));
    let run = on_standby.run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}
