//! What `pg_dump` and other tools write for psql: data lines, guard lines, a transaction around the file.

use insta::assert_snapshot;
use zerostarter_test_harness::{Command, Database, Server, zerostarter_db};

fn migration(database: &Database, sql: impl AsRef<[u8]>) -> Command {
    zerostarter_db(database).migration("V1__dump.sql", sql)
}

fn applied(sql: impl AsRef<[u8]>) -> Database {
    let database = Server::shared().database();
    let run = migration(&database, sql).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    database
}

#[test]
fn the_output_of_pg_dump_is_a_migration() {
    let server = Server::start_with_dump();
    let original = server.database();
    original.execute(
        "CREATE TABLE people (id int PRIMARY KEY, name text, note text); \
         INSERT INTO people SELECT i, 'näme ' || i, E'a\\tb\\nc\\\\d; COMMIT;' FROM generate_series(1, 5000) AS i; \
         CREATE TABLE empty (a int); \
         CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 END; END; \
         CREATE MATERIALIZED VIEW many AS SELECT count(*) FROM people",
    );
    let copy = applied(server.dump(&original));
    let query = "SELECT md5(string_agg(p::text, '|' ORDER BY id)) FROM people AS p";
    assert_eq!(copy.rows(query), original.rows(query));
    assert_eq!(copy.rows("SELECT f(2), count FROM many"), ["1|5000"]);
    assert_eq!(copy.history().len(), 1);
}

