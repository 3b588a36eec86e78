//! Which entries of a Drizzle folder are pending: by identity, not by the newest time.

use insta::assert_snapshot;
use zerostarter_test_harness::{Database, Run, Server};

use super::folder::{Folder, count};

const A: (&str, i64, &str) = ("0000_a", 1000, "CREATE TABLE a (id int);");
const C: (&str, i64, &str) = ("0002_c", 3000, "CREATE TABLE c (id int);");

/// A database on which the first and the third entry are applied, and a folder with a late one between them.
fn late(sql: &str) -> (Database, Folder) {
    let database = Server::shared().database();
    let folder = Folder::journal(&[A, C]);
    folder.applied(&database);
    folder.write_journal(&[A, ("0001_b", 2000, sql), C]);
    (database, folder)
}

fn run(folder: &Folder, database: &Database) -> Run {
    let run = folder.ours(database).run();
    let check = folder.ours(database).arg("check").run();
    let expected = if run.status == 0 { 0 } else { 6 };
    assert_eq!(check.status, expected, "{}", check.stderr);
    run
}

#[test]
fn a_late_entry_that_only_creates_what_does_not_exist_is_applied() {
    for sql in [
        "CREATE TABLE b (id int);",
        "ALTER TABLE a ADD COLUMN b int;--> statement-breakpoint\nCREATE INDEX a_b ON a (b);",
        "DO $$ BEGIN\n CREATE TYPE \"public\".\"m\" AS ENUM('x');\nEXCEPTION\n WHEN duplicate_object THEN null;\nEND $$;",
        "-- nothing\n",
    ] {
        let (database, folder) = late(sql);
        let run = run(&folder, &database);
        assert_eq!(run.status, 0, "{sql}: {}", run.stderr);
        assert!(
            run.stderr
                .contains("0001_b is older than 0002_c (1970-01-01 00:00:03)")
                && run.stderr.contains("applied 0001_b"),
            "{sql}: {}",
            run.stderr
        );
        assert_eq!(count(&database), 3, "{sql}");
    }
}

#[test]
fn a_late_entry_of_which_everything_exists_is_left() {
    let (database, folder) = late("CREATE TABLE b (id int);");
    database.execute("CREATE TABLE b (id int)");
    let run = run(&folder, &database);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("adopt --only 0001_b records it"),
        "{}",
        run.stderr
    );
    assert_eq!(count(&database), 2);
    let strict = folder.ours(&database).env("MIGRATE_STRICT", "yes").run();
    assert_eq!(strict.status, 6, "{}", strict.stderr);
}

