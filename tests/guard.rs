//! What the inspection of files would miss, the guard in the transaction catches. It is tried here without
//! the inspection, through the library.

use std::time::Duration;

use refinery_core::Runner;
use tokio::time::Instant;
use zerostarter_db::catalog;
use zerostarter_db::connect::connect;
use zerostarter_db::message::SessionError;
use zerostarter_db::progress::Progress;
use zerostarter_db::session::Session;
use zerostarter_db::source;

use crate::harness::{Database, Server};

/// Applies `sql` as the second migration, after a good one, without having it inspected.
fn apply_uninspected(database: &Database, sql: &str) -> Option<SessionError> {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("V1__good.sql"), "CREATE TABLE good ();").expect("to write");
    std::fs::write(directory.path().join("V2__bad.sql"), sql).expect("to write");
    let config = database.config();
    let files = source::load(Some(directory.path())).expect("migrations");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let connection = connect(&config, Instant::now() + Duration::from_secs(20))
            .await
            .expect("a connection");
        let snapshot = catalog::read(connection.client(), &config)
            .await
            .expect("the state");
        let migrations: Vec<_> = files.iter().map(|file| file.migration().clone()).collect();
        let progress = Progress::default();
        let mut runner = Runner::new(&migrations);
        runner.set_migration_table_name(snapshot.history_table());
        let mut session = Session::new(&connection, &config, &snapshot, &files, &[0, 1], &progress);
        let outcome = runner.run_async(&mut session).await;
        assert_eq!(outcome.is_err(), session.failure.is_some());
        session.failure
    })
}

#[test]
fn a_file_that_leaves_its_transaction_is_never_recorded() {
    for sql in [
        "CREATE TABLE bad (); COMMIT; CREATE TABLE worse ();",
        "CREATE TABLE bad (); COMMIT; BEGIN; CREATE TABLE worse ();",
        "CREATE TABLE bad (); ROLLBACK;",
        "CREATE TABLE bad (); ROLLBACK; BEGIN;",
        "CREATE TABLE bad (); COMMIT AND CHAIN; CREATE TABLE worse ();",
        "ROLLBACK; START TRANSACTION; CREATE TABLE worse ();",
        "CREATE TABLE bad (); END; BEGIN; SELECT set_config('zerostarter_db.transaction', '1', true);",
    ] {
        let database = Server::shared().database();
        match apply_uninspected(&database, sql) {
            Some(SessionError::Rejected(rejection)) => {
                assert_eq!(rejection.message, "the migration left its transaction", "{sql}");
            }
            other => panic!("{sql}: {other:?}"),
        }
        assert_eq!(
            database.rows("SELECT version FROM refinery_schema_history"),
            ["1"],
            "{sql}"
        );
        assert!(
            !database.catalog().contains(&"table public.worse".to_owned()),
            "{sql}"
        );
    }
}

#[test]
fn a_file_that_keeps_its_transaction_passes() {
    let database = Server::shared().database();
    let failure = apply_uninspected(
        &database,
        "SAVEPOINT a; CREATE TABLE t (); ROLLBACK TO a; CREATE TABLE u ();",
    );
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(
        database.rows("SELECT version FROM refinery_schema_history"),
        ["1", "2"]
    );
}
