//! The example: another project's start-up migrator.

use zerostarter_test_harness::{Command, Database, Server, example};

fn own_migrator(database: &Database) -> Command {
    Command::program(example("own_migrator"))
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", database.url())
}

#[test]
fn another_project_has_its_own_migrator() {
    let database = Server::shared().database();
    for _ in 0..2 {
        let run = own_migrator(&database).run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(
            database.rows("SELECT version, name FROM refinery_schema_history ORDER BY version"),
            ["1|notes", "2|notes_text"]
        );
    }
    assert_eq!(
        database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'notes_text'::regclass"),
        ["t"]
    );
}

#[test]
fn it_has_the_settings_and_the_exit_statuses_of_the_engine() {
    let database = Server::shared().database();
    let bare = own_migrator(&database)
        .env_remove("NODE_ENV")
        .env("MIGRATE_WAIT", "soon")
        .run();
    assert_eq!(bare.status, 2, "{}", bare.stderr);
    for variable in ["NODE_ENV is not set", "MIGRATE_WAIT is not a duration"] {
        assert!(bare.stderr.contains(variable), "{}", bare.stderr);
    }
    let other = own_migrator(&database)
        .migration("V1__other.sql", "CREATE TABLE other ();")
        .run();
    assert_eq!(other.status, 0, "{}", other.stderr);
    let conflict = own_migrator(&database).run();
    assert_eq!(conflict.status, 6, "{}", conflict.stderr);
    assert!(
        conflict.stderr.contains("was edited after it was applied"),
        "{}",
        conflict.stderr
    );
}