#[test]
fn a_late_entry_that_cannot_be_judged_stops_the_run() {
    let (database, folder) = late(
        "CREATE TABLE b (id int);\n--> statement-breakpoint\nUPDATE a SET id = 1;\n--> statement-breakpoint\nALTER TABLE a ADD COLUMN x int;",
    );
    database.execute("ALTER TABLE a ADD COLUMN x int");
    assert_snapshot!(folder.ours(&database).snapshot(), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      0001_b is not applied, and drizzle-kit would never apply it: its time ([time]) is before that of 0002_c ([time]), which is applied; line 3 cannot be judged: UPDATE a SET id …; exist: column a.x; missing: table b, column b.id

    hint: give it a time after 3000 in meta/_journal.json if it has to run; MIGRATE_OUT_OF_ORDER=apply runs it now; zerostarter-db adopt --only 0001_b records it as done
    ");
    assert_eq!(folder.ours(&database).arg("check").run().status, 6);
    assert_snapshot!(folder.ours(&database).arg("status").snapshot(), @"
    status: 6
    --- stdout
    0000_a  applied
    0001_b  late
    0002_c  applied
    --- stderr
    error: the history table and the migrations disagree
      0001_b is not applied, and drizzle-kit would never apply it: its time ([time]) is before that of 0002_c ([time]), which is applied; line 3 cannot be judged: UPDATE a SET id …; exist: column a.x; missing: table b, column b.id

    hint: give it a time after 3000 in meta/_journal.json if it has to run; MIGRATE_OUT_OF_ORDER=apply runs it now; zerostarter-db adopt --only 0001_b records it as done
    ");
    for sql in [
        "INSERT INTO a VALUES (1);",
        "DROP TABLE a;",
        "CREATE TABLE b (id int); CREATE TABLE c (id int);",
        "CREATE EXTENSION IF NOT EXISTS citext;",
    ] {
        let (database, folder) = late(sql);
        let run = run(&folder, &database);
        assert_eq!(run.status, 6, "{sql}: {}", run.stderr);
        assert_eq!(count(&database), 2, "{sql}");
    }
}

#[test]
fn the_variable_decides_about_late_entries() {
    let sql = "INSERT INTO a VALUES (1);";
    for (choice, status, applied) in [("apply", 0, 3), ("skip", 0, 2), ("refuse", 6, 2)] {
        let (database, folder) = late(sql);
        let run = folder.ours(&database).args(["--out-of-order", choice]).run();
        assert_eq!(run.status, status, "{choice}: {}", run.stderr);
        assert_eq!(count(&database), applied, "{choice}");
    }
    let (database, folder) = late("CREATE TABLE b (id int);");
    let run = folder.ours(&database).args(["--out-of-order", "refuse"]).run();
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert_eq!(count(&database), 2);
}

#[test]
fn folders_of_the_new_line_are_applied_late() {
    let database = Server::shared().database();
    let folder = Folder::folders(&[
        ("20260101000000_a", "CREATE TABLE a (id int);"),
        ("20260301000000_c", "CREATE TABLE c (id int);"),
    ]);
    folder.applied(&database);
    folder.file("20260201000000_b/migration.sql", "INSERT INTO a VALUES (1);");
    let run = folder.applied(&database);
    assert!(
        run.stderr.contains("20260201000000_b is older than"),
        "{}",
        run.stderr
    );
    assert_eq!(database.rows("SELECT id FROM a"), ["1"]);
}

#[test]
fn the_same_text_under_another_time_is_applied() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[A, C]);
    folder.applied(&database);
    folder.write_journal(&[A, (C.0, 9000, C.2)]);
    let run = run(&folder, &database);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("0002_c is applied under another time"),
        "{}",
        run.stderr
    );
    assert!(
        folder
            .ours(&database)
            .arg("status")
            .run()
            .stdout
            .contains("0002_c  elsewhere")
    );
}

#[test]
fn a_changed_file_is_a_warning_unless_something_is_missing() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[A, C]);
    folder.applied(&database);
    // Line ends, a byte-order mark and the last line feed are no change.
    for text in [
        "CREATE TABLE c (id int);\n",
        "\u{feff}CREATE TABLE c (id int);\r\n",
    ] {
        folder.write_journal(&[A, (C.0, C.1, text)]);
        let run = run(&folder, &database);
        assert!(!run.stderr.contains("changed"), "{text:?}: {}", run.stderr);
    }
    folder.write_journal(&[A, (C.0, C.1, "CREATE TABLE IF NOT EXISTS c (id int);")]);
    let changed = run(&folder, &database);
    assert_eq!(changed.status, 0, "{}", changed.stderr);
    assert!(
        changed.stderr.contains("changed since they were applied: 0002_c"),
        "{}",
        changed.stderr
    );
    folder.write_journal(&[A, (C.0, C.1, "CREATE TABLE c (id int, more int);")]);
    assert_snapshot!(folder.ours(&database).snapshot(), @"
    status: 6
    --- stdout
    --- stderr
    [time] WARN  changed since they were applied: 0002_c
    error: the history table and the migrations disagree
      [folder]/0002_c.sql was changed after it was applied, and the database lacks what it creates now: column c.more

    hint: restore the file as it was applied, and put the change into a new migration
    ");
    // Unless another entry drops or renames it.
    folder.write_journal(&[
        A,
        (C.0, C.1, "CREATE TABLE c (id int, more int);"),
        ("0003_d", 4000, "ALTER TABLE c DROP COLUMN IF EXISTS more;"),
    ]);
    let dropped = folder.ours(&database).run();
    assert_eq!(dropped.status, 0, "{}", dropped.stderr);
}

