//! Where the system starts no further thread: a limit of processes for the user or the container.

use zerostarter_test_harness::{Command, Server, zerostarter_db};

#[test]
fn names_are_resolved_without_a_thread() {
    let database = Server::shared().database();
    let url = database.url().replace("127.0.0.1", "localhost");
    let command = zerostarter_db(&database).env("POSTGRES_URL", url);
    let Some(command) = command.with_one_process() else {
        return;
    };
    let run = command.run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(database.history().len(), 2);
}

#[test]
fn a_name_that_nobody_knows_is_an_error_and_no_panic() {
    let command = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", "postgres://me@nosuch.invalid/app?sslmode=disable")
        .env("MIGRATE_WAIT", "1ms");
    let Some(command) = command.with_one_process() else {
        return;
    };
    let run = command.run();
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(
        run.stderr.contains("failed to lookup address information"),
        "{}",
        run.stderr
    );
}

#[test]
fn many_files_are_read_without_a_thread() {
    let database = Server::shared().database();
    let command = (0..1_200).fold(zerostarter_db(&database).arg("check"), |command, version| {
        command.migration(&format!("V{version}__step.sql"), "SELECT 1;")
    });
    let Some(command) = command.with_one_process() else {
        return;
    };
    let run = command.run();
    assert_eq!(run.status, 5, "{}", run.stderr);
}
