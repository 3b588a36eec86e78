//! What makes a directory a folder of drizzle-kit, and what is wrong with one.

use std::os::unix::fs::symlink;

use insta::assert_snapshot;
use zerostarter_test_harness::{Server, zerostarter_db};

use super::folder::{Folder, count};

const GOOD: (&str, i64, &str) = ("0000_a", 1000, "CREATE TABLE a ();");

#[track_caller]
fn refused(folder: &Folder) -> String {
    let database = Server::shared().database();
    let output = folder.ours(&database).snapshot();
    assert!(output.starts_with("status: 2\n"), "{output}");
    assert!(database.catalog().is_empty() && count(&database) == 0, "{output}");
    output
}

#[test]
fn two_kinds_at_once_are_refused() {
    let folder = Folder::journal(&[GOOD]);
    folder.file("V1__b.sql", "SELECT 1");
    assert_snapshot!(refused(&folder), @"
    status: 2
    --- stdout
    --- stderr
    error: [folder] holds migrations of two kinds: V1__b.sql and meta/_journal.json

    hint: move one kind elsewhere, or set MIGRATIONS_FORMAT to drizzle or refinery and MIGRATIONS_DIR to one of the two
    ");
    let folder = Folder::folders(&[("20260101000000_a", "SELECT 1")]);
    folder.write_journal(&[GOOD]);
    assert_snapshot!(refused(&folder), @"
    status: 2
    --- stdout
    --- stderr
    error: [folder] holds migrations of two kinds: meta/_journal.json and 20260101000000_a/migration.sql

    hint: run drizzle-kit up with drizzle-kit 1.0: it turns the journal into folders
    ");
}

#[test]
fn folders_of_other_tools_and_databases_are_refused() {
    let prisma = Folder::empty();
    prisma.file("20260101000000_a/migration.sql", "SELECT 1");
    assert_snapshot!(refused(&prisma), @"
    status: 2
    --- stdout
    --- stderr
    error: [folder] holds folders with a migration.sql and no snapshot.json, which may be Prisma's

    hint: copy the snapshots too, or set MIGRATIONS_FORMAT=drizzle if the folder is drizzle-kit's
    ");
    let database = Server::shared().database();
    let told = prisma.ours(&database).env("MIGRATIONS_FORMAT", "drizzle").run();
    assert_eq!(told.status, 0, "{}", told.stderr);
    prisma.file("migration_lock.toml", "provider = \"postgresql\"");
    assert!(refused(&prisma).contains("belongs to Prisma"));
    let folder = Folder::journal(&[GOOD]);
    folder.file(
        "meta/_journal.json",
        "{\"version\": \"6\", \"dialect\": \"sqlite\", \"entries\": []}",
    );
    assert_snapshot!(refused(&folder), @"
    status: 2
    --- stdout
    --- stderr
    error: [folder]/meta/_journal.json is a journal of sqlite, not of PostgreSQL

    hint: set MIGRATIONS_DIR to the folder of the PostgreSQL database
    ");
    let folder = Folder::folders(&[("20260101000000_a", "SELECT 1")]);
    folder.file("20260101000000_a/snapshot.json", "{\"dialect\": \"mysql\"}");
    assert!(refused(&folder).contains("names mysql"));
}

#[test]
fn a_broken_journal_is_named_with_its_place() {
    for (journal, expected) in [
        (
            "{",
            "is not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        ("{\"dialect\": \"postgresql\"}", "has no entries"),
        ("{\"entries\": []}", "has no dialect"),
        ("{\"dialect\": \"postgresql\", \"entries\": []}", "has no entry"),
        (
            "{\"dialect\": \"postgresql\", \"entries\": [{\"when\": 1}]}",
            "has no tag in entries[0]",
        ),
        (
            "{\"dialect\": \"postgresql\", \"entries\": [{\"tag\": \"0000_a\"}]}",
            "has no whole number of milliseconds as \"when\" of 0000_a (entries[0])",
        ),
        (
            "{\"dialect\": \"postgresql\", \"entries\": [{\"tag\": \"0000_a\", \"when\": 1.5}]}",
            "has no whole number of milliseconds",
        ),
        (
            "{\"dialect\": \"postgresql\", \"entries\": [{\"tag\": \"0000_a\", \"when\": 9007199254740993}]}",
            "has no whole number of milliseconds",
        ),
        (
            "{\"dialect\": \"postgresql\", \"entries\": [{\"tag\": \"0001_gone\", \"when\": 1}]}",
            "0001_gone.sql is in the journal of the folder, and cannot be read",
        ),
        (
            "{\"dialect\": \"postgresql\", \"entries\": [{\"tag\": \"../outside\", \"when\": 1}]}",
            "leads out of the folder",
        ),
    ] {
        let folder = Folder::journal(&[GOOD]);
        folder.file("../outside.sql", "SELECT 1");
        folder.file("meta/_journal.json", journal);
        let output = refused(&folder);
        assert!(output.contains(expected), "{journal}: {output}");
    }
    for when in ["\"2000\"", "-5", "0"] {
        let folder = Folder::journal(&[GOOD]);
        folder.file(
            "meta/_journal.json",
            format!("{{\"dialect\": \"pg\", \"entries\": [{{\"tag\": \"0000_a\", \"when\": {when}}}]}}"),
        );
        let database = Server::shared().database();
        folder.applied(&database);
        assert_eq!(count(&database), 1, "{when}");
    }
}

#[test]
fn a_missing_journal_is_asked_for() {
    let folder = Folder::empty();
    folder.file("0000_a.sql", "SELECT 1");
    folder.file("meta/0000_snapshot.json", "{}");
    assert_snapshot!(refused(&folder), @"
    status: 2
    --- stdout
    --- stderr
    error: [folder]/meta/_journal.json does not exist, and no folder holds a migration.sql

    hint: set MIGRATIONS_DIR to the folder of drizzle-kit; look whether .dockerignore leaves meta out
    ");
}

#[test]
fn a_link_out_of_the_folder_is_refused_and_a_mounted_config_map_is_not() {
    let folder = Folder::journal(&[GOOD]);
    folder.file("../elsewhere.sql", "SELECT 1");
    std::fs::remove_file(folder.path().join("0000_a.sql")).expect("to remove");
    symlink("../elsewhere.sql", folder.path().join("0000_a.sql")).expect("a link");
    assert!(refused(&folder).contains("leads out of the folder"));
    // A ConfigMap is mounted as links through `..data` to a directory of that version.
    let mount = Folder::empty();
    mount.file("..2026_01/0000_a.sql", GOOD.2);
    mount.file(
        "..2026_01/_journal.json",
        "{\"dialect\": \"postgresql\", \"entries\": [{\"tag\": \"0000_a\", \"when\": 1000}]}",
    );
    symlink("..2026_01", mount.path().join("..data")).expect("a link");
    symlink("..data/0000_a.sql", mount.path().join("0000_a.sql")).expect("a link");
    std::fs::create_dir(mount.path().join("meta")).expect("meta");
    symlink("../..data/_journal.json", mount.path().join("meta/_journal.json")).expect("a link");
    let database = Server::shared().database();
    mount.applied(&database);
    assert_eq!(count(&database), 1);
}

#[test]
fn a_tag_that_stands_twice_is_refused_while_it_is_pending() {
    let folder = Folder::journal(&[GOOD, ("0000_a", 2000, "CREATE TABLE a ();")]);
    assert!(refused(&folder).contains("is in the journal twice"));
}

#[test]
fn a_file_that_is_not_utf_8_stops_a_run_only_while_it_is_pending() {
    let folder = Folder::journal(&[GOOD]);
    folder.file("0000_a.sql", b"CREATE TABLE a (); -- \xff\n");
    assert!(refused(&folder).contains("is not UTF-8 at line 1"));
    let database = Server::shared().database();
    // Drizzle decodes it first; this is the hash that it writes.
    folder.kit_migrates(super::folder::Kit::Old, &database);
    let run = folder.applied(&database);
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
}

#[test]
fn a_file_without_an_entry_is_a_warning() {
    let folder = Folder::journal(&[GOOD]);
    folder.file("0001_forgotten.sql", "CREATE TABLE b ();");
    let database = Server::shared().database();
    let run = folder.applied(&database);
    assert!(
        run.stderr
            .contains("not in meta/_journal.json, so not applied: 0001_forgotten"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_does_not_have_drizzles_columns_is_no_table_of_its() {
    let folder = Folder::journal(&[GOOD]);
    let database = Server::shared().database();
    database
        .execute("CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial, name text)");
    let run = folder.ours(&database).run();
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("hash and created_at"), "{}", run.stderr);
    let database = Server::shared().database();
    folder.applied(&database);
    let role = database.role("");
    let run = folder
        .ours(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .run();
    assert_eq!(run.status, 4, "{}", run.stderr);
}

#[test]
fn ten_thousand_entries_are_read() {
    let tags: Vec<String> = (0..10_000).map(|number| format!("{number:05}_x")).collect();
    let entries: Vec<_> = tags
        .iter()
        .enumerate()
        .map(|(number, tag)| (tag.as_str(), i64::try_from(number).expect("small"), "SELECT 1;"))
        .collect();
    let folder = Folder::journal(&entries);
    let database = Server::shared().database();
    let plan = zerostarter_db(&database)
        .env("MIGRATIONS_DIR", folder.path())
        .arg("check")
        .run();
    assert_eq!(plan.status, 5, "{}", plan.stderr);
}