#[test]
fn guard_lines_are_passed_over_and_other_backslash_lines_are_not() {
    applied("\\restrict abc\n\nCREATE TABLE t ();\n\n\\unrestrict abc\n");
    applied("-- a dump\n\\restrict abc\nCREATE TABLE t ();\n\\unrestrict abc");
    applied("\\restrict abc\r\nCREATE TABLE t ();\r\n\\unrestrict abc\r\n");
    for line in [
        "\\connect other",
        "\\restricted a",
        " \\restrict a",
        "\\i x.sql",
        "SELECT 1; \\restrict a",
    ] {
        let database = Server::shared().database();
        let run = migration(&database, format!("CREATE TABLE t ();\n{line}\n")).run();
        assert_eq!(run.status, 2, "{line}: {}", run.stderr);
        assert!(
            run.stderr.contains("V1__dump.sql:2: a backslash command"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn rows_are_sent_in_the_same_transaction() {
    let database = applied(
        "CREATE TABLE t (a int, b text);\n\
         COPY t (a, b) FROM stdin WITH (FORMAT csv, HEADER);\na,b\n1,\"x\ny\"\n2,;\n\\.\n\
         COPY public.t FROM STDIN;\n\\.\n\
         copy t from stdin; -- the last\r\n3\t\\N\r\n\\.\r\n\
         CREATE TABLE u AS SELECT count(*) FROM t;\n",
    );
    assert_eq!(
        database.rows("SELECT * FROM t ORDER BY a"),
        ["1|x\ny", "2|;", "3|"]
    );
    assert_eq!(database.rows("SELECT * FROM u"), ["3"]);

    let database = Server::shared().database();
    let run = migration(
        &database,
        "CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n\\.\nSELECT 1 / 0;\n",
    )
    .run();
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("V1__dump.sql:5:1"), "{}", run.stderr);
    assert!(database.catalog().is_empty());
}

#[test]
fn rows_are_sent_with_others_in_one_transaction() {
    let database = Server::shared().database();
    let rows = "COPY t FROM stdin;\n1\n\\.\n";
    let command = zerostarter_db(&database)
        .env("MIGRATE_ATOMIC", "yes")
        .migration("V1__t.sql", "CREATE TABLE t (a int);")
        .migration("V2__rows.sql", rows)
        .migration("V3__more.sql", format!("{rows}CREATE TABLE u ();"));
    let run = command.run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(database.rows("SELECT count(*) FROM t"), ["2"]);
    assert_eq!(database.history().len(), 3);
}

#[test]
fn an_error_in_the_data_names_its_line_and_column() {
    let database = Server::shared().database();
    let sql = "CREATE TABLE t (a int, b int);\n\nCOPY t (a, b) FROM stdin;\n1\t2\n3\tvier\n\\.\n";
    assert_snapshot!(migration(&database, sql).snapshot(), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__dump failed and was rolled back
      invalid input syntax for type integer: "vier" (SQLSTATE 22P02)
       --> migrations/V1__dump.sql:5:3
      5 | 3	vier
        |  	^
      context: COPY t, line 2, column b: "vier"
      nothing was applied before it
    "#);
    let missing = "CREATE TABLE t (a int, b int);\nCOPY t FROM stdin;\n1\t2\n3\n\\.\n";
    assert_snapshot!(migration(&database, missing).snapshot(), @r#"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    error: V1__dump failed and was rolled back
      missing data for column "b" (SQLSTATE 22P04)
       --> migrations/V1__dump.sql:4:1
      4 | 3
        | ^
      context: COPY t, line 2: "3"
      nothing was applied before it
    "#);
    let unknown = "SELECT 1;\nCOPY nowhere FROM stdin;\n1\n\\.\n";
    let run = migration(&database, unknown).run();
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("V1__dump.sql:2:1"), "{}", run.stderr);
    assert!(database.catalog().is_empty() && database.history().is_empty());
}

#[test]
fn data_without_an_end_is_refused() {
    let database = Server::shared().database();
    for sql in [
        "CREATE TABLE t (a text);\nCOPY t FROM stdin;\n1\nSELECT 2;\n",
        "CREATE TABLE t (a text);\nCOPY t FROM stdin",
        "CREATE TABLE t (a text);\nCOPY t FROM stdin;",
    ] {
        let run = migration(&database, sql).run();
        assert_eq!(run.status, 2, "{sql}: {}", run.stderr);
        assert!(
            run.stderr.contains("V1__dump.sql:2: the data lines of COPY"),
            "{}",
            run.stderr
        );
    }
    for line in ["INSERT INTO t VALUES (1);", "/* a", "x"] {
        let sql = format!("CREATE TABLE t (a text);\nCOPY t FROM stdin; {line}\n1\n\\.\n");
        let run = migration(&database, sql).run();
        assert_eq!(run.status, 2, "{line}: {}", run.stderr);
        assert!(
            run.stderr.contains("V1__dump.sql:2: the line of COPY"),
            "{}",
            run.stderr
        );
    }
    let binary = "COPY t FROM stdin (FORMAT binary);\n\\.\n";
    assert!(
        migration(&database, binary)
            .run()
            .stderr
            .contains("binary format")
    );
    assert!(database.catalog().is_empty() && database.history().is_empty());
}

#[test]
fn a_transaction_around_the_file_is_passed_over() {
    for (begin, commit) in [
        ("BEGIN;", "COMMIT;"),
        ("-- a comment\nbegin transaction ;", "end"),
        ("START TRANSACTION;", "COMMIT WORK; -- done\n"),
        ("\u{feff}BEGIN;", "COMMIT;\n\n"),
    ] {
        let sql = format!("{begin}\nCREATE TABLE one (a int);\nINSERT INTO one VALUES (1);\n{commit}");
        let database = applied(&sql);
        assert_eq!(database.rows("SELECT * FROM one"), ["1"], "{sql}");
        // The checksum is that of the file.
        let check = migration(&database, &sql).arg("check").run();
        assert_eq!(check.status, 0, "{sql}: {}", check.stderr);
    }
    let database = Server::shared().database();
    let command = migration(
        &database,
        "BEGIN;\nCREATE TABLE one ();\nSELECT 1 / 0;\nCOMMIT;\n",
    );
    let run = command.env("RUST_LOG", "debug").run();
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(run.stderr.contains("V1__dump.sql:3:1"), "{}", run.stderr);
    assert!(run.stderr.contains("not sent: BEGIN, COMMIT"), "{}", run.stderr);
    assert!(database.catalog().is_empty() && database.history().is_empty());
}

#[test]
fn a_transaction_that_is_not_balanced_is_refused() {
    for sql in [
        "SELECT 0; BEGIN; SELECT 1; COMMIT;",
        "BEGIN; SELECT 1; ROLLBACK;",
        "BEGIN; SELECT 1;",
        "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;",
        "BEGIN; COMMIT AND CHAIN; COMMIT;",
    ] {
        let database = Server::shared().database();
        let run = migration(&database, sql).run();
        assert_eq!(run.status, 2, "{sql}: {}", run.stderr);
        assert!(database.history().is_empty());
    }
}

#[test]
fn a_single_vacuum_may_have_a_transaction_around_it() {
    let database = applied("BEGIN;\nVACUUM;\nCOMMIT;\n");
    assert_eq!(database.history().len(), 1);
}
