//! What the log says of a migration that takes its time.

use zerostarter_test_harness::{Server, zerostarter_db};

/// A function that makes each row of an index take a while.
const SLOW_FUNCTION: &str = "CREATE FUNCTION slowly(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \
                             $f$ BEGIN PERFORM pg_sleep(0.005); RETURN n; END $f$";

#[test]
fn an_index_that_is_being_built_tells_how_far_it_is() {
    let database = Server::shared().database();
    database.execute(SLOW_FUNCTION);
    database.execute("CREATE TABLE big AS SELECT n FROM generate_series(1, 1200) AS n");
    let run = zerostarter_db(&database)
        .migration("V1__index.sql", "CREATE INDEX big_index ON big (slowly(n));")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    let line = run
        .stderr
        .lines()
        .find(|line| line.contains("V1__index is still running after "))
        .unwrap_or_else(|| panic!("{}", run.stderr));
    assert!(line.contains(": CREATE INDEX, building index"), "{line}");
}

#[test]
fn a_statement_of_which_the_server_does_not_tell_has_its_time() {
    let database = Server::shared().database();
    let run = zerostarter_db(&database)
        .migration("V1__quick.sql", "CREATE TABLE quick ();")
        .migration("V2__slow.sql", "SELECT pg_sleep(4);")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("V2__slow is still running after 3."),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains("V1__quick is still running"),
        "{}",
        run.stderr
    );
}
