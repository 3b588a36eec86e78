//! Databases whose encoding is not UTF-8.

use zerostarter_test_harness::{Command, Server, ServerOptions, zerostarter_db};

/// A migration for a new database with this encoding.
fn in_encoding(server: &Server, encoding: &str, sql: &str) -> Command {
    let database = server.database();
    let name = encoding.to_lowercase();
    database.execute(&format!("DROP DATABASE IF EXISTS {name}"));
    database.execute(&format!(
        "CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    ));
    let url = database.url().replace(database.name(), &name);
    zerostarter_db(&database)
        .env("POSTGRES_URL", url)
        .migration("V1__file.sql", sql)
}

#[test]
fn an_error_is_placed_at_its_line_whatever_the_encoding() {
    let server = Server::start(ServerOptions::new());
    for encoding in ["SQL_ASCII", "LATIN1", "UTF8"] {
        let sql = "-- äöüäöüäöüäöüäöüäöüäöü\nSELECT 'ä';\nSELECT 'é' AS é, nothing;\n";
        let run = in_encoding(&server, encoding, sql).run();
        assert_eq!(run.status, 1, "{encoding}: {}", run.stderr);
        assert!(
            run.stderr.contains("V1__file.sql:3:18"),
            "{encoding}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_character_that_the_encoding_lacks_is_placed() {
    let server = Server::start(ServerOptions::new());
    let run = in_encoding(&server, "LATIN1", "SELECT 'ä';\nSELECT '12 €';\n").run();
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("22P05") && run.stderr.contains("V1__file.sql:2:12"),
        "{}",
        run.stderr
    );
}
