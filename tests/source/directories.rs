//! Directories, and links to them and to files.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command as Process;

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Database, Server, zerostarter_db};

fn with(prepare: impl FnOnce(&Path)) -> (Database, Command) {
    let database = Server::shared().database();
    let command = zerostarter_db(&database).migration("V1__one.sql", "CREATE TABLE one ();");
    prepare(&command.directory().join("migrations"));
    (database, command)
}

fn write(path: &Path, table: &str) {
    fs::create_dir_all(path.parent().expect("a directory")).unwrap();
    fs::write(path, format!("CREATE TABLE {table} ();")).unwrap();
}

fn versions(database: &Database) -> Vec<String> {
    database.rows("SELECT version FROM refinery_schema_history ORDER BY version")
}

/// Kubernetes mounts a config map as links through a hidden directory that it swaps as a whole.
#[test]
fn a_mounted_config_map_is_read_once() {
    let (database, command) = with(|mount| {
        fs::remove_file(mount.join("V1__one.sql")).unwrap();
        for old_or_new in ["..2026_01_01_00_00_00.1", "..2026_02_02_00_00_00.2"] {
            write(&mount.join(old_or_new).join("V1__one.sql"), "one");
            write(&mount.join(old_or_new).join("sub/V2__two.sql"), "two");
            write(&mount.join(old_or_new).join("sub/deeper/V3__three.sql"), "three");
        }
        symlink("..2026_02_02_00_00_00.2", mount.join("..data")).unwrap();
        symlink("..data/V1__one.sql", mount.join("V1__one.sql")).unwrap();
        symlink("..data/sub", mount.join("sub")).unwrap();
    });
    assert_snapshot!(command.snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  3 of 3 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__one in [ms]
    [time] INFO  applied V2__two in [ms]
    [time] INFO  applied V3__three in [ms]
    ");
    assert_eq!(versions(&database), ["1", "2", "3"]);
}

#[test]
fn what_is_reached_twice_counts_once() {
    let (database, command) = with(|mount| {
        write(&mount.join("sub/V2__two.sql"), "two");
        symlink("sub", mount.join("again")).unwrap();
        symlink("sub/V2__two.sql", mount.join("V2__two.sql")).unwrap();
        symlink(".", mount.join("loop")).unwrap();
        symlink("..", mount.join("sub/up")).unwrap();
        write(&mount.join("../elsewhere/V3__three.sql"), "three");
        symlink("../elsewhere", mount.join("elsewhere")).unwrap();
        symlink("../../elsewhere/V3__three.sql", mount.join("sub/V3__three.sql")).unwrap();
        // Two dots alone make no ConfigMap.
        write(&mount.join("..hidden/V4__four.sql"), "four");
        symlink("..hidden/V4__four.sql", mount.join("V4__four.sql")).unwrap();
    });
    assert_snapshot!(command.snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  4 of 4 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__one in [ms]
    [time] INFO  applied V2__two in [ms]
    [time] INFO  applied V3__three in [ms]
    [time] INFO  applied V4__four in [ms]
    ");
    assert_eq!(versions(&database), ["1", "2", "3", "4"]);
}

/// Otherwise one of two migrations would be missing.
#[test]
fn a_file_with_two_names_is_two_migrations() {
    let (database, command) = with(|mount| {
        fs::write(mount.join("V2__two.sql"), "SELECT 1;").unwrap();
        symlink("V2__two.sql", mount.join("V3__three.sql")).unwrap();
    });
    assert_eq!(command.run().status, 0);
    assert_eq!(versions(&database), ["1", "2", "3"]);
}

#[test]
fn a_directory_or_a_device_in_place_of_a_migration_is_refused() {
    let (_database, command) = with(|mount| {
        fs::create_dir_all(mount.join("below/V2__two.sql")).unwrap();
        fs::create_dir(mount.join("0003_three.sql")).unwrap();
        fs::create_dir(mount.join("fine")).unwrap();
        symlink("fine", mount.join("V4__four.sql")).unwrap();
        symlink("/dev/null", mount.join("V5__five.sql")).unwrap();
        let fifo = Process::new("mkfifo").arg(mount.join("V6__six.sql")).status();
        assert!(fifo.unwrap().success());
        symlink("..data/sub", mount.join("sub")).unwrap();
        symlink("V7__seven.sql", mount.join("V7__seven.sql")).unwrap();
    });
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: 7 migration files cannot be used; nothing was changed
      migrations/0003_three.sql is a directory
      migrations/V4__four.sql is a directory
      migrations/V5__five.sql is not a regular file
      migrations/V6__six.sql is not a regular file
      migrations/V7__seven.sql cannot be read: Too many levels of symbolic links (os error 40)
      migrations/below/V2__two.sql is a directory
      migrations/sub cannot be read: No such file or directory (os error 2)

    hint: mount the file, or remove the directory: container engines create a directory if the source of a mount does not exist
    hint: replace it with a regular file, or a link to one
    ");
    let (_database, command) = with(|mount| {
        fs::create_dir(mount.join("V2__two.sql")).unwrap();
    });
    let run = command.env("MIGRATE_UNKNOWN_FILES", "warn").run();
    assert_eq!(run.status, 2, "{}", run.stderr);
}

#[test]
fn links_that_lead_nowhere_or_above_are_warned_of() {
    let (_database, command) = with(|mount| {
        symlink("nowhere", mount.join("README.md")).unwrap();
        symlink("/", mount.join("root")).unwrap();
        symlink("user@host.1", mount.join(".#V1__one.sql")).unwrap();
        fs::create_dir(mount.join("schema.sql")).unwrap();
    });
    assert_snapshot!(command.snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] WARN  migrations/root leads to a directory above the migrations and is left out
    [time] WARN  migrations/README.md leads to nothing and is left out
    [time] WARN  migrations/schema.sql is a directory; the files in it are read
    [time] WARN  migrations/.#V1__one.sql is not named V<number>__<name>.sql and is left out
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__one in [ms]
    ");
}

#[test]
fn what_may_not_be_read_is_refused_and_lost_and_found_is_not() {
    let (_database, command) = with(|mount| {
        for name in ["below/closed", "lost+found"] {
            write(&mount.join(name).join("V2__two.sql"), "two");
            fs::set_permissions(mount.join(name), fs::Permissions::from_mode(0o0)).unwrap();
        }
        symlink("below/closed/V2__two.sql", mount.join("V2__two.sql")).unwrap();
        fs::write(mount.join("V3__three.sql"), "SELECT 1;").unwrap();
        fs::set_permissions(mount.join("V3__three.sql"), fs::Permissions::from_mode(0o0)).unwrap();
    });
    // Root may read everything.
    let Some(command) = command.with_one_process() else {
        return;
    };
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: 3 migration files cannot be used; nothing was changed
      migrations/V2__two.sql cannot be read: Permission denied (os error 13)
      migrations/V3__three.sql cannot be read: Permission denied (os error 13)
      migrations/below/closed cannot be read: Permission denied (os error 13)

    hint: give the user of the process the permission to read it
    ");
    let (_database, command) = with(|mount| {
        fs::create_dir(mount.join("lost+found")).unwrap();
        fs::set_permissions(mount.join("lost+found"), fs::Permissions::from_mode(0o0)).unwrap();
    });
    let run = command.with_one_process().expect("as before").run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}
