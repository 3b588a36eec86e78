//! refinery's own command-line program and this one take turns on one database.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use refinery_core::{Migration, MigrationType, find_migration_files};
use zerostarter_migrate::Source;
use zerostarter_migrate::source::{Checksum, Directory, UnknownFiles};

use zerostarter_test_harness::{Command, Database, Server, zerostarter_db};

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
    let files = zerostarter_migrations::source()
        .load()
        .expect("the embedded migrations");
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file.path));
        let theirs = Migration::unapplied(&file.label, &text.expect("the file")).expect("a migration");
        assert_eq!(file.version(), i64::from(theirs.version()), "{}", file.path);
        assert_eq!(file.name(), theirs.name(), "{}", file.path);
        assert_eq!(
            file.checksum(),
            Checksum::Refinery(theirs.checksum()),
            "{}",
            file.path
        );
        assert_eq!(file.sql().ok().as_deref(), theirs.sql(), "{}", file.path);
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

fn lenient(path: &Path) -> Directory {
    let path = path.to_owned();
    let unknown_files = UnknownFiles::Warn;
    Directory { path, unknown_files }
}

#[test]
fn the_files_that_are_found_are_those_that_refinery_finds() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir_all(path("below/a_directory.sql")).unwrap();
    for name in [
        "V2__plain.sql",
        "U3__late.sql",
        "V004__zeros.sql",
        "V5__größe_数.sql",
        "V6__a__b.sql",
        "V7__with-dash.sql",
        "V8__.sql",
        "V9__capitals.SQL",
        "V10__backup.sql.bak",
        "V11__two.sql.sql",
        "v12__small.sql",
        "xV13__prefix.sql",
        "V14_single.sql",
        "V__none.sql",
        "V15__space here.sql",
        "V16__.hidden.sql",
        "below/V17__deep.sql",
        "below/a_directory.sql/V18__deeper.sql",
    ] {
        fs::write(path(name), "SELECT 1;").unwrap();
    }
    symlink("V2__plain.sql", path("V19__link.sql")).unwrap();
    symlink("below", path("also_below")).unwrap();

    let root = directory.path().canonicalize().unwrap();
    let mut theirs: Vec<String> = find_migration_files(&root, MigrationType::Sql)
        .unwrap()
        .map(|file| file.to_str().unwrap().to_owned())
        .collect();
    let mut ours: Vec<String> = Source::Directory(lenient(&root))
        .load()
        .unwrap()
        .into_iter()
        .map(|file| file.path)
        .collect();
    theirs.sort();
    ours.sort();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 8, "{ours:?}");
}

#[test]
fn a_directory_of_thousands_is_read_in_full_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    for version in 0..2_500 {
        let name = format!("V{version}__step.sql");
        fs::write(directory.path().join(name), format!("SELECT {version};")).unwrap();
    }
    let files = Source::Directory(directory.path().into()).load().unwrap();
    assert_eq!(files.len(), 2_500);
    for (version, file) in (0..).zip(&files) {
        assert_eq!(
            (file.version(), file.sql().unwrap()),
            (version, format!("SELECT {version};").into())
        );
    }
    fs::write(directory.path().join("V1999__step.sql"), b"SELECT 1;\n\xff").unwrap();
    let error = Source::Directory(directory.path().into())
        .load()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("V1999__step.sql") && error.contains("UTF-8 at line 2"),
        "{error}"
    );
}
