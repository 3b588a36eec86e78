//! How the entries of a Drizzle folder are applied.

use std::thread;
use std::time::Duration;

use insta::assert_snapshot;
use zerostarter_test_harness::{Proxy, Server, ServerOptions, poll};

use super::folder::{Folder, count, rows};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_run_says_what_it_does() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[
        (
            "0000_a",
            1000,
            "CREATE TABLE a (b int)\n--> statement-breakpoint\nCREATE INDEX i ON a (b)",
        ),
        (
            "0001_b",
            2000,
            "ALTER TABLE a ADD c int;--> statement-breakpoint\n",
        ),
    ]);
    assert_snapshot!(folder.ours(&database).snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied 0000_a in [ms]
    [time] INFO  applied 0001_b in [ms]
    ");
    assert_snapshot!(folder.ours(&database).snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  nothing to do: the database has all migrations up to 0001_b
    ");
    assert_snapshot!(folder.ours(&database).arg("status").snapshot(), @"
    status: 0
    --- stdout
    0000_a  applied
    0001_b  applied
    --- stderr
    ");
    assert_eq!(folder.ours(&database).arg("check").run().status, 0);
    assert_eq!(
        database.rows("SELECT to_regclass('refinery_schema_history')"),
        [""]
    );
}

#[test]
fn an_error_names_file_and_line_and_keeps_what_was_applied() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[
        ("0000_a", 1000, "CREATE TABLE a (b int);"),
        (
            "0001_b",
            2000,
            "CREATE TABLE c ();\n--> statement-breakpoint\n\nINSERT INTO a\nVALUES (1 / 0);\n",
        ),
    ]);
    assert_snapshot!(folder.ours(&database).snapshot(), @"
    status: 1
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied 0000_a in [ms]
    error: 0001_b failed and was rolled back
      division by zero (SQLSTATE 22012)
       --> [folder]/0001_b.sql:4:1
      4 | INSERT INTO a
        | ^
      applied before it, and kept: 0000_a
    ");
    assert_eq!(count(&database), 1);
}

#[test]
fn pieces_are_lexed_each_by_itself() {
    let database = Server::shared().database();
    for (sql, line) in [
        (
            "SELECT 1;\n--> statement-breakpoint\nSELECT 'a;\n--> statement-breakpoint\nSELECT 'b'",
            3,
        ),
        ("SELECT 1; /* open\n--> statement-breakpoint\n*/ SELECT 2", 1),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1;\n--> statement-breakpoint\nSELECT 2 $$",
            1,
        ),
    ] {
        let folder = Folder::journal(&[("0000_a", 1000, "CREATE TABLE a ();"), ("0001_b", 2000, sql)]);
        let run = folder.ours(&database).run();
        assert_eq!(run.status, 2, "{sql}: {}", run.stderr);
        assert!(
            run.stderr.contains(&format!("0001_b.sql:{line}: ")),
            "{sql}: {}",
            run.stderr
        );
        assert_eq!(count(&database), 0);
    }
}

/// In one transaction, as Drizzle does it, the server refuses the new value.
#[test]
fn an_enum_value_is_used_by_a_later_entry() {
    let folder = Folder::journal(&[
        (
            "0000_a",
            1000,
            "CREATE TYPE m AS ENUM ('a'); CREATE TABLE t (m m);",
        ),
        ("0001_b", 2000, "ALTER TYPE m ADD VALUE 'b';"),
        ("0002_c", 3000, "INSERT INTO t VALUES ('b');"),
    ]);
    let database = Server::shared().database();
    folder.applied(&database);
    assert_eq!(database.rows("SELECT m FROM t"), ["b"]);
    // Newer servers allow it if the type was created in the same transaction.
    let database = Server::shared().database();
    database.execute("CREATE TYPE m AS ENUM ('a'); CREATE TABLE t (m m)");
    let atomic = folder.ours(&database).args(["adopt", "--only", "0000_a"]).run();
    assert_eq!(atomic.status, 0, "{}", atomic.stderr);
    let atomic = folder.ours(&database).args(["migrate", "--atomic"]).run();
    assert_eq!(atomic.status, 1, "{}", atomic.stderr);
    assert!(atomic.stderr.contains("55P04"), "{}", atomic.stderr);
    assert_eq!(count(&database), 1);
}

