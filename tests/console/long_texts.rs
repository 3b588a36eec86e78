//! Of a text that may be megabytes long, the log, the error and the report show an excerpt.

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Server, zerostarter_db};

/// About the longest line of a dump: one INSERT with all rows of a table.
const LONG: usize = 3_900_000;

fn long() -> String {
    "ü".repeat(LONG / 2)
}

/// Fails with `sql`, as text and as JSON with a report, and returns the text. Everything together must be short.
fn failure(sql: &str) -> String {
    let database = Server::shared().database();
    let command = || zerostarter_db(&database).migration("V1__long.sql", sql);
    let json = command().args(["migrate", "--log-format=json", "--report=report.json"]);
    let run = json.run();
    assert_eq!(run.status, 1, "{}", shown(&run.stderr));
    let report = std::fs::read_to_string(json.directory().join("report.json")).unwrap();
    assert!(run.stderr.len() < 10_000, "{}", run.stderr.len());
    assert!(report.len() < 10_000, "{}", report.len());
    let text = command().snapshot();
    assert!(text.len() < 10_000, "{}", text.len());
    text
}

fn shown(text: &str) -> String {
    text.chars().take(1_000).collect()
}

#[test]
fn a_failing_line_is_shown_around_its_place() {
    let sql = format!("SELECT 1;\nSELECT '{0}', nosuch, '{0}';", long());
    assert_snapshot!(failure(&sql), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__long failed and was rolled back
      column "nosuch" does not exist (SQLSTATE 42703)
       --> migrations/V1__long.sql:2:1950012
      2 | …üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü', nosuch, 'üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü…
        |                                                              ^
      nothing was applied before it
    "#);
}

#[test]
fn a_text_that_the_server_quotes_is_short() {
    let sql = format!("SELECT 1;\nSELECT '{0}' '{0}';", long());
    assert_snapshot!(failure(&sql), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__long failed and was rolled back
      syntax error at or near "'üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü…üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü'" (SQLSTATE 42601)
       --> migrations/V1__long.sql:2:1950011
      2 | …üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü' 'üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü…
        |                                                              ^
      nothing was applied before it
    "#);
    let sql = format!("SELECT '{}'::int;", "x".repeat(LONG));
    assert_snapshot!(failure(&sql), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__long failed and was rolled back
      invalid input syntax for type integer: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" (SQLSTATE 22P02)
       --> migrations/V1__long.sql:1:8
      1 | SELECT 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        |        ^
      nothing was applied before it
    "#);
}

#[test]
fn detail_hint_and_context_are_short() {
    let sql = format!(
        "DO $$ BEGIN RAISE NOTICE 'n {0}'; RAISE 'm {0}' USING DETAIL = 'd {0}', HINT = 'h {0}'; END $$;",
        "x".repeat(LONG)
    );
    assert_snapshot!(failure(&sql), @"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  server: n xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    error: V1__long failed and was rolled back
      m xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (SQLSTATE P0001)
       --> migrations/V1__long.sql:1:1
      1 | DO $$ BEGIN RAISE NOTICE 'n xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        | ^
      detail: d xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      server's hint: h xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      context: PL/pgSQL function inline_code_block line 1 at RAISE
      nothing was applied before it
    ");
    let sql = format!(
        "DO $$ BEGIN EXECUTE 'SELECT nosuch, ''{}'''; END $$;",
        "x".repeat(LONG)
    );
    assert_snapshot!(failure(&sql), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__long failed and was rolled back
      column "nosuch" does not exist (SQLSTATE 42703)
       --> migrations/V1__long.sql:1:1
      1 | DO $$ BEGIN EXECUTE 'SELECT nosuch, ''xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        | ^
      context: PL/pgSQL function inline_code_block line 1 at EXECUTE
      nothing was applied before it
    "#);
}

#[test]
fn a_context_of_a_thousand_calls_is_short() {
    let sql = "CREATE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF n = 0 THEN RETURN 1 / n; END IF; RETURN f(n - 1); END $$;\nSELECT f(500);";
    // The words of PostgreSQL 19.
    let shown = failure(sql).replace("PL/pgSQL expression", "SQL expression");
    assert_snapshot!(shown, @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__long failed and was rolled back
      division by zero (SQLSTATE 22012)
       --> migrations/V1__long.sql:2:1
      2 | SELECT f(500);
        | ^
      context: PL/pgSQL function f(integer) line 1 at RETURN / SQL expression "f(n - 1)" / PL/pgSQL function f(integer) line 1 at RETURN / SQL expression "f(n - 1)" / PL/pgSQL function f(integer) line 1 at RETURN / SQL expression "f(n - 1)" / PL/pgSQL function f(integer) line 1 at RETURN / SQL expression "f(n - 1)" / PL/pgSQL function f(integer) line 1 at RETURN / SQL expression "f(n - 1)"…
      nothing was applied before it
    "#);
}

#[test]
fn the_statement_of_a_blocker_is_short() {
    let server = Server::shared();
    let database = server.database();
    let session = database.session();
    session.execute("CREATE TABLE t ()");
    session.execute(&format!("BEGIN; LOCK t; SELECT '{}' AS long", "y".repeat(LONG)));
    let run = zerostarter_db(&database)
        .migration("V1__blocked.sql", "ALTER TABLE t ADD a int;")
        .env("MIGRATE_LOCK_RETRIES", "1")
        .env("MIGRATE_LOCK_TIMEOUT", "1s")
        .run();
    assert_eq!(run.status, 7, "{}", shown(&run.stderr));
    assert!(
        run.stderr.contains("last statement: BEGIN; LOCK t; SELECT 'yyy"),
        "{}",
        shown(&run.stderr)
    );
    assert!(run.stderr.contains("yyy…yyy"), "{}", shown(&run.stderr));
    assert!(run.stderr.len() < 5_000, "{}", run.stderr.len());
}

/// The server repeats the password that a migration contains, and the excerpt ends inside it.
#[test]
fn a_password_that_is_cut_is_redacted() {
    let database = Server::shared().database();
    let url = database.url().replace("@127", ":correct-horse-battery@127");
    for width in (60..120).step_by(5) {
        let sql = format!("SELECT nosuch, '{}correct-horse-battery';", "x".repeat(width));
        let run = Command::bare()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", &url)
            .migration("V1__secret.sql", sql + &" ".repeat(500) + "SELECT 1;")
            .run();
        assert_eq!(run.status, 1, "{}", run.stderr);
        assert!(!run.stderr.contains("corr"), "{width}: {}", run.stderr);
    }
}