#[test]
fn rows_without_an_entry_are_a_warning_or_ahead() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[A, ("0001_b", 2000, "CREATE TABLE b (id int);"), C]);
    folder.applied(&database);
    folder.write_journal(&[A, C]);
    let removed = run(&folder, &database);
    assert_eq!(removed.status, 0, "{}", removed.stderr);
    assert!(
        removed
            .stderr
            .contains("1 applied migrations are not in the folder"),
        "{}",
        removed.stderr
    );
    folder.write_journal(&[A]);
    let ahead = run(&folder, &database);
    assert_eq!(ahead.status, 0, "{}", ahead.stderr);
    assert!(ahead.stderr.contains("ahead of this program"), "{}", ahead.stderr);
    let refused = folder.ours(&database).args(["--ahead", "refuse"]).run();
    assert_eq!(refused.status, 6, "{}", refused.stderr);
}

#[test]
fn a_table_of_another_project_is_not_continued() {
    let database = Server::shared().database();
    Folder::journal(&[A, C]).applied(&database);
    let other = Folder::journal(&[("0000_x", 7000, "CREATE TABLE x ();")]);
    let run = run(&other, &database);
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(
        run.stderr.contains("none belongs to a migration of this folder"),
        "{}",
        run.stderr
    );
    assert_eq!(count(&database), 2);
}

/// Made by `push`, or restored without the schema `drizzle`.
#[test]
fn a_database_that_is_not_new_is_not_taken_for_one() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE a (id int)");
    let folder = Folder::journal(&[A, C]);
    assert_snapshot!(folder.ours(&database).snapshot(), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      no migration is recorded, but the database has what they create: table a

    hint: look whether the database is at 0000_a; if so, zerostarter-db adopt --to 0000_a records it and everything before it
    ");
    assert_eq!(count(&database), 0);
    // What passes over what exists, or drops it first, needs no look.
    let folder = Folder::journal(&[
        ("0000_a", 1000, "CREATE TABLE IF NOT EXISTS a (id int);"),
        ("0001_b", 2000, "DROP TABLE a;"),
        ("0002_c", 3000, "CREATE TABLE a (id int);"),
    ]);
    folder.applied(&database);
}

#[test]
fn equal_rows_and_rows_without_a_time_count_once() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[A, C]);
    folder.applied(&database);
    database.execute(
        "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) SELECT hash, created_at FROM drizzle.__drizzle_migrations",
    );
    let twice = run(&folder, &database);
    assert!(twice.stderr.contains("nothing to do"), "{}", twice.stderr);
    database.execute("UPDATE drizzle.__drizzle_migrations SET created_at = NULL WHERE created_at = 3000");
    let untimed = run(&folder, &database);
    assert_eq!(untimed.status, 0, "{}", untimed.stderr);
    assert!(
        !untimed.stderr.contains("applied 0002_c in"),
        "{}",
        untimed.stderr
    );
    database.execute("ALTER TABLE drizzle.__drizzle_migrations ALTER created_at TYPE numeric");
    assert_eq!(run(&folder, &database).status, 0);
}

#[test]
fn two_entries_with_one_time_are_told_apart_by_their_text() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[A]);
    folder.applied(&database);
    folder.write_journal(&[A, ("0001_b", 1000, "CREATE TABLE b (id int);")]);
    let run = folder.applied(&database);
    assert!(run.stderr.contains("applied 0001_b"), "{}", run.stderr);
    assert_eq!(count(&database), 2);
    assert!(folder.applied(&database).stderr.contains("nothing to do"));
}