#[test]
fn an_entry_is_split_around_what_cannot_run_in_a_transaction() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[
        ("0000_a", 1000, "CREATE TABLE a (b int, c int);"),
        (
            "0001_b",
            2000,
            "INSERT INTO a VALUES (1, 1); CREATE INDEX CONCURRENTLY i ON a (b); INSERT INTO a VALUES (2, 2);\n\
             --> statement-breakpoint\nDROP INDEX CONCURRENTLY i;\n--> statement-breakpoint\nCREATE INDEX CONCURRENTLY i ON a (c)",
        ),
        (
            "0002_c",
            3000,
            "ALTER TABLE a ADD d int;--> statement-breakpoint\nCOMMIT;--> statement-breakpoint\n\
             SET LOCAL work_mem = '1MB'; INSERT INTO a VALUES (3, 3);--> statement-breakpoint\n\
             DO $$ BEGIN INSERT INTO a VALUES (4, 4); COMMIT; END $$;",
        ),
        ("0003_d", 4000, "BEGIN;\nCREATE TABLE e ();\nCOMMIT;"),
    ]);
    let run = folder.applied(&database);
    assert!(run.stderr.contains("applied 0001_b in"), "{}", run.stderr);
    assert_eq!(database.rows("SELECT b FROM a ORDER BY b"), ["1", "2", "3", "4"]);
    assert_eq!(count(&database), 4);
    let comment = "SELECT obj_description('drizzle.__drizzle_migrations'::regclass)";
    assert_eq!(database.rows(comment), [""]);
}

#[test]
fn settings_do_not_reach_the_next_entry() {
    let database = Server::shared().database();
    database.execute("CREATE SCHEMA other");
    let folder = Folder::journal(&[
        (
            "0000_a",
            1000,
            "SET search_path = other;--> statement-breakpoint\nCREATE TABLE a ();",
        ),
        ("0001_b", 2000, "CREATE TABLE b ();"),
    ]);
    folder.applied(&database);
    assert_eq!(
        database.rows("SELECT to_regclass('other.a'), to_regclass('public.b')"),
        ["other.a|b"]
    );
}

#[test]
fn the_round_trips_are_those_of_other_migrations() {
    let database = Server::shared().database();
    let entries = [
        ("0000_a", 1000, "CREATE TABLE a ();"),
        ("0001_b", 2000, "CREATE TABLE b ();"),
        ("0002_c", 3000, "CREATE TABLE c ();"),
    ];
    let folder = Folder::journal(&entries);
    let through = |expected: usize| {
        let proxy = Proxy::start(database.port());
        let run = folder
            .ours(&database)
            .env("POSTGRES_URL", database.url_through(proxy.port()))
            .run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(proxy.round_trips(), expected, "{}", run.stderr);
    };
    through(3 + 3);
    through(3);
    database.execute("CREATE TABLE beside ()");
    folder.write_journal(&[
        entries[0],
        entries[1],
        entries[2],
        ("0003_d", 4000, "CREATE TABLE d ();"),
    ]);
    through(1 + 3);
}

#[test]
fn many_instances_apply_a_folder_once() {
    let server = Server::start(ServerOptions::new().setting("max_connections", "300"));
    let database = server.database();
    let folder = Folder::journal(&[
        ("0000_a", 1000, "CREATE TABLE a (b int);"),
        ("0001_b", 2000, "INSERT INTO a VALUES (1);"),
    ]);
    thread::scope(|scope| {
        let all: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| folder.ours(&database).run()))
            .collect();
        for run in all {
            let run = run.join().expect("a run");
            assert_eq!(run.status, 0, "{}", run.stderr);
        }
    });
    assert_eq!(database.rows("SELECT b FROM a"), ["1"]);
    assert_eq!(count(&database), 2);
}

