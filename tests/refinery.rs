//! refinery's own command-line program and this one take turns on one database.

use std::path::{Path, PathBuf};

use refinery_core::Migration;
use zerostarter_db::source;

use crate::harness::{Command, Database, Server, zerostarter_db};

const FILES: &[(&str, &str)] = &[
    ("V1__one.sql", "CREATE TABLE one (id int);\n"),
    ("V2__crlf.sql", "CREATE TABLE crlf (\r\n);\r\n-- end"),
    (
        "V0003__größe.sql",
        "CREATE TABLE \"größe\" (a text DEFAULT '🦀');\n",
    ),
    (
        "U4__unversioned.sql",
        "CREATE TABLE unversioned ();\nSELECT ';';\n",
    ),
];

fn refinery() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin/refinery");
    assert!(
        built.exists(),
        "{} is not there: run `make peers`",
        built.display()
    );
    built
}

fn ours(database: &Database) -> Command {
    FILES
        .iter()
        .fold(zerostarter_db(database), |command, (name, sql)| {
            command.migration(name, sql)
        })
}

fn theirs(database: &Database, directory: &Path) -> Command {
    Command::program(refinery())
        .args(["migrate", "-e", "DATABASE_URL", "-p"])
        .arg(directory)
        .env("DATABASE_URL", database.url())
        .env("RUST_LOG", "info")
}

#[test]
fn what_the_build_noted_of_a_migration_is_what_refinery_makes_of_it() {
    let files = source::load(None).expect("the embedded migrations");
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file.path));
        let theirs = Migration::unapplied(&file.stem, &text.expect("the file")).expect("a migration");
        assert_eq!(file.version(), i64::from(theirs.version()), "{}", file.path);
        assert_eq!(file.name(), theirs.name(), "{}", file.path);
        assert_eq!(file.checksum(), theirs.checksum(), "{}", file.path);
        assert_eq!(file.migration(), &theirs, "{}", file.path);
        assert_eq!(file.migration().sql(), theirs.sql(), "{}", file.path);
    }
}

#[test]
fn both_write_the_same_history() {
    let (mine, yours) = (Server::shared().database(), Server::shared().database());
    let command = ours(&mine);
    let run = command.run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    let run = theirs(&yours, &command.directory().join("migrations")).run();
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(mine.history(), yours.history());
    assert_eq!(mine.history().len(), FILES.len());
    assert_eq!(mine.catalog(), yours.catalog());
    let table = "SELECT column_name, data_type, character_maximum_length, is_nullable FROM information_schema.columns \
                 WHERE table_name = 'refinery_schema_history' ORDER BY ordinal_position";
    assert_eq!(mine.rows(table), yours.rows(table));
}

#[test]
fn each_finds_nothing_to_do_after_the_other() {
    let database = Server::shared().database();
    let command = ours(&database);
    let directory = command.directory().join("migrations");
    assert_eq!(command.run().status, 0);
    let (history, catalog) = (database.history(), database.catalog());
    let run = theirs(&database, &directory).run();
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!((database.history(), database.catalog()), (history, catalog));

    let database = Server::shared().database();
    assert_eq!(theirs(&database, &directory).run().status, 0);
    let run = ours(&database).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
}

#[test]
fn each_goes_on_where_the_other_stopped() {
    let database = Server::shared().database();
    let command = ours(&database).env("MIGRATE_TARGET", "2");
    assert_eq!(command.run().status, 0);
    let run = theirs(&database, &command.directory().join("migrations")).run();
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    let more = ours(&database).migration("V9__nine.sql", "CREATE TABLE nine ();");
    assert_eq!(more.run().status, 0);
    let run = theirs(&database, &more.directory().join("migrations")).run();
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(database.history().len(), FILES.len() + 1);
}

#[test]
fn the_embedded_migrations_have_refinerys_checksums() {
    let (mine, yours) = (Server::shared().database(), Server::shared().database());
    assert_eq!(zerostarter_db(&mine).run().status, 0);
    let run = theirs(&yours, &Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).run();
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(mine.history(), yours.history());
}
