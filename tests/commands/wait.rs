//! `wait`, for pods that start beside the one that migrates.

use zerostarter_test_harness::{Command, Proxy, Server, ServerOptions, zerostarter_db};

fn one(command: Command) -> Command {
    command.migration("V1__one.sql", "CREATE TABLE one ();\n")
}

#[test]
fn wait_outlives_a_restart_of_the_server() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    let mut waiting = one(zerostarter_db(&database)).arg("wait").start();
    waiting.wait_for_stderr("waiting until V1__one is applied");
    server.restart();
    waiting.wait_for_stderr("lost the connection");
    assert_eq!(one(zerostarter_db(&database)).run().status, 0);
    let run = waiting.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

/// A proxy whose server is gone accepts every connection and drops it again.
#[test]
fn wait_ends_in_time_although_every_connection_is_dropped() {
    let database = Server::shared().database();
    // As far as the log-in and not much further: the first answer after it is cut off.
    let log_in = 800;
    let proxy = Proxy::builder().reset_after_bytes(log_in).start(database.port());
    let run = one(zerostarter_db(&database))
        .env("POSTGRES_URL", database.url_through(proxy.port()))
        .args(["wait", "--timeout", "2s"])
        .run();
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("lost the connection"), "{}", run.stderr);
    assert!(proxy.connections() < 20, "{} connections", proxy.connections());
}

#[test]
fn wait_reports_a_conflict_at_once() {
    let database = Server::shared().database();
    assert_eq!(one(zerostarter_db(&database)).run().status, 0);
    let edited = zerostarter_db(&database)
        .migration("V1__one.sql", "CREATE TABLE uno ();\n")
        .migration("V2__two.sql", "")
        // Longer than the harness lets a program run.
        .args(["wait", "--timeout", "1h"]);
    assert_eq!(edited.run().status, 6);
}

#[test]
fn several_that_wait_are_all_let_go() {
    let database = Server::shared().database();
    let mut waiting: Vec<_> = (0..3)
        .map(|_| one(zerostarter_db(&database)).arg("wait").start())
        .collect();
    for running in &mut waiting {
        running.wait_for_stderr("waiting until V1__one is applied");
    }
    assert_eq!(one(zerostarter_db(&database)).run().status, 0);
    for running in waiting {
        assert_eq!(running.wait().status, 0);
    }
}

/// A rolling deploy that has migrations to spare: what is above the target is nobody's business yet.
#[test]
fn what_is_above_the_target_is_not_asked_for() {
    let database = Server::shared().database();
    let command = || one(zerostarter_db(&database)).migration("V2__two.sql", "CREATE TABLE two ();");
    assert_eq!(command().env("MIGRATE_TARGET", "1").run().status, 0);
    for look in ["check", "wait"] {
        let look = || command().args([look]).env("WAIT_TIMEOUT", "100ms");
        assert_eq!(look().run().status, 5);
        assert_eq!(look().args(["--target", "2"]).run().status, 5);
        for up_to_one in [look().env("MIGRATE_TARGET", "1"), look().args(["--target", "1"])] {
            let run = up_to_one.run();
            assert_eq!(run.status, 0, "{}", run.stderr);
        }
        assert_eq!(look().env("MIGRATE_TARGET", "3").run().status, 2);
    }
}

#[test]
fn a_database_that_does_not_exist_yet_is_waited_for() {
    let server = Server::start(ServerOptions::new());
    let at_fresh = || {
        one(Command::bare())
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", server.url("fresh"))
    };
    assert_eq!(at_fresh().arg("check").run().status, 4);
    let run = at_fresh().args(["wait", "--timeout", "1s"]).run();
    assert_eq!(run.status, 4, "{}", run.stderr);
    assert!(
        run.stderr.contains("hint: create the database fresh"),
        "{}",
        run.stderr
    );
    let mut waiting = at_fresh().arg("wait").start();
    waiting.wait_for_stderr("waiting until the database fresh exists");
    assert_eq!(at_fresh().args(["migrate", "--create-database"]).run().status, 0);
    let run = waiting.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
}
