//! Tables of tools that are not here as programs, made by hand.

use zerostarter_test_harness::Server;

use super::folder::Folder;

#[test]
fn flyways_versions_and_repeatable_migrations() {
    let folder = Folder::new(&[
        ("V1__users.sql", "CREATE TABLE users (id int);\n"),
        ("V1.10__late.sql", "CREATE TABLE late ();\n"),
        ("V1_2__posts.sql", "CREATE TABLE posts ();\n"),
        ("below/V2__below.sql", "CREATE TABLE below ();\n"),
        (
            "R__view.sql",
            "CREATE OR REPLACE VIEW v AS SELECT id FROM users;\n",
        ),
        ("U2__below.sql", "DROP TABLE below;\n"),
        ("beforeMigrate.sql", "SELECT 1;\n"),
    ]);
    let new = Server::shared().database();
    let said = folder.imported("flyway", &new);
    assert_eq!(
        folder.v_files(),
        [
            "V1__V1__users.sql",
            "V2__V1_2__posts.sql",
            "V3__V1_10__late.sql",
            "V4__V2__below.sql",
            "V5__R__view.sql"
        ]
    );
    assert_eq!(said.matches("pending").count(), 5, "{said}");
    folder.migrated(&new);
    // With the table of a database that Flyway has migrated up to 1.10, from a baseline at 1.2.
    let database = Server::shared().database();
    database.execute(
        "CREATE TABLE users (id int); CREATE TABLE posts (); CREATE TABLE late (); \
         CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version text, description text, type text, \
           script text, checksum int, installed_by text, installed_on timestamp DEFAULT now(), execution_time int, success bool); \
         INSERT INTO flyway_schema_history VALUES (1, '1.2', '<< Flyway Baseline >>', 'BASELINE', '', NULL, '', now(), 0, true), \
           (2, '1.10', 'late', 'SQL', 'V1.10__late.sql', NULL, '', now(), 0, true)",
    );
    let said = folder.imported("flyway", &database);
    assert_eq!(said.matches("recorded as applied").count(), 3, "{said}");
    let log = folder.migrated(&database);
    assert!(
        log.contains("applied V4__V2__below") && log.contains("applied V5__R__view"),
        "{log}"
    );
    database.execute("UPDATE flyway_schema_history SET success = false WHERE installed_rank = 2");
    let run = folder.import("flyway", &database);
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(run.stderr.contains("1.10 failed"), "{}", run.stderr);
}

#[test]
fn gooses_sections_and_rows() {
    let folder = Folder::new(&[
        (
            "00001_users.sql",
            "-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;\n\
             -- +goose StatementEnd\nCREATE TABLE users (id int);\n-- +goose Down\nDROP TABLE users;\n",
        ),
        (
            "00002_index.sql",
            "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON users (id);\n-- +goose Down\nDROP INDEX i;\n",
        ),
        ("00003_more.sql", "-- +goose Up\nCREATE TABLE more ();\n"),
    ]);
    let database = Server::shared().database();
    database.execute(
        "CREATE TABLE users (id int); CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied bool, tstamp timestamp DEFAULT now()); \
         INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false)",
    );
    let said = folder.imported("goose", &database);
    assert_eq!(said.matches("recorded as applied").count(), 1, "{said}");
    let log = folder.migrated(&database);
    assert!(
        log.contains("applied V2__2_index in")
            && log.contains("without a transaction block")
            && log.contains("applied V3__"),
        "{log}"
    );
    let new = Server::shared().database();
    folder.migrated(&new);
}

#[test]
fn golang_migrates_one_row() {
    let folder = Folder::new(&[
        (
            "1_users.up.sql",
            "BEGIN;\nCREATE TABLE users (id int);\nCOMMIT;\n",
        ),
        ("1_users.down.sql", "DROP TABLE users;\n"),
        ("2_posts.up.sql", "CREATE TABLE posts ();\n"),
        ("20230101120000_late.up.sql", "CREATE TABLE late ();\n"),
    ]);
    let database = Server::shared().database();
    database.execute(
        "CREATE TABLE users (id int); CREATE TABLE posts (); \
         CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty bool NOT NULL); INSERT INTO schema_migrations VALUES (2, false)",
    );
    let said = folder.imported("golang-migrate", &database);
    assert_eq!(said.matches("recorded as applied").count(), 2, "{said}");
    let log = folder.migrated(&database);
    assert!(log.contains("applied V3__20230101120000_late"), "{log}");
    // dbmate's table has the same name.
    let run = folder.import("dbmate", &database);
    assert_eq!(run.status, 2, "{}", run.stderr);
    database.execute("UPDATE schema_migrations SET dirty = true");
    let run = folder.import("golang-migrate", &database);
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(run.stderr.contains("dirty = true"), "{}", run.stderr);
}
