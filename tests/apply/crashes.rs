//! The connection is cut, the server falls silent, the program is killed: whatever the moment, nothing is lost and
//! nothing is done twice.

use std::time::{Duration, Instant};

use zerostarter_test_harness::{
    Command, Database, Proxy, Server, ServerOptions, Shutdown, rounds, zerostarter_db,
};

fn twenty(database: &Database) -> Command {
    (1..=20).fold(zerostarter_db(database), |command, version| {
        command.migration(
            &format!("V{version}__insert.sql"),
            format!("CREATE TABLE IF NOT EXISTS n (id int); INSERT INTO n VALUES ({version});"),
        )
    })
}

/// A program that was killed can have left a server process that goes on until it notices, and that holds the
/// lock meanwhile; the next run waits for it.
#[test]
fn a_kill_at_any_moment_loses_and_repeats_nothing() {
    let expected: Vec<String> = (1..=20).map(|version: i32| version.to_string()).collect();
    let mut killed = 0;
    for round in 0..rounds() * 10 {
        let database = Server::shared().database();
        let running = twenty(&database).start();
        let until = Instant::now()
            + Duration::from_millis(5)
            + Duration::from_micros(u64::from(round) * 7919 % 50_000);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        running.signal("KILL");
        killed += usize::from(running.wait().status == 137);
        let run = twenty(&database).run();
        assert_eq!(run.status, 0, "round {round}: {}", run.stderr);
        assert_eq!(
            database.rows("SELECT id FROM n ORDER BY id"),
            expected,
            "round {round}"
        );
        assert_eq!(database.history().len(), 20, "round {round}");
    }
    assert!(killed > 5, "only {killed} runs were killed");
}

/// The moments are spread over the whole of a run, from before its first connection to after its last.
#[test]
fn a_restart_or_a_crash_of_the_server_at_any_moment_loses_and_repeats_nothing() {
    let server = Server::start(ServerOptions::new());
    let expected: Vec<String> = (1..=20).map(|version: i32| version.to_string()).collect();
    let mut lost = 0;
    for round in 0..rounds() * 5 {
        let shutdown = [Shutdown::Fast, Shutdown::Immediate][usize::from(round % 2 == 0)];
        let database = server.database();
        let command = (1..=20).fold(zerostarter_db(&database), |command, version| {
            command.migration(
                &format!("V{version}__insert.sql"),
                format!(
                    "CREATE TABLE IF NOT EXISTS n (id int); INSERT INTO n VALUES ({version}); SELECT pg_sleep(0.01);"
                ),
            )
        });
        let moment = Duration::from_micros(u64::from(round) * 61_803 % 450_000);
        let running = command.start();
        let until = Instant::now() + moment;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        server.stop(shutdown);
        server.restart();
        let run = running.wait();
        let case = format!("{shutdown:?} after {moment:?}");
        assert_eq!(run.status, 0, "{case}: {}", run.stderr);
        lost += usize::from(run.stderr.contains("lost the connection"));
        for version in 1..=20 {
            let applied = format!("applied V{version}__insert in");
            assert!(
                run.stderr.matches(&applied).count() <= 1,
                "{case}: {}",
                run.stderr
            );
        }
        assert_eq!(
            database.rows("SELECT id FROM n ORDER BY id"),
            expected,
            "{case}: {}",
            run.stderr
        );
        assert_eq!(database.history().len(), 20, "{case}");
        assert_eq!(command.run().status, 0, "{case}");
    }
    assert!(lost > 3, "only {lost} runs lost their connection");
}

#[test]
fn a_question_that_is_cut_off_anywhere_loses_and_repeats_nothing() {
    let mut lost = 0;
    for bytes in (1..).step_by(97) {
        let database = Server::shared().database();
        let proxy = Proxy::builder()
            .cut_question_after_bytes(bytes)
            .only_first(1)
            .start(database.port());
        let run = zerostarter_db(&database)
            .env("POSTGRES_URL", database.url_through(proxy.port()))
            .migration(
                "V1__one.sql",
                "CREATE TABLE one (id int); INSERT INTO one VALUES (1);",
            )
            .migration("V2__two.sql", "INSERT INTO one VALUES (2);")
            .run();
        assert_eq!(run.status, 0, "cut after {bytes} bytes: {}", run.stderr);
        assert_eq!(
            database.rows("SELECT id FROM one ORDER BY 1"),
            ["1", "2"],
            "cut after {bytes} bytes"
        );
        assert_eq!(database.history().len(), 2, "cut after {bytes} bytes");
        if proxy.connections() == 1 {
            break;
        }
        lost += 1;
    }
    assert!(lost > 20, "only {lost} cuts");
}

/// Nothing in the network says that the server is gone; only that it does not answer a question that is answered
/// at once.
#[test]
fn a_server_that_stops_answering_while_it_is_read_is_retried() {
    let started = Instant::now();
    std::thread::scope(|scope| {
        let limited: &[_] = &[("MIGRATE_LOCK_TIMEOUT", "100ms")];
        let unlimited = &[
            ("MIGRATE_LOCK_TIMEOUT", "none"),
            ("MIGRATE_LOCK_BUDGET", "none"),
            ("MIGRATE_LOCK_WAIT", "100ms"),
        ];
        for (command, bytes, locks) in [
            ("migrate", 300, limited),
            ("status", 420, limited),
            ("check", 600, limited),
            ("wait", 700, limited),
            ("check", 500, unlimited),
        ] {
            scope.spawn(move || {
                let database = Server::shared().database();
                assert_eq!(zerostarter_db(&database).run().status, 0);
                let proxy = Proxy::builder()
                    .mute_after_bytes(bytes)
                    .only_first(1)
                    .start(database.port());
                let run = locks
                    .iter()
                    .fold(zerostarter_db(&database), |command, (name, value)| {
                        command.env(name, value)
                    })
                    .env("POSTGRES_URL", database.url_through(proxy.port()))
                    .args([command])
                    .run();
                assert_eq!(run.status, 0, "{command}, {bytes} bytes: {}", run.stderr);
                assert!(
                    run.stderr.contains("no answer within 10"),
                    "{command}: {}",
                    run.stderr
                );
            });
        }
    });
    assert!(
        started.elapsed() < Duration::from_secs(40),
        "{:?}",
        started.elapsed()
    );
}

/// A full disk, or too little memory: an error of the statement, which the next try would meet again.
#[test]
fn a_server_that_runs_out_of_something_rejects_the_file() {
    for state in ["53100", "53200", "53400", "08000"] {
        let database = Server::shared().database();
        let run = zerostarter_db(&database)
            .migration("V1__good.sql", "CREATE TABLE good ();")
            .migration(
                "V2__full.sql",
                format!(
                    "SELECT 1;\nDO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '{state}'; END $$;"
                ),
            )
            .run();
        assert_eq!(run.status, 1, "{state}: {}", run.stderr);
        assert!(
            run.stderr.contains(&format!("no room (SQLSTATE {state})"))
                && run.stderr.contains("--> migrations/V2__full.sql:2:1"),
            "{state}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_file_that_takes_its_connection_down_every_time_is_given_up() {
    let database = Server::shared().database();
    let run = zerostarter_db(&database)
        .migration(
            "V1__suicide.sql",
            "SELECT pg_sleep(0.3); SELECT pg_terminate_backend(pg_backend_pid());",
        )
        .env("MIGRATE_WAIT", "200ms")
        .run();
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_eq!(
        run.stderr.matches("lost the connection").count(),
        1,
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("the connection was lost twice while V1__suicide ran"),
        "{}",
        run.stderr
    );
    assert!(database.catalog().is_empty());
}