/// The planner runs the function of an index, so not every table with Drizzle's columns may be read.
#[test]
fn a_table_of_somebody_else_runs_no_code() {
    let database = Server::shared().database();
    let evil = database.role("");
    database.execute(&format!(
        "CREATE SCHEMA evil AUTHORIZATION {evil}; CREATE TABLE proof (n int); GRANT INSERT ON proof TO PUBLIC; SET ROLE {evil}; \
         CREATE FUNCTION evil.f() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN \
           IF current_user <> '{evil}' THEN RAISE EXCEPTION 'it ran as %', current_user; END IF; RETURN 1; END $$; \
         CREATE TABLE evil.t (id int, hash text, created_at bigint); CREATE INDEX ON evil.t ((evil.f())); \
         GRANT USAGE ON SCHEMA evil TO PUBLIC; GRANT SELECT ON evil.t TO PUBLIC"
    ));
    let run = Folder::journal(&[A, C]).ours(&database).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("it ran as"), "{}", run.stderr);
}

#[test]
fn an_object_of_another_kind_or_table_is_not_what_a_late_entry_creates() {
    for (before, sql, status) in [
        ("CREATE INDEX i ON c (id)", "CREATE INDEX i ON a (id);", 1),
        ("CREATE VIEW b AS SELECT 1", "CREATE TABLE b (id int);", 6),
    ] {
        let (database, folder) = late(sql);
        database.execute(before);
        let run = folder.ours(&database).run();
        assert!(run.status != 0, "{status}: {sql}: {}", run.stderr);
        assert_eq!(count(&database), 2, "{sql}");
    }
}

#[test]
fn an_invalid_index_is_no_index() {
    let (database, folder) = late("CREATE UNIQUE INDEX CONCURRENTLY i ON a (id);");
    database.execute("INSERT INTO a VALUES (1), (1)");
    for _ in 0..2 {
        assert_eq!(folder.ours(&database).run().status, 1);
    }
    database.execute("DELETE FROM a");
    folder.applied(&database);
    assert_eq!(count(&database), 3);
}

#[test]
fn an_interrupted_entry_is_continued_whatever_exists() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE beside ()");
    let folder = Folder::journal(&[
        (
            "0000_a",
            2000,
            "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1);--> statement-breakpoint\n\
             CREATE UNIQUE INDEX CONCURRENTLY i ON a (id);--> statement-breakpoint\nCREATE TABLE z ();",
        ),
        ("0001_b", 1000, "CREATE TABLE b ();"),
    ]);
    let run = folder.ours(&database).run();
    assert_eq!(run.status, 1, "{}", run.stderr);
    database.execute("DELETE FROM a WHERE ctid = '(0,1)'");
    let run = folder.applied(&database);
    assert!(run.stderr.contains("1 of the 3 steps"), "{}", run.stderr);
    assert_eq!(count(&database), 2);
}

#[test]
fn names_after_a_search_path_are_not_looked_up_elsewhere() {
    let database = Server::shared().database();
    let sql = "CREATE SCHEMA app; SET search_path = app; CREATE TABLE x (id int);";
    Folder::journal(&[("0000_x", 1000, sql)]).applied(&database);
    let edited = format!("{sql} -- edited");
    let folder = Folder::journal(&[("0000_x", 1000, &edited)]);
    let run = folder.applied(&database);
    assert!(run.stderr.contains("changed since"), "{}", run.stderr);
}

#[test]
fn letters_are_folded_as_the_server_does() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[("0000_x", 1000, "CREATE TABLE ÜBER (Ä int);")]);
    database.execute("CREATE TABLE ÜBER (Ä int)");
    assert_eq!(folder.ours(&database).run().status, 6);
    let adopted = folder.ours(&database).args(["adopt", "--to", "0000_x"]).run();
    assert_eq!(adopted.status, 0, "{}", adopted.stderr);
}
