//! The guard in the transaction catches what the inspection of files would miss. Here it is tried without the inspection.

use std::time::Duration;

use refinery_core::Runner;
use tokio::time::Instant;
use zerostarter_connect::connect::connect;
use zerostarter_settings::{Layer, Reader, Settings};
use zerostarter_test_harness::{Database, Server};

use super::failure::Failure;
use super::pending::Pending;
use super::session::Session;
use crate::config::{Config, VARIABLES};
use crate::ledger::{self, Ledger};
use crate::source::{Migration, Source};
use crate::sql::{Contents, Piece, statements};
use crate::watch::Progress;

fn config(database: &Database) -> Config {
    let variables = [("NODE_ENV", "test".to_owned()), ("POSTGRES_URL", database.url())];
    let settings = Settings::from_layers(&[Layer::new("test", variables)], VARIABLES);
    let mut reader = Reader::new(&settings, &|path| std::fs::read(path));
    let config = Config::load(&mut reader);
    reader.finish(config).expect("a configuration")
}

/// Contents that send everything as it stands.
fn contents(sql: &str) -> Contents {
    Contents {
        pieces: vec![Piece::Statements {
            span: 0..sql.len(),
            count: statements(sql).count(),
        }],
        ..Contents::default()
    }
}

/// Applies `sql` as the second migration, after a good one, without having it inspected.
fn apply_uninspected(database: &Database, sql: &str) -> Option<Failure> {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("V1__good.sql"), "CREATE TABLE good ();").expect("to write");
    std::fs::write(directory.path().join("V2__bad.sql"), sql).expect("to write");
    let config = config(database);
    let source = Source::Directory(directory.path().into());
    let files = source.load().expect("migrations");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let connection = connect(&config.database, Instant::now() + Duration::from_secs(20))
            .await
            .expect("a connection");
        let snapshot = ledger::read(connection.client(), &config.snapshot_query(Ledger::Refinery))
            .await
            .expect("the state");
        let migrations: Vec<_> = files.iter().map(Migration::without_text).collect();
        let pending = files.iter().map(|migration| Pending {
            migration,
            contents: contents(&migration.sql().expect("its text")),
        });
        let pending = pending.collect();
        let progress = Progress::default();
        let mut runner = Runner::new(&migrations);
        runner.set_migration_table_name(snapshot.history_table());
        let mut session = Session::new(&connection, &config, &snapshot, pending, &progress);
        let outcome = runner.run_async(&mut session).await;
        assert_eq!(outcome.is_err(), session.failure.is_some());
        session.failure
    })
}

#[test]
fn a_migration_that_ends_its_transaction_is_never_recorded() {
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
            Some(Failure::Rejected(rejection)) => {
                assert_eq!(rejection.message, "the migration ended its transaction", "{sql}");
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
