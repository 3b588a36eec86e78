//! An import that does not happen leaves nothing.

use insta::assert_snapshot;
use zerostarter_test_harness::{Database, Server};

use super::folder::{Folder, names};

#[track_caller]
fn refused(folder: &Folder, tool: &str, database: &Database, status: i32, words: &str) {
    let before = names(&folder.ours());
    let run = folder.import(tool, database);
    assert_eq!(run.status, status, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert_eq!(names(&folder.ours()), before, "{}", run.stderr);
    assert!(database.history().is_empty());
}

const SQLX: &str = "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, installed_on timestamptz, \
     success boolean, checksum bytea, execution_time bigint)";

#[test]
fn programs_and_placeholders_cannot_be_imported() {
    let database = Server::shared().database();
    let folder = Folder::new(&[
        ("V1__a.sql", "CREATE TABLE ${schema}.a ();\n"),
        ("V2__b.java", ""),
    ]);
    refused(
        &folder,
        "flyway",
        &database,
        2,
        "V1__a.sql:1 has the placeholder ${schema}",
    );
    refused(&folder, "flyway", &database, 2, "V2__b.java is a program");
    let folder = Folder::new(&[("00001_a.go", "")]);
    refused(&folder, "goose", &database, 2, "is a program in Go");
    let folder = Folder::new(&[("00001_a.sql", "CREATE TABLE a ();")]);
    refused(&folder, "goose", &database, 2, "it has no line -- +goose Up");
    refused(
        &Folder::new(&[("README.md", "")]),
        "sqlx",
        &database,
        2,
        "it has no migration of this tool",
    );
}

#[test]
fn a_table_that_is_missing_is_no_applied_migration() {
    let database = Server::shared().database();
    let folder = Folder::new(&[
        ("1_a.sql", "CREATE TABLE a ();"),
        ("2_b.sql", "CREATE TABLE b ();"),
    ]);
    database.execute(SQLX);
    database.execute("INSERT INTO _sqlx_migrations SELECT n, 'x', now(), true, ''::bytea, 0 FROM generate_series(1, 2) AS n");
    refused(
        &folder,
        "sqlx",
        &database,
        6,
        "1_a.sql has changed since it was applied",
    );
    database.execute(
        "UPDATE _sqlx_migrations SET checksum = CASE version WHEN 1 THEN sha384('CREATE TABLE a ();'::bytea) ELSE sha384('CREATE TABLE b ();'::bytea) END; \
         CREATE TABLE a ()",
    );
    refused(&folder, "sqlx", &database, 6, "table b is missing");
    database.execute("CREATE TABLE b (); DELETE FROM _sqlx_migrations WHERE version = 1");
    refused(
        &folder,
        "sqlx",
        &database,
        6,
        "is pending, and V2__2_b is applied after it",
    );
    database.execute("UPDATE _sqlx_migrations SET success = false");
    refused(&folder, "sqlx", &database, 6, "failed half-way");
}

#[test]
fn nothing_is_overwritten() {
    let database = Server::shared().database();
    let folder = Folder::new(&[("1_a.sql", "CREATE TABLE a ();")]);
    folder.imported("sqlx", &database);
    folder.file("1_a.sql", "CREATE TABLE other ();");
    refused(&folder, "sqlx", &database, 2, "exists, with other contents");
    assert_eq!(folder.text("V1__1_a.sql"), "CREATE TABLE a ();");
    let database = Server::shared().database();
    let command = folder
        .import_command("sqlx", &database)
        .env("POSTGRES_URL", "postgres://localhost:1/x?user=u")
        .env("MIGRATE_WAIT", "100ms");
    assert_eq!(command.run().status, 2);
    assert_snapshot!(folder.import_command("liquibase", &database).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: invalid value 'liquibase' for '--from <TOOL>'
      [possible values: flyway, sqlx, dbmate, goose, golang-migrate]

    hint: run zerostarter-db --help for the commands and flags
    ");
}
