//! A change is never committed without its row in the history table, nor so that a crash could undo it.

use zerostarter_test_harness::{Database, Server, ServerOptions, Shutdown, zerostarter_db};

/// A database with a history table of one row.
fn begun(server: &Server) -> Database {
    let database = server.database();
    let run = zerostarter_db(&database)
        .migration("V1__one.sql", "CREATE TABLE one ();")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    database
}

#[test]
fn a_rule_or_a_trigger_cannot_take_the_row_away() {
    for hostile in [
        "CREATE RULE r AS ON INSERT TO refinery_schema_history DO INSTEAD NOTHING",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
         CREATE TRIGGER t BEFORE INSERT ON refinery_schema_history FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.checksum := 1; RETURN NEW; END'; \
         CREATE TRIGGER t BEFORE INSERT ON refinery_schema_history FOR EACH ROW EXECUTE FUNCTION f()",
    ] {
        let database = begun(Server::shared());
        database.execute(hostile);
        let before = database.catalog();
        let run = zerostarter_db(&database)
            .migration("V1__one.sql", "CREATE TABLE one ();")
            .migration("V2__two.sql", "CREATE TABLE two ();")
            .run();
        assert_eq!(run.status, 1, "{hostile}: {}", run.stderr);
        assert!(
            run.stderr.contains("has not kept the row of the migration"),
            "{hostile}: {}",
            run.stderr
        );
        assert_eq!(database.catalog(), before, "{hostile}");
        assert_eq!(database.history().len(), 1, "{hostile}");
    }
}

#[test]
fn what_is_reported_as_applied_survives_a_crash() {
    // The writer of the log sleeps for so long that an asynchronous commit is lost in the crash.
    let server = Server::start(
        ServerOptions::new()
            .setting("synchronous_commit", "off")
            .setting("wal_writer_delay", "10s"),
    );
    for (version, sql) in [
        ("2", "CREATE TABLE two ();"),
        ("3", "SET LOCAL synchronous_commit = off; CREATE TABLE three ();"),
        ("4", "-- no-transaction\nINSERT INTO rows VALUES (4);"),
    ] {
        let database = begun(&server);
        database.execute("CREATE TABLE rows (a int)");
        let run = zerostarter_db(&database)
            .migration("V1__one.sql", "CREATE TABLE one ();")
            .migration(&format!("V{version}__next.sql"), sql)
            .run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        server.stop(Shutdown::Immediate);
        server.restart();
        assert_eq!(database.history().len(), 2, "{sql}");
    }
}
