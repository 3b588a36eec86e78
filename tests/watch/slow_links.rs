//! A link that is slow and moves is not given up for ever.

use zerostarter_test_harness::{Proxy, Server, zerostarter_db};

#[test]
fn a_migration_arrives_over_a_slow_link() {
    let database = Server::shared().database();
    // Fifteen seconds: longer than the first attempt waits for the lock to be taken.
    let proxy = Proxy::builder().bytes_per_second(4_000).start(database.port());
    let padding = "x".repeat(58_000);
    let run = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_through(proxy.port()))
        .migration(
            "V1__one.sql",
            format!("CREATE TABLE one AS SELECT '{padding}' AS text;"),
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("no answer within 10"), "{}", run.stderr);
    assert!(run.stderr.contains("applied V1__one in"), "{}", run.stderr);
    assert_eq!(database.history().len(), 1);
}
