//! `adopt` of a Drizzle folder: entries are recorded without being run.

use insta::assert_snapshot;
use zerostarter_test_harness::Server;

use super::folder::{Folder, Kit, count, rows};

const ENTRIES: [(&str, i64, &str); 3] = [
    ("0000_a", 1000, "CREATE TABLE a (id int);"),
    (
        "0001_b",
        2000,
        "ALTER TABLE a ADD COLUMN b int;--> statement-breakpoint\nCREATE TYPE m AS ENUM ('x');",
    ),
    ("0002_c", 3000, "CREATE TABLE c (id int);"),
];

#[test]
fn a_pushed_database_is_adopted_up_to_a_tag() {
    let database = Server::shared().database();
    database.execute("CREATE TABLE a (id int, b int); CREATE TYPE m AS ENUM ('x')");
    let folder = Folder::journal(&ENTRIES);
    let refused = folder.ours(&database).run();
    assert_eq!(refused.status, 6, "{}", refused.stderr);
    assert!(refused.stderr.contains("adopt --to 0001_b"), "{}", refused.stderr);
    let adopt = |arguments: &[&str]| {
        folder
            .ours(&database)
            .arg("adopt")
            .args(arguments.iter().copied())
    };
    assert_snapshot!(adopt(&[]).snapshot(), @r#"
    status: 0
    --- stdout
    record 0000_a in "drizzle"."__drizzle_migrations", without running it
    record 0001_b in "drizzle"."__drizzle_migrations", without running it
    --- stderr
    [time] INFO  nothing was changed: adopt --to TAG or --only TAG records them
    "#);
    assert_eq!(count(&database), 0);
    let missing = adopt(&["--to", "0002_c"]);
    assert_snapshot!(missing.snapshot(), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table and the migrations disagree
      0002_c cannot be recorded: the database lacks table c, column c.id

    hint: let migrate apply it, or add --unchecked to record it all the same
    ");
    assert_eq!(count(&database), 0);
    assert_snapshot!(adopt(&["--to", "0001_b"]).snapshot(), @r#"
    status: 0
    --- stdout
    record 0000_a in "drizzle"."__drizzle_migrations", without running it
    record 0001_b in "drizzle"."__drizzle_migrations", without running it
    --- stderr
    "#);
    assert_eq!(count(&database), 2);
    let run = folder.applied(&database);
    assert!(run.stderr.contains("applied 0002_c"), "{}", run.stderr);
    folder.kit_migrates(Kit::Old, &database);
    assert_eq!(rows(&database).len(), 3);
    assert_eq!(adopt(&["--to", "0002_c"]).run().stdout, "nothing to record\n");
}

#[test]
fn one_entry_is_recorded_unchecked() {
    let database = Server::shared().database();
    let folder = Folder::journal(&ENTRIES[..1]);
    folder.applied(&database);
    folder.write_journal(&ENTRIES);
    let adopt = |arguments: &[&str]| {
        folder
            .ours(&database)
            .arg("adopt")
            .args(arguments.iter().copied())
    };
    assert_eq!(adopt(&["--only", "0002_c"]).run().status, 6);
    let run = adopt(&["--only", "0002_c", "--unchecked"]).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(count(&database), 2);
    for (arguments, status) in [
        (&["--only", "0009_x"][..], 2),
        (&["--only", "0002_c", "--to", "0002_c"], 2),
    ] {
        assert_eq!(adopt(arguments).run().status, status, "{arguments:?}");
    }
    let embedded = zerostarter_test_harness::zerostarter_db(&database)
        .arg("adopt")
        .run();
    assert_eq!(embedded.status, 2, "{}", embedded.stderr);
}
