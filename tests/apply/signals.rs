//! SIGTERM, SIGINT and SIGHUP: what is under way is cancelled, what was applied stays, and the lock is free.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use zerostarter_migrate::ledger::{Ledger, advisory_key};

use zerostarter_test_harness::tls::self_signed;
use zerostarter_test_harness::{
    Command, Database, Proxy, Server, ServerOptions, poll, unused_port, zerostarter_db,
};

/// What whoever sends a signal expects, with some room for a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(3);

fn lock_is_free(database: &Database) -> bool {
    let key = advisory_key(Ledger::Refinery, "public");
    database.rows(&format!(
        "SELECT pg_try_advisory_lock({key}), pg_advisory_unlock({key})"
    )) == ["t|t"]
}

#[test]
fn a_running_migration_is_cancelled_and_rolled_back() {
    for (signal, status) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let database = Server::shared().database();
        let mut running = zerostarter_db(&database)
            .migration("V1__quick.sql", "CREATE TABLE quick ();")
            .migration("V2__slow.sql", "CREATE TABLE slow (); SELECT pg_sleep(60);")
            .migration("V3__never.sql", "CREATE TABLE never ();")
            .start();
        running.wait_for_stderr("applied V1__quick");
        let sleeps = "SELECT count(*) FROM pg_stat_activity \
                      WHERE datname = current_database() AND wait_event = 'PgSleep'";
        poll(AT_ONCE, || (database.rows(sleeps) == ["1"]).then_some(())).expect("it is under way");
        let started = Instant::now();
        running.signal(signal);
        let run = running.wait();
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
        assert_eq!(run.status, status, "{}", run.stderr);
        let last = run.stderr.split_once("error: ").expect("an error").1;
        if signal == "TERM" {
            assert_snapshot!(last, @"
            SIGTERM ended the run
              V2__slow was cancelled and rolled back
              applied, and kept: V1__quick

            hint: run it again: it continues where this run stopped
            ");
        }
        assert_eq!(database.rows(sleeps), ["0"]);
        assert!(lock_is_free(&database));
        assert_eq!(database.history().len(), 1);
        assert_eq!(database.catalog(), ["table public.quick"]);
    }
}

/// As with `nohup`.
#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    let database = Server::shared().database();
    let mut running = Command::program("/bin/sh")
        .args([
            "-c",
            "trap '' HUP; exec \"$0\"",
            env!("CARGO_BIN_EXE_zerostarter-db"),
        ])
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", database.url())
        .migration("V1__slow.sql", "SELECT pg_sleep(1);")
        .start();
    running.wait_for_stderr("recovery point");
    running.signal("HUP");
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

/// Over a link on which each answer takes its time, TLS or not: the end comes at once, and what it says is so.
#[test]
fn over_a_slow_link_the_end_comes_at_once_and_claims_no_more_than_is_known() {
    let certificate = self_signed(&["localhost"]);
    let server = Server::start(ServerOptions::new().tls(&certificate.certificate, &certificate.key));
    let patient = Duration::from_millis(2500);
    for (mode, delay_ms, is_known) in [
        ("disable", 20, true),
        ("disable", 200, true),
        // A request to cancel, a failure, and a rollback.
        ("disable", 300, true),
        // Two answers more, before the request can be sent.
        ("require", 120, true),
        ("disable", 700, false),
        ("require", 400, false),
    ] {
        let case = format!("{mode}, {delay_ms} ms");
        let database = server.database();
        let delay = Duration::from_millis(delay_ms);
        let proxy = Proxy::builder().delay(delay).start(database.port());
        let url = database.url_through(proxy.port());
        let running = zerostarter_db(&database)
            .env(
                "POSTGRES_URL",
                url.replace("sslmode=disable", &format!("sslmode={mode}")),
            )
            .migration("V1__slow.sql", "CREATE TABLE slow (); SELECT pg_sleep(60);")
            .start();
        let sleeps = "SELECT count(*) FROM pg_stat_activity \
                      WHERE datname = current_database() AND wait_event = 'PgSleep'";
        poll(Duration::from_secs(30), || {
            (database.rows(sleeps) == ["1"]).then_some(())
        })
        .expect("it is under way");
        let started = Instant::now();
        running.signal("TERM");
        let run = running.wait();
        assert!(
            started.elapsed() < patient,
            "{case}: {:?}\n{}",
            started.elapsed(),
            run.stderr
        );
        assert_eq!(run.status, 143, "{case}: {}", run.stderr);
        let claims = run.stderr.contains("V1__slow was cancelled and rolled back");
        assert_eq!(claims, is_known, "{case}: {}", run.stderr);
        if claims {
            assert_eq!(database.rows(sleeps), ["0"], "{case}");
            assert!(lock_is_free(&database), "{case}");
        } else {
            let silence = "V1__slow was running, and the server has not confirmed its end";
            assert!(run.stderr.contains(silence), "{case}: {}", run.stderr);
            poll(AT_ONCE, || lock_is_free(&database).then_some(())).expect("the server notices");
        }
        assert!(database.history().is_empty(), "{case}");
        assert!(database.catalog().is_empty(), "{case}");
    }
}

