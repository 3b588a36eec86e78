//! What an operator is told when the server rejects a migration.

use insta::assert_snapshot;

use zerostarter_test_harness::{Server, zerostarter_db};

/// The output of a run whose second file is `sql`; the first must stay and nothing of the second may.
fn rejected(sql: &str) -> String {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .migration(
            "V1__first.sql",
            "CREATE TABLE first (id int); INSERT INTO first VALUES (1), (1);",
        )
        .migration("V2__second.sql", sql);
    let output = command.snapshot();
    assert!(output.starts_with("status: 1\n"), "{output}");
    assert_eq!(
        database.rows("SELECT version FROM refinery_schema_history"),
        ["1"]
    );
    assert_eq!(
        database.catalog(),
        ["column public.first.id integer", "table public.first"]
    );
    output
}

#[test]
fn a_syntax_error_is_shown_with_its_place() {
    assert_snapshot!(rejected("CREATE TABLE second (id int);\nCREATE TABEL third ();\n"), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      syntax error at or near "TABEL" (SQLSTATE 42601)
       --> migrations/V2__second.sql:2:8
      2 | CREATE TABEL third ();
        |        ^
      applied before it, and kept: V1__first
    "#);
}

#[test]
fn a_statement_that_breaks_off_is_shown_at_its_end() {
    assert_snapshot!(rejected("CREATE TABLE second ();\nSELECT 1 +\n\n"), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      syntax error at or near ";" (SQLSTATE 42601)
       --> migrations/V2__second.sql:2:11
      2 | SELECT 1 +
        |           ^
      applied before it, and kept: V1__first
    "#);
}

#[test]
fn columns_count_characters() {
    assert_snapshot!(rejected("SELECT 'größe 🦀', nosuch;"), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      column "nosuch" does not exist (SQLSTATE 42703)
       --> migrations/V2__second.sql:1:19
      1 | SELECT 'größe 🦀', nosuch;
        |                   ^
      applied before it, and kept: V1__first
    "#);
}

#[test]
fn tabs_keep_the_marker_below_its_column() {
    assert_snapshot!(rejected("SELECT\n\t1,\tnosuch;"), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      column "nosuch" does not exist (SQLSTATE 42703)
       --> migrations/V2__second.sql:2:5
      2 | 	1,	nosuch;
        | 	  	^
      applied before it, and kept: V1__first
    "#);
}

/// The server gives no position for what goes wrong while a statement runs.
#[test]
fn an_error_without_a_position_is_shown_at_its_statement() {
    assert_snapshot!(rejected("CREATE TABLE second (); -- ;\n\n  CREATE UNIQUE INDEX ON first\n    (id);\n"), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      could not create unique index "first_id_idx" (SQLSTATE 23505)
       --> migrations/V2__second.sql:3:3
      3 |   CREATE UNIQUE INDEX ON first
        |   ^
      detail: Key (id)=(1) is duplicated.
      applied before it, and kept: V1__first
    "#);
    assert_snapshot!(rejected("SELECT ';'; /* ; */ SELECT 1 / (id - 1) FROM first;"), @"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      division by zero (SQLSTATE 22012)
       --> migrations/V2__second.sql:1:21
      1 | SELECT ';'; /* ; */ SELECT 1 / (id - 1) FROM first;
        |                     ^
      applied before it, and kept: V1__first
    ");
}

#[test]
fn an_error_in_a_function_is_shown_with_its_context() {
    assert_snapshot!(rejected("SELECT 1;\nDO $$\nBEGIN\n  RAISE EXCEPTION 'no' USING DETAIL = 'why', HINT = 'how', ERRCODE = 'ZZ001';\nEND $$;"), @"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      no (SQLSTATE ZZ001)
       --> migrations/V2__second.sql:2:1
      2 | DO $$
        | ^
      detail: why
      server's hint: how
      context: PL/pgSQL function inline_code_block line 3 at RAISE
      applied before it, and kept: V1__first
    ");
}

#[test]
fn a_constraint_that_fails_at_the_commit_is_said_to() {
    assert_snapshot!(rejected("ALTER TABLE first ADD CONSTRAINT u UNIQUE (id) DEFERRABLE INITIALLY DEFERRED;"), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      could not create unique index "u" (SQLSTATE 23505)
       --> migrations/V2__second.sql:1:1
      1 | ALTER TABLE first ADD CONSTRAINT u UNIQUE (id) DEFERRABLE INITIALLY DEFERRED;
        | ^
      detail: Key (id)=(1) is duplicated.
      applied before it, and kept: V1__first
    "#);
    assert_snapshot!(rejected(
        "CREATE TABLE second (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO second VALUES (1), (1);"
    ), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      duplicate key value violates unique constraint "second_id_key" (SQLSTATE 23505)
      --> after migrations/V2__second.sql was run, at its commit
      detail: Key (id)=(1) already exists.
      applied before it, and kept: V1__first
    "#);
}

#[test]
fn the_first_of_all_migrations_leaves_nothing() {
    let database = Server::shared().database();
    let command =
        zerostarter_db(&database).migration("V1__first.sql", "CREATE TABLE a ();\r\nCREATE TABLE a ();\r\n");
    assert_snapshot!(command.snapshot(), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__first failed and was rolled back
      relation "a" already exists (SQLSTATE 42P07)
       --> migrations/V1__first.sql:2:1
      2 | CREATE TABLE a ();
        | ^
      nothing was applied before it

    hint: find out whether another tool or a person created the schema: it exists in the database but not in the history table
    "#);
    assert!(database.catalog().is_empty() && database.history().is_empty());
}

#[test]
fn a_missing_right_is_a_refusal() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE theirs ()");
    let role = database.role("NOSUPERUSER");
    database.execute(&format!("GRANT ALL ON SCHEMA public TO {role}"));
    let command = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .migration(
            "V1__one.sql",
            "CREATE TABLE mine ();\nALTER TABLE theirs ADD a int;",
        );
    assert_snapshot!(command.snapshot(), @"
    status: 4
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__one failed and was rolled back
      must be owner of table theirs (SQLSTATE 42501)
       --> migrations/V1__one.sql:2:1
      2 | ALTER TABLE theirs ADD a int;
        | ^
      nothing was applied before it

    hint: grant the privilege to the role of the URL, or set MIGRATE_ROLE to the role that owns the tables
    ");
}

#[test]
fn a_repaired_file_is_applied_by_the_next_run() {
    let database = Server::shared().database();
    let file = |sql: &str| zerostarter_db(&database).migration("V1__one.sql", sql).run();
    assert_eq!(file("CREATE TABLE one (a nosuch);").status, 1);
    assert_eq!(file("CREATE TABLE one ();").status, 0);
}

#[test]
fn a_statement_timeout_is_named() {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .env("MIGRATE_STATEMENT_TIMEOUT", "50ms")
        .migration("V1__slow.sql", "SELECT 1;\nSELECT pg_sleep(60);");
    assert_snapshot!(command.snapshot(), @"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__slow failed and was rolled back
      canceling statement due to statement timeout (SQLSTATE 57014)
       --> migrations/V1__slow.sql:2:1
      2 | SELECT pg_sleep(60);
        | ^
      nothing was applied before it

    hint: raise MIGRATE_STATEMENT_TIMEOUT if a statement ran longer than that; otherwise an administrator cancelled it
    ");
}

/// The server raises these while it parses the message, before the first statement runs, and without a position.
#[test]
fn an_error_of_the_parser_without_a_position_is_shown_at_its_statement() {
    assert_snapshot!(rejected("-- why\nCREATE TABLE second ();\n  ALTER TABLE second ALTER CONSTRAINT c NOT DEFERRABLE INITIALLY DEFERRED; SELECT 1;\n"), @"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__first in [ms]
    error: V2__second failed and was rolled back
      constraint declared INITIALLY DEFERRED must be DEFERRABLE (SQLSTATE 42601)
       --> migrations/V2__second.sql:3:56
      3 |   ALTER TABLE second ALTER CONSTRAINT c NOT DEFERRABLE INITIALLY DEFERRED; SELECT 1;
        |                                                        ^
      applied before it, and kept: V1__first
    ");
    for unparsable in [
        "CREATE TABLE x (a int, FOREIGN KEY (a) REFERENCES y NOT DEFERRABLE INITIALLY DEFERRED)",
        "ALTER TABLE x ALTER CONSTRAINT c NO INHERIT",
        "CREATE FUNCTION f(VARIADIC a int[], b int) RETURNS int LANGUAGE sql AS ''",
    ] {
        for (before, after) in [(0, 0), (0, 9), (1, 1), (12, 0), (40, 40)] {
            let sql = format!(
                "{}{unparsable};\n{}",
                "SELECT 1;\n".repeat(before),
                "ROLLBACK TO a;\n".repeat(after)
            );
            let line = format!(" --> migrations/V2__second.sql:{}:", before + 1);
            let output = rejected(&sql);
            assert!(output.contains(&line), "{sql}: {output}");
        }
    }
}