#[test]
fn the_table_may_have_another_name_and_place() {
    let database = Server::shared().database();
    let (app, vendored) = (
        Folder::journal(&[("0000_a", 1000, "CREATE TABLE a ();")]),
        Folder::journal(&[("0000_v", 5000, "CREATE TABLE v ();")]),
    );
    app.applied(&database);
    let run = vendored
        .ours(&database)
        .args(["--table", "auth.Migrations"])
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        database.rows("SELECT created_at FROM auth.\"Migrations\""),
        ["5000"]
    );
    // A forgotten option would apply everything again.
    let run = vendored.ours(&Server::shared().database()).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    database.execute("DROP TABLE drizzle.__drizzle_migrations");
    let run = vendored.ours(&database).run();
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(
        run.stderr.contains("auth.\"Migrations\"") && run.stderr.contains("MIGRATIONS_TABLE=auth.Migrations"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_role_without_create_on_the_database_has_nothing_to_do() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[("0000_a", 1000, "CREATE TABLE a ();")]);
    folder.applied(&database);
    let role = database.role("");
    database.execute(&format!(
        "GRANT USAGE ON SCHEMA drizzle TO {role}; GRANT SELECT ON drizzle.__drizzle_migrations TO {role}"
    ));
    let run = folder
        .ours(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    // With INSERT alone it cannot lock the table, and need not.
    database.execute(&format!(
        "GRANT INSERT ON drizzle.__drizzle_migrations TO {role}; GRANT USAGE ON SEQUENCE drizzle.__drizzle_migrations_id_seq TO {role}; \
         GRANT CREATE ON SCHEMA public TO {role}"
    ));
    folder.write_journal(&[
        ("0000_a", 1000, "CREATE TABLE a ();"),
        ("0001_b", 2000, "CREATE TABLE b ();"),
    ]);
    let run = folder
        .ours(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(rows(&database).len(), 2);
}

#[test]
fn database_url_is_read_if_no_other_variable_is_set() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[("0000_a", 1000, "CREATE TABLE a ();")]);
    let run = folder
        .ours(&database)
        .env_remove("POSTGRES_URL")
        .env("DATABASE_URL", database.url())
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    let run = folder
        .ours(&database)
        .env("DATABASE_URL", "mysql://somewhere:secret@else/db")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("DATABASE_URL is not used") && !run.stderr.contains("secret"),
        "{}",
        run.stderr
    );
}

/// It locks Drizzle's table, so that drizzle-kit waits: our own readers wait too, for it and not for the lock.
#[test]
fn a_long_migration_with_data_is_waited_for() {
    let database = Server::shared().database();
    let slow = (
        "0001_slow",
        2000,
        "INSERT INTO a VALUES (1);--> statement-breakpoint\nSELECT pg_sleep(6);",
    );
    let folder = Folder::journal(&[("0000_a", 1000, "CREATE TABLE a (b int);")]);
    folder.applied(&database);
    folder.write_journal(&[("0000_a", 1000, "CREATE TABLE a (b int);"), slow]);
    let running = folder.ours(&database).start();
    let sleeping =
        "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    poll(SOON, || (!database.rows(sleeping).is_empty()).then_some(())).expect("the data");
    let short = || {
        folder
            .ours(&database)
            .env("MIGRATE_LOCK_TIMEOUT", "200ms")
            .env("MIGRATE_LOCK_RETRIES", "1")
    };
    let check = short().arg("check").run();
    assert_eq!(check.status, 5, "{}", check.stderr);
    assert!(check.stderr.contains("another migrator"), "{}", check.stderr);
    let status = short().arg("status").run();
    assert_eq!(status.status, 7, "{}", status.stderr);
    assert!(status.stderr.contains("blocked by: pid"), "{}", status.stderr);
    let waiting = short().arg("wait").start();
    let second = short().run();
    assert_eq!(second.status, 0, "{}", second.stderr);
    assert!(
        second.stderr.contains("another migrator holds the lock"),
        "{}",
        second.stderr
    );
    assert_eq!(waiting.wait().status, 0);
    assert_eq!(running.wait().status, 0);
    assert_eq!(database.rows("SELECT b FROM a"), ["1"]);
}
