//! The real sqlx and dbmate have applied a folder: after its import nothing is left to do, and on a new database the V files
//! make the same schema.

use std::process::Command as Process;

use zerostarter_test_harness::{Database, Server, workspace};

use super::folder::Folder;

fn sqlx(folder: &Folder, database: &Database) {
    let program = workspace().join("target/peers/bin/sqlx");
    assert!(
        program.exists(),
        "{} is not there: run `make peers`",
        program.display()
    );
    let output = Process::new(program)
        .args(["migrate", "run", "--source"])
        .arg(folder.theirs())
        .env("DATABASE_URL", database.url())
        .output()
        .expect("sqlx");
    assert!(output.status.success(), "{output:?}");
}

fn dbmate(folder: &Folder, database: &Database) {
    let program = workspace().join("target/peers/npm/node_modules/.bin/dbmate");
    assert!(
        program.exists(),
        "{} is not there: run `make peers`",
        program.display()
    );
    let output = Process::new(program)
        .args(["--no-dump-schema", "--migrations-dir"])
        .arg(folder.theirs())
        .arg("migrate")
        .env("DATABASE_URL", database.url())
        .output()
        .expect("dbmate");
    assert!(output.status.success(), "{output:?}");
}

/// The catalog without the table of the tool.
fn catalog(database: &Database) -> Vec<String> {
    let is_ours = |line: &String| !line.contains("_sqlx_migrations") && !line.contains("schema_migrations");
    database.catalog().into_iter().filter(is_ours).collect()
}

#[track_caller]
fn takes_over(tool: &str, folder: &Folder, database: &Database, later: (&str, &str)) {
    let said = folder.imported(tool, database);
    assert_eq!(
        said.matches("recorded as applied").count(),
        folder.v_files().len(),
        "{said}"
    );
    let log = folder.migrated(database);
    assert!(log.contains("nothing to do"), "{tool}: {log}");
    let new = Server::shared().database();
    folder.migrated(&new);
    assert_eq!(catalog(&new), catalog(database), "{tool}");
    assert_eq!(folder.imported(tool, database), "nothing to import\n", "{tool}");
    // What comes later is added, and applied by us.
    folder.file(later.0, later.1);
    let said = folder.imported(tool, database);
    assert!(
        said.contains("wrote V4__") && said.contains("pending V4__"),
        "{said}"
    );
    let log = folder.migrated(database);
    assert!(log.contains("applied V4__"), "{log}");
}

#[test]
fn a_folder_of_sqlx() {
    let folder = Folder::new(&[
        (
            "20240101000000_users.sql",
            "CREATE TABLE users (id int PRIMARY KEY);\n",
        ),
        (
            "20240102000000_posts.up.sql",
            "CREATE TABLE posts (id int, author int REFERENCES users);\n",
        ),
        ("20240102000000_posts.down.sql", "DROP TABLE posts;\n"),
        (
            "20240103000000_index.up.sql",
            "-- no-transaction\nCREATE INDEX CONCURRENTLY posts_author ON posts (author);\n",
        ),
        ("20240103000000_index.down.sql", "DROP INDEX posts_author;\n"),
    ]);
    let database = Server::shared().database();
    sqlx(&folder, &database);
    takes_over(
        "sqlx",
        &folder,
        &database,
        ("20240104000000_more.up.sql", "CREATE TABLE more ();"),
    );
    assert_eq!(folder.v_files()[0], "V1__20240101000000_users.sql");
}

#[test]
fn a_folder_of_dbmate() {
    let folder = Folder::new(&[
        (
            "20240101000000_users.sql",
            "-- migrate:up\nCREATE TABLE users (id int PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE users;\n",
        ),
        (
            "20240102000000_index.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY users_id ON users (id);\n-- migrate:down\n",
        ),
        (
            "20240103000000_posts.sql",
            "-- migrate:up\nCREATE TABLE posts ();\n-- migrate:down\nDROP TABLE posts;\n",
        ),
    ]);
    let database = Server::shared().database();
    dbmate(&folder, &database);
    takes_over(
        "dbmate",
        &folder,
        &database,
        (
            "20240104000000_more.sql",
            "-- migrate:up\nCREATE TABLE more ();\n-- migrate:down\n",
        ),
    );
    assert!(!folder.text("V1__20240101000000_users.sql").contains("DROP"));
}
