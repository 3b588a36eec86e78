//! Where the history in the database and the migrations disagree, nothing is changed, and it is said how.

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Database, Server, zerostarter_db};

const ONE: (&str, &str) = ("V1__one.sql", "CREATE TABLE one ();");
const TWO: (&str, &str) = ("V2__two.sql", "CREATE TABLE two ();");
const THREE: (&str, &str) = ("V3__three.sql", "CREATE TABLE three ();");

fn with(database: &Database, files: &[(&str, &str)]) -> Command {
    files
        .iter()
        .fold(zerostarter_db(database), |command, (name, sql)| {
            command.migration(name, sql)
        })
}

/// A database on which `files` have been applied.
fn migrated(files: &[(&str, &str)]) -> Database {
    let database = Server::shared().database();
    let run = with(&database, files).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    database
}

/// The output of a run that must fail with status 6 and leave everything as it was.
fn conflict(database: &Database, command: &Command) -> String {
    let before = (database.catalog(), database.history());
    let output = command.snapshot();
    assert_eq!((database.catalog(), database.history()), before);
    assert!(output.starts_with("status: 6\n"), "{output}");
    output
}

#[test]
fn an_edited_migration_is_named_with_both_checksums() {
    let database = migrated(&[ONE, TWO]);
    let command = with(
        &database,
        &[("V1__one.sql", "CREATE TABLE one (id int);"), TWO, THREE],
    );
    assert_snapshot!(conflict(&database, &command), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      migrations/V1__one.sql was edited after it was applied: the history table has V1__one with checksum 6006442477207448975, the file is V1__one with checksum 7230020950622453484

    hint: restore the file as it was applied (CRLF line ends change the checksum), and put the change into a new migration
    ");
}

#[test]
fn a_renamed_migration_is_an_edited_one() {
    let database = migrated(&[ONE]);
    let command = with(&database, &[("V1__uno.sql", ONE.1)]);
    assert_snapshot!(conflict(&database, &command), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      migrations/V1__uno.sql was edited after it was applied: the history table has V1__one with checksum 6006442477207448975, the file is V1__uno with checksum 12997218727067621964

    hint: restore the file as it was applied (CRLF line ends change the checksum), and put the change into a new migration
    ");
}

#[test]
fn line_ends_count() {
    let database = migrated(&[("V1__one.sql", "CREATE TABLE one (\n);\n")]);
    let command = with(&database, &[("V1__one.sql", "CREATE TABLE one (\r\n);\r\n")]);
    assert!(conflict(&database, &command).contains("CRLF line ends change the checksum"));
}

#[test]
fn a_migration_unknown_to_the_program_is_named() {
    let database = migrated(&[ONE, TWO, THREE]);
    let command = with(&database, &[ONE, THREE]);
    assert_snapshot!(conflict(&database, &command), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      V2__two is in the history table but not among the migrations, of which migrations/V3__three.sql is the newest

    hint: deploy the version of the program that has this migration, or restore its file
    ");
}

#[test]
fn a_new_migration_below_the_last_applied_is_refused() {
    let database = migrated(&[ONE, THREE]);
    let command = with(&database, &[ONE, TWO, THREE]);
    assert_snapshot!(conflict(&database, &command), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      migrations/V2__two.sql is not applied, and its version is lower than the last applied one, V3__three

    hint: give the file a version above the last applied one; probably two branches used the same numbers
    ");
}

#[test]
fn everything_that_disagrees_is_said_at_once() {
    let database = migrated(&[ONE, TWO, ("V4__four.sql", "CREATE TABLE four ();")]);
    let command = with(&database, &[("V1__one.sql", ""), THREE, ("V5__five.sql", "")]);
    let output = conflict(&database, &command);
    for text in [
        "V1__one.sql was edited",
        "V2__two is in the history table",
        "V3__three.sql is not applied",
        "V4__four is in the history table",
    ] {
        assert!(output.contains(text), "{text} in {output}");
    }
}

#[test]
fn each_command_that_compares_fails_alike() {
    let database = migrated(&[ONE, THREE]);
    for command in ["migrate", "check", "status", "plan", "wait"] {
        let run = with(&database, &[ONE, TWO, THREE]).arg(command).run();
        assert_eq!(run.status, 6, "{command}: {}", run.stderr);
    }
}

#[test]
fn a_database_that_is_ahead_is_a_warning() {
    let database = migrated(&[ONE, TWO, THREE]);
    let command = with(&database, &[ONE]);
    assert_snapshot!(command.snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] WARN  the database is ahead of this program: it has V2__two, V3__three, and the newest migration here is V1__one
    [time] INFO  nothing to do: the database has all migrations up to V1__one
    ");
    for name in ["check", "status", "plan", "wait"] {
        assert_eq!(with(&database, &[ONE]).arg(name).run().status, 0, "{name}");
    }
}

#[test]
fn a_database_that_is_ahead_is_refused_where_that_is_wanted() {
    let database = migrated(&[ONE, TWO]);
    let command = with(&database, &[ONE]).env("MIGRATE_AHEAD", "refuse");
    assert_snapshot!(conflict(&database, &command), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      the database is ahead: it has V2__two, and the newest here is migrations/V1__one.sql

    hint: deploy the version of the program that has these migrations, or set MIGRATE_AHEAD=allow
    ");
}

/// Ahead by one, and lacking another of ours: going on would change the order for everybody else.
#[test]
fn a_database_that_is_ahead_and_lacks_one_of_ours_is_out_of_order() {
    let database = migrated(&[ONE, THREE]);
    let command = with(&database, &[ONE, TWO]);
    assert!(conflict(&database, &command).contains("V2__two.sql is not applied"));
}

#[test]
fn files_named_with_u_may_come_late() {
    let database = migrated(&[ONE, THREE]);
    let run = with(
        &database,
        &[ONE, ("U2__late.sql", "CREATE TABLE late ();"), THREE],
    )
    .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(database.catalog().contains(&"table public.late".to_owned()));
    let versions: Vec<String> = database.rows("SELECT version FROM refinery_schema_history ORDER BY version");
    assert_eq!(versions, ["1", "2", "3"]);
}

#[test]
fn rows_that_somebody_else_left_incomplete_are_conflicts_and_no_crash() {
    let database = migrated(&[ONE]);
    database.execute("UPDATE refinery_schema_history SET name = NULL, applied_on = NULL, checksum = NULL");
    assert_snapshot!(conflict(&database, &with(&database, &[ONE])), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      migrations/V1__one.sql was edited after it was applied: the history table has V1__? with checksum none, the file is V1__one with checksum 6006442477207448975

    hint: restore the file as it was applied (CRLF line ends change the checksum), and put the change into a new migration
    ");
    assert_eq!(with(&database, &[ONE]).args(["status", "--json"]).run().status, 6);
}

/// refinery can be built with 64-bit versions; such a history is read all the same.
#[test]
fn versions_of_64_bits_are_read() {
    let database = migrated(&[ONE]);
    database.execute(
        "ALTER TABLE refinery_schema_history ALTER version TYPE bigint; \
         INSERT INTO refinery_schema_history VALUES (20260101120000, 'big', '2026-01-01T12:00:00Z', '1')",
    );
    let run = with(&database, &[ONE]).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("V20260101120000__big"), "{}", run.stderr);
}

/// PostgreSQL's own default path is "$user", public: a schema that gets the role's name later would hide
/// the history, and everything would be applied once more.
#[test]
fn a_history_further_back_in_the_search_path_is_not_passed_over() {
    let database = migrated(&[ONE]);
    let role = database.role("NOSUPERUSER");
    database.execute(&format!(
        "CREATE SCHEMA AUTHORIZATION {role}; GRANT SELECT ON refinery_schema_history TO {role}"
    ));
    let command = with(&database, &[ONE, TWO]).env("POSTGRES_URL", database.url_as(&role));
    assert_snapshot!(conflict(&database, &command), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table is in the schema public, but migrations would now create tables in [role]

    hint: add schema=public to the URL to continue with that history table, or choose a schema with options=-c%20search_path=…
    ");
}

#[test]
fn a_schema_that_was_chosen_has_a_history_of_its_own() {
    let database = migrated(&[ONE]);
    database.execute("CREATE SCHEMA tenant");
    for choice in ["&schema=tenant", "&options=-csearch_path%3Dtenant,public"] {
        let url = format!("{}{choice}", database.url());
        let run = with(&database, &[ONE]).env("POSTGRES_URL", url).run();
        assert_eq!(run.status, 0, "{choice}: {}", run.stderr);
        assert!(
            database.catalog().contains(&"table tenant.one".to_owned()),
            "{choice}"
        );
    }
}

#[test]
fn a_schema_that_does_not_exist_is_named() {
    let database = Server::shared().database();
    let command = with(&database, &[ONE]).env("POSTGRES_URL", format!("{}&schema=nosuch", database.url()));
    assert_snapshot!(command.snapshot(), @"
    status: 4
    --- stdout
    --- stderr
    error: the schema nosuch does not exist

    hint: as the owner of the database: CREATE SCHEMA nosuch; or correct schema= in the URL
    ");
}

#[test]
fn a_target_stops_the_run_there() {
    let database = Server::shared().database();
    let run = with(&database, &[ONE, TWO, THREE])
        .args(["migrate", "--target", "2"])
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        database.rows("SELECT max(version) FROM refinery_schema_history"),
        ["2"]
    );
    let below = with(&database, &[ONE, TWO, THREE])
        .env("MIGRATE_TARGET", "V1")
        .run();
    assert_eq!(below.status, 0, "{}", below.stderr);
    assert_eq!(
        database.rows("SELECT max(version) FROM refinery_schema_history"),
        ["2"]
    );
}

#[test]
fn a_target_that_no_migration_has_is_refused() {
    let database = Server::shared().database();
    assert_snapshot!(with(&database, &[ONE]).args(["migrate", "--target", "7"]).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: there is no migration with version 7

    hint: the newest migration is V1__one
    ");
    assert!(database.catalog().is_empty());
}

#[test]
fn two_files_of_one_version_are_refused() {
    let database = Server::shared().database();
    assert_snapshot!(with(&database, &[ONE, ("V01__uno.sql", "")]).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: migrations/V1__one.sql has the same version, 1, as migrations/V01__uno.sql

    hint: give one of the two files the next free version
    ");
}

/// Somebody who has locked the history itself keeps every command from it, and is named.
#[test]
fn a_history_that_is_locked_blocks_every_command() {
    let database = Server::shared().database();
    assert_eq!(with(&database, &[ONE]).run().status, 0);
    let session = database.session();
    let lock = "BEGIN; LOCK TABLE refinery_schema_history";
    session.execute(lock);
    let command = || with(&database, &[ONE]).env("MIGRATE_LOCK_TIMEOUT", "50ms");
    assert_snapshot!(command().env("MIGRATE_LOCK_RETRIES", "2").snapshot(), @"
    status: 7
    --- stdout
    --- stderr
    [time] WARN  the history table could not be read: canceling statement due to lock timeout (SQLSTATE 55P03), blocked by: pid [pid] (application harness, user postgres, idle in transaction, transaction open for [duration]), last statement: BEGIN; LOCK TABLE refinery_schema_history; attempt 2 of 2 follows in [duration]
    error: the history table is locked by another session and could not be read
      canceling statement due to lock timeout (SQLSTATE 55P03)
      blocked by: pid [pid] (application harness, user postgres, idle in transaction, transaction open for [duration]), last statement: BEGIN; LOCK TABLE refinery_schema_history

    hint: let pid [pid] finish, terminate it with SELECT pg_terminate_backend([pid]), or raise MIGRATE_LOCK_TIMEOUT
    ");
    assert_snapshot!(command().arg("check").snapshot(), @"
    status: 7
    --- stdout
    --- stderr
    error: the history table is locked by another session and could not be read
      canceling statement due to lock timeout (SQLSTATE 55P03)
      blocked by: pid [pid] (application harness, user postgres, idle in transaction, transaction open for [duration]), last statement: BEGIN; LOCK TABLE refinery_schema_history

    hint: let pid [pid] finish, terminate it with SELECT pg_terminate_backend([pid]), or raise MIGRATE_LOCK_TIMEOUT
    ");
    for arguments in [&["status"][..], &["plan"], &["wait", "--timeout", "1s"]] {
        let run = command().args(arguments).run();
        assert_eq!(run.status, 7, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(lock), "{arguments:?}: {}", run.stderr);
    }
    let mut waiting = command().arg("wait").start();
    waiting.wait_for_stderr("waiting until the history table can be read");
    let mut migrating = command().start();
    migrating.wait_for_stderr("attempt 2 of 10 follows");
    session.execute("COMMIT");
    for running in [waiting, migrating] {
        let run = running.wait();
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
}

/// The schema of the URL decides whose history it is.
#[test]
fn the_lock_of_another_history_is_not_blamed() {
    let database = Server::shared().database();
    database.execute("CREATE SCHEMA tenant");
    let tenant = || with(&database, &[ONE]).env("POSTGRES_URL", format!("{}&schema=tenant", database.url()));
    for command in [with(&database, &[ONE]), tenant()] {
        assert_eq!(command.run().status, 0);
    }
    let other = database.session();
    other.execute("BEGIN; LOCK TABLE public.refinery_schema_history");
    assert_eq!(tenant().arg("check").run().status, 0);
    let session = database.session();
    session.execute("BEGIN; LOCK TABLE tenant.refinery_schema_history");
    let run = tenant().arg("check").env("MIGRATE_LOCK_TIMEOUT", "50ms").run();
    assert_eq!(run.status, 7, "{}", run.stderr);
    assert!(run.stderr.contains("LOCK TABLE tenant"), "{}", run.stderr);
    assert!(!run.stderr.contains("LOCK TABLE public"), "{}", run.stderr);
}
