//! What a migration file may hold, and what is refused before anything changes.

use std::fmt::Write as _;

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Database, Server, zerostarter_db};

/// Runs `sql` as the second of two pending files. It must be refused, and nothing may have been changed:
/// not even the first file, not even the history table.
fn refused(sql: impl AsRef<[u8]>) -> String {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .migration("V1__good.sql", "CREATE TABLE good ();")
        .migration("V2__bad.sql", sql);
    let output = command.snapshot();
    assert!(output.starts_with("status: 2\n"), "{output}");
    assert!(
        database.catalog().is_empty() && database.history().is_empty(),
        "{output}"
    );
    output
}

fn applied(sql: impl AsRef<[u8]>) -> Database {
    let database = Server::shared().database();
    let run = zerostarter_db(&database).migration("V1__file.sql", sql).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    database
}

#[test]
fn what_ends_a_transaction_is_refused_with_its_line() {
    assert_snapshot!(refused("CREATE TABLE t ();\n\nROLLBACK;\nBEGIN;\n"), @"
    status: 2
    --- stdout
    --- stderr
    error: 2 places in the pending migrations cannot be applied; nothing was changed
      migrations/V2__bad.sql:3: ROLLBACK would end the transaction of this migration
      migrations/V2__bad.sql:4: BEGIN stands inside the transaction of this migration

    hint: remove it: every migration already runs in its own transaction, together with its history row; COMMIT ends that, and BEGIN after it begins another
    ");
    for statement in [
        "begin",
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "START TRANSACTION",
        "commit and chain",
        "ABORT",
        "ROLLBACK",
        "ROLLBACK AND CHAIN",
        "/* a /* nested */ comment */ Rollback",
        "-- a line\nROLLBACK",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
        "ROLLBACK PREPARED 'x'",
    ] {
        let output = refused(format!("SELECT 1;\n{statement};\nSELECT 2;"));
        assert!(
            output.contains("migrations/V2__bad.sql:"),
            "{statement}: {output}"
        );
    }
}

#[test]
fn a_reset_of_everything_is_refused_and_one_of_something_is_not() {
    assert_snapshot!(refused("CREATE TABLE t ();\nRESET ALL;\n discard /* it */ all;"), @"
    status: 2
    --- stdout
    --- stderr
    error: 2 places in the pending migrations cannot be applied; nothing was changed
      migrations/V2__bad.sql:2: RESET ALL would also reset the settings that guard this migration's transaction
      migrations/V2__bad.sql:3: DISCARD ALL would also reset the settings that guard this migration's transaction

    hint: name what to reset (RESET search_path, DISCARD TEMP); session settings of a migration are reset after it anyway
    ");
    let database = Server::shared().database();
    let run = zerostarter_db(&database)
        .migration(
            "V1__reset.sql",
            "SET search_path = pg_catalog; RESET search_path; SET ROLE pg_read_all_data; RESET ROLE; \
             SET SESSION AUTHORIZATION DEFAULT; RESET SESSION AUTHORIZATION; \
             DISCARD PLANS; DISCARD SEQUENCES; DISCARD TEMP; CREATE TABLE t ();",
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(database.catalog(), ["table public.t"]);
}

#[test]
fn what_needs_a_client_is_refused() {
    assert_snapshot!(refused("COPY pg_class TO STDOUT;"), @"
    status: 2
    --- stdout
    --- stderr
    error: 1 place in the pending migrations cannot be applied; nothing was changed
      migrations/V2__bad.sql:1: COPY TO STDOUT needs a client that receives the rows

    hint: remove it: a migration has nowhere to write rows to
    ");
    assert_snapshot!(refused("CREATE TABLE t ();\n  \\copy t from 'file'\n"), @"
    status: 2
    --- stdout
    --- stderr
    error: 1 place in the pending migrations cannot be applied; nothing was changed
      migrations/V2__bad.sql:2: a backslash command is for psql; the server does not know it

    hint: replace it with the SQL that it stands for: only psql understands backslash commands
    ");
    assert!(refused("copy t from stdin with (format csv);").contains("COPY FROM STDIN"));
}

#[test]
fn what_is_never_closed_is_refused() {
    for (sql, line) in [
        ("SELECT 'a\n", 1),
        ("SELECT 1;\n/* a\n", 2),
        ("\nSELECT \"a", 2),
        ("DO $x$ BEGIN END $y$;", 1),
        ("SELECT E'a\\';", 1),
    ] {
        let output = refused(sql);
        assert!(
            output.contains(&format!("migrations/V2__bad.sql:{line}: ")),
            "{sql}: {output}"
        );
    }
}

#[test]
fn what_postgresql_cannot_hold_is_refused() {
    assert_snapshot!(refused("SELECT 1;\nSELECT '\0';"), @"
    status: 2
    --- stdout
    --- stderr
    error: migrations/V2__bad.sql contains a NUL byte at line 2

    hint: PostgreSQL has no NUL in SQL; save the file as UTF-8 text
    ");
    assert_snapshot!(refused(b"SELECT 1;\n\nSELECT '\xff';"), @"
    status: 2
    --- stdout
    --- stderr
    error: migrations/V2__bad.sql is not UTF-8 at line 3

    hint: save the file as UTF-8
    ");
}

#[test]
fn what_cannot_be_recovered_or_concerns_the_whole_server_is_refused() {
    assert_snapshot!(refused("CREATE INDEX CONCURRENTLY ON t (a);"), @"
    status: 2
    --- stdout
    --- stderr
    error: 1 place in the pending migrations cannot be applied; nothing was changed
      migrations/V2__bad.sql:1: CREATE INDEX CONCURRENTLY without a name cannot be distinguished from another index after a crash

    hint: give the index a name
    ");
    assert_snapshot!(refused("DROP TABLESPACE s"), @"
    status: 2
    --- stdout
    --- stderr
    error: 1 place in the pending migrations cannot be applied; nothing was changed
      migrations/V2__bad.sql:1: DROP TABLESPACE affects the whole server

    hint: a migration changes one database; prepare the server where it is set up
    ");
    for statement in [
        "CREATE DATABASE d",
        "DROP DATABASE d",
        "CREATE TABLESPACE s LOCATION '/x'",
    ] {
        assert!(
            refused(statement).contains("affects the whole server"),
            "{statement}"
        );
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .migration("V1__a.sql", "BEGIN;\nVACUUM;\n")
        .migration("V2__b.sql", "SELECT 1;\nCOPY t FROM STDIN;");
    assert_snapshot!(command.snapshot(), @r"
    status: 2
    --- stdout
    --- stderr
    error: 2 places in the pending migrations cannot be applied; nothing was changed
      migrations/V1__a.sql:1: BEGIN begins a transaction that the file does not commit
      migrations/V2__b.sql:2: the data lines of COPY FROM STDIN do not end: there is no line with \. alone

    hint: remove it: every migration already runs in its own transaction, together with its history row; COMMIT ends that, and BEGIN after it begins another
    hint: end the data with a line that has only \. in it, as pg_dump does; or load the rows with INSERT … VALUES
    ");
}

/// A pooler gives the session to somebody else afterwards.
#[test]
fn settings_of_the_session_are_refused_behind_a_pooler() {
    let database = Server::shared().database();
    let url = format!("{}&pgbouncer=true", database.url());
    let file = |sql: &str| {
        zerostarter_db(&database)
            .env("POSTGRES_URL", &url)
            .migration("V1__set.sql", sql)
    };
    assert_snapshot!(file("SELECT 1;\nSET statement_timeout = 0;").snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    [time] WARN  POSTGRES_URL looks like transaction pooling (pgbouncer=true); set POSTGRES_DIRECT_URL to a direct connection for migrations
    error: 1 place in the pending migrations cannot be applied; nothing was changed
      migrations/V1__set.sql:2: SET outlives this migration in a session that the connection pooler gives to other clients

    hint: write SET LOCAL, which ends with the migration, or set POSTGRES_DIRECT_URL to a direct connection
    ");
    assert_eq!(file("SET SESSION work_mem = '1MB';").run().status, 2);
    let run = file("SET LOCAL work_mem = '1MB'; SET CONSTRAINTS ALL DEFERRED;").run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn keywords_in_strings_comments_and_bodies_are_none() {
    let database = applied(
        r#"
-- COMMIT; \copy
/* ROLLBACK; /* BEGIN; */ VACUUM; */
CREATE TABLE "COMMIT" ("BEGIN" text DEFAULT 'COMMIT;', "END" text DEFAULT $$; ROLLBACK; $$);
COMMENT ON TABLE "COMMIT" IS 'CREATE INDEX CONCURRENTLY';
CREATE FUNCTION in_plpgsql() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN PERFORM 1; RETURN 2; END; $body$;
CREATE FUNCTION in_sql() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
CREATE TABLE t (a int);
CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM t WHERE a = 1; DELETE FROM t WHERE a = 2);
DO $do$ BEGIN NULL; END $do$;
SELECT E'\'; COMMIT; \'', U&'\0043OMMIT', B'1', X'1F', $tag$ $$ ; $$ $tag$;
"#,
    );
    assert_eq!(database.rows("SELECT in_plpgsql() + in_sql()"), ["4"]);
}

#[test]
fn savepoints_nest_and_are_fine() {
    let database = applied(
        "CREATE TABLE kept (); SAVEPOINT s; CREATE TABLE dropped (); ROLLBACK TO SAVEPOINT s; RELEASE SAVEPOINT s; SAVEPOINT t; ROLLBACK WORK TO t;",
    );
    assert_eq!(database.catalog(), ["table public.kept"]);
}

#[test]
fn a_last_line_may_be_a_comment_or_lack_its_semicolon() {
    for sql in [
        "CREATE TABLE t () -- the end",
        "CREATE TABLE t (); -- the end",
        "CREATE TABLE t ()",
        "CREATE TABLE t (); /* the end */",
    ] {
        assert_eq!(applied(sql).catalog(), ["table public.t"], "{sql}");
    }
}

#[test]
fn a_file_may_be_empty() {
    for sql in ["", "\n", "-- nothing", ";;\n;", "/* nothing */"] {
        assert_eq!(applied(sql).history().len(), 1, "{sql}");
    }
}

#[test]
fn byte_order_marks_line_ends_and_letters_of_all_kinds_are_fine() {
    assert_eq!(
        applied("\u{feff}CREATE TABLE t ();").catalog(),
        ["table public.t"]
    );
    assert_eq!(
        applied("CREATE TABLE t (\r\n);\r\n-- end\r\n").catalog(),
        ["table public.t"]
    );
    let database = applied("CREATE TABLE \"größe\" (\"名前\" text DEFAULT '🦀');");
    assert!(
        database
            .catalog()
            .contains(&"column public.\"größe\".\"名前\" text default '🦀'::text".to_owned())
    );
}

#[test]
fn a_large_file_is_one_transaction_too() {
    let mut sql = String::from("CREATE TABLE t (id int, filler text);\n");
    for id in 0..20_000 {
        let _ = writeln!(sql, "INSERT INTO t VALUES ({id}, '{}');", "x".repeat(100));
    }
    assert_eq!(applied(sql).rows("SELECT count(*) FROM t"), ["20000"]);
}

#[test]
fn what_a_file_selects_is_thrown_away() {
    let run = {
        let database = Server::shared().database();
        zerostarter_db(&database)
            .migration("V1__rows.sql", "SELECT repeat('x', 1000) FROM generate_series(1, 100000); SELECT 1 AS zerostarter_db_applied;")
            .run()
    };
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{}", run.stderr);
}

fn with_directory(prepare: impl FnOnce(&Command)) -> String {
    let database = Server::shared().database();
    let command = zerostarter_db(&database).env("MIGRATIONS_DIR", "migrations");
    prepare(&command);
    command.snapshot()
}

#[test]
fn a_directory_that_is_missing_or_empty_is_an_error() {
    assert_snapshot!(with_directory(|_| {}), @"
    status: 2
    --- stdout
    --- stderr
    error: migrations cannot be read: No such file or directory (os error 2)

    hint: set MIGRATIONS_DIR to the directory with the V*__*.sql files
    ");
    assert_snapshot!(with_directory(|command| std::fs::create_dir(command.directory().join("migrations")).unwrap()), @"
    status: 2
    --- stdout
    --- stderr
    error: migrations contains no migration

    hint: name migration files V<number>__<name>.sql; an empty directory is usually a wrong mount
    ");
}

#[test]
fn a_version_that_refinerys_table_cannot_hold_is_refused() {
    let database = Server::shared().database();
    assert_snapshot!(zerostarter_db(&database).migration("V20260101120000__big.sql", "").snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: migrations/V20260101120000__big.sql has a version that is not a whole number up to 2147483647

    hint: use a smaller version: refinery's history table stores versions in 32 bits
    ");
}

/// Flyway replaces them. In quotes they may be meant as they stand, such as a template in a row.
#[test]
fn placeholders_are_found_before_the_first_file_is_applied() {
    assert_snapshot!(refused("CREATE TABLE t (id int);\nINSERT INTO t\n SELECT 1 FROM ${schema}.u, v${suffix};\n-- ${none}\n"), @"
    status: 2
    --- stdout
    --- stderr
    error: 2 places in the pending migrations cannot be applied; nothing was changed
      migrations/V2__bad.sql:3: ${schema} is a placeholder, which no tool replaces here
      migrations/V2__bad.sql:3: ${suffix} is a placeholder, which no tool replaces here

    hint: write the value in its place; Flyway replaces ${name}, and zerostarter-db sends files as they are
    ");
    let database = Server::shared().database();
    let command = zerostarter_db(&database).migration(
        "V1__mail.sql",
        "CREATE TABLE mail (text text);\nINSERT INTO mail VALUES ('Dear ${name}');\nSELECT '${again}';\n",
    );
    let output = command.snapshot();
    assert!(output.starts_with("status: 0\n"), "{output}");
    assert_eq!(output.matches("inside quotes").count(), 1, "{output}");
    assert!(
        output.contains(
            "WARN  migrations/V1__mail.sql:2 has ${name} inside quotes, which is sent as it stands"
        ),
        "{output}"
    );
    assert_eq!(database.rows("SELECT text FROM mail"), ["Dear ${name}"]);
}
