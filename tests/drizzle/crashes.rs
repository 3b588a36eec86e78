//! A connection is cut between any two messages while a folder is applied, split, or its table upgraded: nothing is lost or
//! repeated.

use zerostarter_test_harness::{CrashProxy, Cut, Database, Direction, Fate, Moment, Server, rounds};

use super::folder::{Folder, rows};

/// Cuts one connection of a run before each message of one direction, and checks what the next run leaves.
fn cut_everywhere(connection: usize, prepare: impl Fn(&Database) -> Folder, expected: &[&str]) {
    // What comes before an answer is what comes after the question: `TEST_ROUNDS` adds it.
    let directions = [Direction::Questions, Direction::Answers];
    for direction in &directions[..if rounds() > 2 { 2 } else { 1 }] {
        for message in 1.. {
            let database = Server::shared().database();
            let folder = prepare(&database);
            let cut = Cut {
                connection,
                direction: *direction,
                moment: Moment::Before(message),
                fate: Fate::Reset,
            };
            let proxy = CrashProxy::start(database.port(), cut);
            let run = folder
                .ours(&database)
                .env("POSTGRES_URL", database.url_through(proxy.port()))
                .run();
            assert!([0, 3].contains(&run.status), "{cut:?}: {}", run.stderr);
            folder.applied(&database);
            let next = folder.applied(&database);
            assert!(next.stderr.contains("nothing to do"), "{cut:?}: {}", next.stderr);
            assert_eq!(database.rows("SELECT n FROM log ORDER BY n"), expected, "{cut:?}");
            let count =
                "SELECT count(*) = count(DISTINCT (created_at, hash)) FROM drizzle.__drizzle_migrations";
            assert_eq!(database.rows(count), ["t"], "{cut:?}");
            let comment = "SELECT obj_description('drizzle.__drizzle_migrations'::regclass)";
            assert_eq!(database.rows(comment), [""], "{cut:?}");
            if !proxy.has_cut() {
                break;
            }
        }
    }
}

const LOG: (&str, i64, &str) = ("0000_log", 1000, "CREATE TABLE log (n int);");

#[test]
fn a_first_run_is_cut() {
    let folder = |_: &Database| {
        Folder::journal(&[
            LOG,
            ("0001_one", 2000, "INSERT INTO log VALUES (1);"),
            ("0002_two", 3000, "INSERT INTO log VALUES (2);"),
        ])
    };
    cut_everywhere(1, folder, &["1", "2"]);
}

#[test]
fn a_split_entry_is_cut() {
    let prepare = |database: &Database| {
        let folder = Folder::journal(&[LOG]);
        folder.applied(database);
        folder.write_journal(&[
            LOG,
            (
                "0001_split",
                2000,
                "INSERT INTO log VALUES (1);--> statement-breakpoint\nCREATE INDEX CONCURRENTLY log_n ON log (n);\n\
                 --> statement-breakpoint\nINSERT INTO log VALUES (2);",
            ),
        ]);
        folder
    };
    // The guard, and the worker.
    for connection in [1, 3] {
        cut_everywhere(connection, prepare, &["1", "2"]);
    }
}

#[test]
fn the_upgrade_of_a_table_is_cut() {
    let prepare = |database: &Database| {
        Folder::journal(&[LOG]).applied(database);
        Folder::folders(&[
            ("19700101000001_log", LOG.2),
            ("19700101000002_one", "INSERT INTO log VALUES (1);"),
        ])
    };
    cut_everywhere(1, prepare, &["1"]);
    let database = Server::shared().database();
    let folder = prepare(&database);
    folder.applied(&database);
    assert_eq!(rows(&database).len(), 2);
}