#[test]
fn waiting_for_a_lock_ends_at_once() {
    let database = Server::shared().database();
    let session = database.session();
    session.execute(&format!(
        "BEGIN; SELECT pg_advisory_xact_lock({})",
        advisory_key(Ledger::Refinery, "public")
    ));
    let mut running = zerostarter_db(&database).start();
    running.wait_for_stderr("another migrator holds the lock");
    let started = Instant::now();
    running.signal("TERM");
    let run = running.wait();
    assert!(started.elapsed() < AT_ONCE);
    assert_eq!(run.status, 143, "{}", run.stderr);
    assert!(
        run.stderr.ends_with(
            "error: SIGTERM ended the run\n\nhint: run it again: it continues where this run stopped\n"
        ),
        "{}",
        run.stderr
    );
    assert!(database.catalog().is_empty());
}

#[test]
fn waiting_for_a_server_ends_at_once() {
    for command in ["migrate", "status", "check", "wait", "plan"] {
        let mut running = Command::bare()
            .env("NODE_ENV", "test")
            .env(
                "POSTGRES_URL",
                format!("postgres://postgres@127.0.0.1:{}/postgres", unused_port()),
            )
            .args([command])
            .start();
        running.wait_for_stderr("waiting for the database");
        let started = Instant::now();
        running.signal("TERM");
        let run = running.wait();
        assert!(started.elapsed() < AT_ONCE, "{command}");
        assert_eq!(run.status, 143, "{command}: {}", run.stderr);
    }
}

/// Whatever the moment: the history and the tables agree, the lock is free, and the next run finishes.
#[test]
fn a_signal_at_any_moment_loses_and_repeats_nothing() {
    let mut interrupted = 0;
    for round in 0_u64..40 {
        let database = Server::shared().database();
        let command = || {
            (1..=20).fold(zerostarter_db(&database), |command, version| {
                command.migration(
                    &format!("V{version}__insert.sql"),
                    format!("CREATE TABLE IF NOT EXISTS n (id int); INSERT INTO n VALUES ({version});"),
                )
            })
        };
        let running = command().start();
        let until = Instant::now() + Duration::from_millis(round);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        running.signal("TERM");
        let run = running.wait();
        assert!([0, 143].contains(&run.status), "{}: {}", run.status, run.stderr);
        interrupted += usize::from(run.status == 143);
        let applied = run.stderr.matches("INFO  applied V").count();
        assert_eq!(database.history().len(), applied, "{}", run.stderr);
        assert!(lock_is_free(&database));
        assert_eq!(command().run().status, 0);
        let expected: Vec<String> = (1..=20).map(|version: i32| version.to_string()).collect();
        assert_eq!(database.rows("SELECT id FROM n ORDER BY id"), expected);
    }
    assert!(interrupted > 5, "only {interrupted} runs were interrupted");
}
