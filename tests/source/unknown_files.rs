//! Files that look like migrations and are not named like them.

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Database, Server, zerostarter_db};

/// A run with one migration and empty files of these names.
fn beside(names: &[&str]) -> (Database, Command) {
    let database = Server::shared().database();
    let command = zerostarter_db(&database).migration("V1__a.sql", "CREATE TABLE a ();");
    let command = names.iter().fold(command, |command, name| {
        command.file(&format!("migrations/{name}"), "SELECT 1;")
    });
    (database, command)
}

#[test]
fn all_of_them_are_named_in_one_error() {
    let (_database, command) = beside(&[
        "V1_2__b.sql",
        "V1.2__c.sql",
        "V3__add-x.sql",
        "R__v.sql",
        "below/V2_d.sql",
    ]);
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: 5 migration files cannot be used; nothing was changed
      migrations/R__v.sql is not named V<number>__<name>.sql
      migrations/V1.2__c.sql is not named V<number>__<name>.sql
      migrations/V1_2__b.sql is not named V<number>__<name>.sql
      migrations/V3__add-x.sql is not named V<number>__<name>.sql
      migrations/below/V2_d.sql is not named V<number>__<name>.sql

    hint: rename it to V<number>__<name>.sql, with a whole number as version and only letters, digits and _ in the name, or move it elsewhere; MIGRATE_UNKNOWN_FILES=warn leaves such files out
    ");
}

#[test]
fn whatever_a_tool_would_apply_is_refused() {
    for name in [
        // refinery, misspelt
        "v2__b.sql",
        "V2__b.SQL",
        "V2__b.sql ",
        " V2__b.sql",
        "V2_b.sql",
        "V-2__b.sql",
        "V2.sql",
        "V__b.sql",
        "V2__.sql",
        "V2__b.rs",
        "below/deeper/V2__b-c.sql",
        // Flyway
        "V2.1__b.sql",
        "V2_1__b.sql",
        "U2.1__b.sql",
        "R__b.sql",
        "B2__b.sql",
        "V2__b.java",
        "afterMigrate.sql",
        "beforeEachMigrate__b.sql",
        // sqlx, golang-migrate
        "20230101_x.up.sql",
        "20230101120000_x.down.sql",
        "V2__b.down.sql",
        "1_x.sql",
        // goose, dbmate, Supabase, Atlas
        "00002_x.sql",
        "00002_x.go",
        "20230101120000_x.sql",
        "20230101120000.sql",
        // Drizzle, node-pg-migrate, graphile-migrate, tern, postgrator, yoyo, Yii
        "0000_x.sql",
        "1700000000000_x.js",
        "000001-x.sql",
        "001.do.x.sql",
        "0001.x.rollback.sql",
        "m230101_120000_x.sql",
        "migration_1.sql",
        // Prisma, Diesel
        "20230101120000_x/migration.sql",
        "2023-01-01-000000_x/up.sql",
        "2023-01-01-000000_x/down.sql",
        // Rails, Django, Knex, Laravel
        "20230101120000_x.rb",
        "0001_initial.py",
        "20230101120000_x.ts",
        "2023_01_01_000000_x.php",
    ] {
        let (_database, command) = beside(&[name]);
        let run = command.run();
        assert_eq!(run.status, 2, "{name}: {}", run.stderr);
        let error = format!("error: migrations/{name} is not named V<number>__<name>.sql\n");
        assert!(run.stderr.starts_with(&error), "{name}: {}", run.stderr);
        let run = command.env("MIGRATE_UNKNOWN_FILES", "warn").run();
        let warning = format!("WARN  migrations/{name} is not named");
        assert!(
            run.status == 0 && run.stderr.contains(&warning),
            "{name}: {}",
            run.stderr
        );
    }
}

#[test]
fn other_sql_at_any_depth_is_warned_of_and_other_files_are_not() {
    for name in [
        "schema.sql",
        "below/deeper/SEED.Sql",
        "V2__b.sql.bak",
        "V2__b.sql~",
        "V2__b.txt",
        "._V2__b.sql",
    ] {
        let (_database, command) = beside(&[name]);
        let run = command.run();
        let warning = format!("WARN  migrations/{name} is not named V<number>__<name>.sql and is left out\n");
        assert!(
            run.status == 0 && run.stderr.contains(&warning),
            "{name}: {}",
            run.stderr
        );
    }
    for name in ["README.md", "mod.rs", "meta/snapshot.json", ".gitkeep", "2fa.ts"] {
        let (_database, command) = beside(&[name]);
        let run = command.run();
        assert!(
            run.status == 0 && !run.stderr.contains("WARN"),
            "{name}: {}",
            run.stderr
        );
    }
}

#[test]
fn they_can_be_left_out_with_a_warning() {
    let (_database, command) = beside(&["V1_2__b.sql", "below/0000_x.sql", "README.md"]);
    assert_snapshot!(command.arg("--unknown-files=warn").snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] WARN  migrations/V1_2__b.sql is not named V<number>__<name>.sql and is left out
    [time] WARN  migrations/below/0000_x.sql is not named V<number>__<name>.sql and is left out
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__a in [ms]
    ");
}

/// Its names are those of its journal.
#[test]
fn a_directory_of_drizzle_is_none_of_refinerys() {
    let database = Server::shared().database();
    let command = zerostarter_db(&database)
        .migration("0000_zero_starter.sql", "SELECT 1;")
        .file("migrations/meta/_journal.json", "{}");
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: migrations/meta/_journal.json has no dialect

    hint: restore the file from version control, or let drizzle-kit generate it again
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_others() {
    let (_database, command) = beside(&["V2.5__b.sql"]);
    let command = command
        .file("migrations/V3__bytes.sql", b"\xff")
        .migration("V20260101120000__big.sql", "");
    std::os::unix::fs::symlink("nowhere", command.directory().join("migrations/V4__gone.sql")).unwrap();
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: 4 migration files cannot be used; nothing was changed
      migrations/V2.5__b.sql is not named V<number>__<name>.sql
      migrations/V20260101120000__big.sql has a version that is not a whole number up to 2147483647
      migrations/V3__bytes.sql is not UTF-8 at line 1
      migrations/V4__gone.sql cannot be read: No such file or directory (os error 2)

    hint: rename it to V<number>__<name>.sql, with a whole number as version and only letters, digits and _ in the name, or move it elsewhere; MIGRATE_UNKNOWN_FILES=warn leaves such files out
    hint: save the file as UTF-8
    hint: use a smaller version: refinery's history table stores versions in 32 bits
    ");
}

#[test]
fn every_pair_with_the_same_version_is_named() {
    let (_database, command) = beside(&["V01__b.sql", "V2__c.sql", "below/V2__c.sql"]);
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: 2 migration files cannot be used; nothing was changed
      migrations/V1__a.sql has the same version, 1, as migrations/V01__b.sql
      migrations/below/V2__c.sql has the same version, 2, as migrations/V2__c.sql

    hint: give one of the two files the next free version
    ");
}
