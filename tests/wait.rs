//! `wait`, for pods that start beside the one that migrates.

use crate::harness::{Command, Proxy, Server, ServerOptions, zerostarter_db};

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
