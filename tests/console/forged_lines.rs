//! Texts of servers, roles and files cannot look like lines of the log.

use insta::assert_snapshot;

use zerostarter_test_harness::{Server, ServerOptions, left_out, zerostarter_db};

/// A line break, the end of a line, a terminal's order to erase, and letters that turn what follows around.
const FORGED: &str = "x\n2026-01-01T00:00:00.000Z INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y";

#[test]
fn a_servers_texts_stay_on_their_line() {
    let quoted = FORGED.replace('\'', "''");
    let sql = format!(
        "DO $$ BEGIN RAISE NOTICE '{quoted}'; RAISE '{quoted}' USING DETAIL = '{quoted}', HINT = '{quoted}'; END $$;"
    );
    let database = Server::shared().database();
    let command = zerostarter_db(&database).migration("V1__forge.sql", &sql);
    let command = command
        .args(["migrate", "--report", "report.json"])
        .env("TERMINATION_LOG", "log")
        .file("log", "");
    assert_snapshot!(command.snapshot(), @r"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  server: x\n[time] INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y
    error: V1__forge failed and was rolled back
      x\n[time] INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y (SQLSTATE P0001)
       --> migrations/V1__forge.sql:1:1
      1 | DO $$ BEGIN RAISE NOTICE 'x
        | ^
      detail: x\n[time] INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y
      server's hint: x\n[time] INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y
      context: PL/pgSQL function inline_code_block line 2 at RAISE
      nothing was applied before it
    ");
    let read = |name: &str| std::fs::read_to_string(command.directory().join(name)).unwrap();
    assert_snapshot!(read("log"), @r"
    V1__forge failed and was rolled back
    x\n2026-01-01T00:00:00.000Z INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y (SQLSTATE P0001)
     --> migrations/V1__forge.sql:1:1
    1 | DO $$ BEGIN RAISE NOTICE 'x
      | ^
    detail: x\n2026-01-01T00:00:00.000Z INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y
    server's hint: x\n2026-01-01T00:00:00.000Z INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y
    context: PL/pgSQL function inline_code_block line 2 at RAISE
    nothing was applied before it
    ");
    assert!(!read("report.json").contains(['\r', '\u{1b}', '\u{85}', '\u{2028}', '\u{202e}']));
    let json = command.env("LOG_FORMAT", "json").run();
    assert!(
        !json
            .stderr
            .contains(['\r', '\u{1b}', '\u{85}', '\u{2028}', '\u{202e}'])
    );
    let lines: Vec<serde_json::Value> = json
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line["message"] == format!("server: {FORGED}")),
        "escaped, it means the same: {lines:?}"
    );
}

#[test]
fn names_of_files_stay_on_their_line() {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .migration("V1__one.sql", "SELECT 1;")
        .file(&format!("migrations/schema {FORGED}.sql"), "")
        .file(&format!("migrations/0002_{FORGED}.sql"), "");
    assert_snapshot!(command.snapshot(), @r"
    status: 2
    --- stdout
    --- stderr
    error: 2 migration files cannot be used; nothing was changed
      migrations/0002_x\n[time] INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y.sql is not named V<number>__<name>.sql
      migrations/schema x\n[time] INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y.sql is not named V<number>__<name>.sql

    hint: rename it to V<number>__<name>.sql, with a whole number as version and only letters, digits and _ in the name, or move it elsewhere; MIGRATE_UNKNOWN_FILES=warn leaves such files out
    ");
}

#[test]
fn names_of_roles_and_of_applied_migrations_stay_on_their_line() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    let session = database.session();
    let role = if server.major() < 19 {
        FORGED.to_owned()
    } else {
        left_out("PostgreSQL 19 has no line break in the name of a role");
        FORGED.replace(['\r', '\n'], " ")
    };
    session.execute(&format!(
        "UPDATE refinery_schema_history SET name = '{FORGED}' WHERE version = 1; \
         CREATE ROLE \"{role}\" SUPERUSER"
    ));
    let status = zerostarter_db(&database).arg("status");
    assert_snapshot!(status.snapshot(), @r"
    status: 6
    --- stdout
    V0000__zero_starter  applied       [time]
    V0001__waitlist      edited        [time]
    --- stderr
    error: the history table and the migrations disagree
      migrations/V0001__waitlist.sql was edited after it was applied: the history table has V1__x\n[time] INFO  applied V9__forged\r\u{1b}[2K\u{85}\u{2028}\u{202e}y with checksum 11142135336137634532, the file is V1__waitlist with checksum 11142135336137634532

    hint: restore the file as it was applied (CRLF line ends change the checksum), and put the change into a new migration
    ");
    let session = database.session();
    session.execute(&format!(
        "SET SESSION AUTHORIZATION \"{role}\"; BEGIN; LOCK refinery_schema_history"
    ));
    let blocked = zerostarter_db(&database)
        .migration("V1__one.sql", "SELECT 1;")
        .env("MIGRATE_LOCK_TIMEOUT", "1s")
        .env("MIGRATE_LOCK_RETRIES", "1")
        .env("MIGRATE_LOCK_WAIT", "1s");
    let run = blocked.run();
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(
        !run.stderr.contains("\n2026-01-01T00:00:00.000Z INFO  applied V9"),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr
            .contains(['\r', '\u{1b}', '\u{85}', '\u{2028}', '\u{202e}']),
        "{}",
        run.stderr
    );
}
