//! The real drizzle-kit: before us, after us, alternating, at the same time.

use std::thread;
use std::time::Duration;

use zerostarter_test_harness::{Database, Server, client_program, poll};

use super::folder::{Entry, Folder, Kit, count, rows};

const SOON: Duration = Duration::from_mins(1);

const FIRST: Entry<'static> = (
    "0000_first",
    1_765_943_437_627,
    "CREATE TYPE \"public\".\"mood\" AS ENUM('a', 'b');--> statement-breakpoint\n\
     CREATE TABLE \"user\" (\n\t\"id\" text PRIMARY KEY NOT NULL,\n\t\"mood\" \"mood\"\n);\n--> statement-breakpoint\n\
     CREATE INDEX \"user_mood_idx\" ON \"user\" USING btree (\"mood\");",
);
const SECOND: Entry<'static> = (
    "0001_second",
    1_765_943_500_123,
    "ALTER TABLE \"user\" ADD COLUMN \"role\" text DEFAULT 'user';--> statement-breakpoint\n\
     INSERT INTO \"user\" VALUES ('1', 'a');\r\n",
);
const THIRD: Entry<'static> = (
    "0002_third",
    1_765_943_600_000,
    "UPDATE \"user\" SET \"role\" = 'admin';\n--> statement-breakpoint\nCREATE TABLE \"log\" (\"id\" serial)",
);

/// The schema of the database as `pg_dump` writes it, with Drizzle's table.
fn dump(database: &Database) -> String {
    let program = client_program("pg_dump").expect("pg_dump");
    let output = std::process::Command::new(program)
        .args(["-s", "--no-owner", "-d"])
        .arg(database.url())
        .output()
        .expect("pg_dump");
    let text = String::from_utf8_lossy(&output.stdout);
    // Names a run of pg_dump, and changes with each.
    text.lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn new_folders() -> Folder {
    Folder::folders(&[
        ("20251217035037_first", FIRST.2),
        ("20251217035140_second", SECOND.2),
        ("20251217035320_third", THIRD.2),
    ])
}

#[test]
fn what_we_leave_is_what_drizzle_kit_leaves() {
    for (kit, folder) in [
        (Kit::Old, Folder::journal(&[FIRST, SECOND, THIRD])),
        (Kit::New, new_folders()),
    ] {
        let (ours, theirs) = (Server::shared().database(), Server::shared().database());
        folder.applied(&ours);
        folder.kit_migrates(kit, &theirs);
        assert_eq!(rows(&ours), rows(&theirs), "{kit:?}");
        assert_eq!(dump(&ours), dump(&theirs), "{kit:?}");
        // And each finds nothing to do after the other.
        folder.kit_migrates(kit, &ours);
        let run = folder.applied(&theirs);
        assert!(run.stderr.contains("nothing to do"), "{kit:?}: {}", run.stderr);
        assert_eq!((count(&ours), count(&theirs)), (3, 3), "{kit:?}");
        assert_eq!(ours.rows("SELECT role FROM \"user\""), ["admin"]);
    }
}

#[test]
fn the_two_take_turns() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[FIRST]);
    folder.kit_migrates(Kit::Old, &database);
    folder.write_journal(&[FIRST, SECOND]);
    let run = folder.applied(&database);
    assert!(run.stderr.contains("applied 0001_second"), "{}", run.stderr);
    folder.write_journal(&[FIRST, SECOND, THIRD]);
    folder.kit_migrates(Kit::Old, &database);
    let run = folder.applied(&database);
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
    assert_eq!(count(&database), 3);
}

/// `drizzle-kit up` turns the journal into folders. Whoever migrates next upgrades the table.
#[test]
fn a_table_of_the_old_line_is_upgraded_as_the_new_one_does_it() {
    let folder = Folder::journal(&[FIRST, SECOND]);
    let (ours, theirs) = (Server::shared().database(), Server::shared().database());
    for database in [&ours, &theirs] {
        folder.applied(database);
    }
    let new = Folder::folders(&[
        ("20251217035037_first", FIRST.2),
        ("20251217035140_second", SECOND.2),
        ("20251217035320_third", THIRD.2),
    ]);
    new.applied(&ours);
    new.kit_migrates(Kit::New, &theirs);
    assert_eq!(rows(&ours), rows(&theirs));
    assert_eq!(dump(&ours), dump(&theirs));
    let applied_at = "SELECT applied_at IS NULL FROM drizzle.__drizzle_migrations ORDER BY id";
    assert_eq!(ours.rows(applied_at), theirs.rows(applied_at));
    new.kit_migrates(Kit::New, &ours);
    assert!(new.applied(&theirs).stderr.contains("nothing to do"));
    // The old line's folder on the upgraded table: the name is written too, so the new line stays quiet.
    let more = ("0003_more", 1_765_943_700_500, "CREATE TABLE more ();");
    folder.write_journal(&[FIRST, SECOND, THIRD, more]);
    folder.applied(&ours);
    new.write_folder(3, "20251217035500_more", more.2);
    new.kit_migrates(Kit::New, &ours);
    assert_eq!(count(&ours), 4);
}

/// 0.x runs an INSERT four times then.
#[test]
fn a_drizzle_kit_that_starts_meanwhile_does_not_repeat_data() {
    let database = Server::shared().database();
    let folder = Folder::journal(&[FIRST]);
    folder.applied(&database);
    let slow = (
        "0001_slow",
        1_765_943_500_000,
        "INSERT INTO \"user\" VALUES ('1', 'a');--> statement-breakpoint\nSELECT pg_sleep(4);",
    );
    folder.write_journal(&[FIRST, slow]);
    thread::scope(|scope| {
        let ours = scope.spawn(|| folder.ours(&database).run());
        let sleeping =
            "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
        poll(SOON, || (!database.rows(sleeping).is_empty()).then_some(())).expect("our entry to run");
        folder.kit_migrates(Kit::Old, &database);
        let run = ours.join().expect("our run");
        assert_eq!(run.status, 0, "{}", run.stderr);
    });
    assert_eq!(database.rows("SELECT id FROM \"user\""), ["1"]);
    assert_eq!(count(&database), 2);
}

/// `pull` writes the whole schema as one comment, which drizzle-kit cannot apply itself.
#[test]
fn a_pulled_first_entry_is_recorded_where_its_tables_exist() {
    let source = Server::shared().database();
    source.execute("CREATE TABLE a (id int PRIMARY KEY, b text); CREATE INDEX a_b ON a (b); CREATE TABLE c (d int REFERENCES a)");
    let folder = Folder::empty();
    let (status, said) = folder.kit(Kit::Old, &source, &["pull"]);
    assert_eq!(status, 0, "{said}");
    let run = folder.applied(&source);
    assert!(run.stderr.contains("recorded and not run"), "{}", run.stderr);
    assert_eq!(count(&source), 1);
    assert!(folder.applied(&source).stderr.contains("nothing to do"));
    folder.kit_migrates(Kit::Old, &source);
    // On a new database nothing would create the tables.
    let new = Server::shared().database();
    let run = folder.ours(&new).run();
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(run.stderr.contains("commented out"), "{}", run.stderr);
    new.execute("CREATE TABLE a (id int PRIMARY KEY, b text)");
    let part = folder.ours(&new).run();
    assert_eq!(part.status, 6, "{}", part.stderr);
    assert!(
        part.stderr.contains("table c") && part.stderr.contains("it has table a"),
        "{}",
        part.stderr
    );
    assert_eq!(count(&new), 0);
}
