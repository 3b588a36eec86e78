//! A database that is not there yet, says no, or goes away in the middle.

use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use zerostarter_test_harness::{
    Command, Database, Proxy, Server, ServerOptions, Shutdown, unused_port, zerostarter_db,
};

fn at(url: &str) -> Command {
    Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", url)
        .migration("V1__one.sql", "CREATE TABLE one ();")
}

fn at_port(port: u16) -> Command {
    at(&format!(
        "postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    ))
}

#[test]
fn a_server_that_starts_later_is_waited_for() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    server.stop(Shutdown::Fast);
    let mut running = zerostarter_db(&database).start();
    running.wait_for_stderr("Connection refused (os error 111) (for up to ");
    server.restart();
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("the database answers after"),
        "{}",
        run.stderr
    );
    assert_eq!(database.history().len(), 2);
}

#[test]
fn a_server_that_never_comes_is_given_up_after_the_wait() {
    let started = Instant::now();
    let command = at_port(unused_port()).env("MIGRATE_WAIT", "1s");
    assert_snapshot!(command.snapshot(), @"
    status: 3
    --- stdout
    --- stderr
    [time] INFO  waiting for the database at 127.0.0.1:[port]: error connecting to server: Connection refused (os error 111) (for up to [duration] more)
    error: 127.0.0.1:[port] could not be reached within [duration]
      error connecting to server: Connection refused (os error 111)

    hint: check that the server runs and that host and port in the URL are right
    hint: raise MIGRATE_WAIT (for wait: WAIT_TIMEOUT) if the server needs longer to start
    ");
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn connections_that_are_reset_are_tried_again() {
    let database = Server::shared().database();
    let proxy = Proxy::builder().refuse_first(3).start(database.port());
    let run = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_through(proxy.port()))
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(proxy.connections() > 3);
}

#[test]
fn a_name_that_does_not_resolve_is_waited_for() {
    let command = at("postgres://u@nosuch.invalid/db").env("MIGRATE_WAIT", "300ms");
    let run = command.run();
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("waiting for the database at nosuch.invalid:5432"),
        "{}",
        run.stderr
    );
}

/// The limit covers what comes after the TCP connection too: this server accepts and says nothing.
#[test]
fn a_server_that_says_nothing_is_given_up_on_after_the_limit_of_an_attempt() {
    let proxy = Proxy::builder().silent().start(Server::shared().port());
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/postgres?connect_timeout=1",
        proxy.port()
    );
    let run = at(&url).env("MIGRATE_WAIT", "1500ms").run();
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(run.stderr.contains("no answer within 1"), "{}", run.stderr);
    assert!(proxy.connections() >= 2, "{}", run.stderr);
}

#[test]
fn no_attempt_takes_longer_than_ten_seconds() {
    let proxy = Proxy::builder().silent().start(Server::shared().port());
    let started = Instant::now();
    let mut running = at_port(proxy.port()).start();
    running.wait_for_stderr("no answer within 10");
    assert!(started.elapsed() >= Duration::from_secs(9));
    running.signal("TERM");
    assert_eq!(running.wait().status, 143);
}

#[test]
fn a_server_that_is_starting_up_is_waited_for() {
    let primary = Server::start(ServerOptions::new());
    let starting = Server::start_standby_with(&primary, ServerOptions::new().setting("hot_standby", "off"));
    let mut running = at_port(starting.port()).start();
    running.wait_for_stderr("(SQLSTATE 57P03)");
    starting.promote();
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn a_full_server_is_waited_for() {
    let server = Server::start(
        ServerOptions::new()
            .setting("max_connections", "4")
            .setting("superuser_reserved_connections", "0"),
    );
    let mut sessions = Vec::new();
    while sessions.len() < 4 {
        sessions.push(server.session("postgres"));
    }
    let mut running = at_port(server.port()).start();
    running.wait_for_stderr("(SQLSTATE 53300)");
    sessions.clear();
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

/// A refusal ends the run long before the wait of 60 s is over.
fn refused(command: &Command) -> String {
    let started = Instant::now();
    let output = command.snapshot();
    assert!(started.elapsed() < Duration::from_secs(20), "{output}");
    assert!(output.starts_with("status: 4\n"), "{output}");
    output
}

#[test]
fn what_waiting_cannot_mend_fails_at_once() {
    let server = Server::start(
        ServerOptions::new()
            .hba("host all barred 127.0.0.1/32 reject")
            .hba("host all scram 127.0.0.1/32 scram-sha-256")
            .hba("host all all 127.0.0.1/32 trust"),
    );
    server.execute(
        "postgres",
        "CREATE ROLE scram LOGIN PASSWORD 'right'; CREATE ROLE nologin; CREATE ROLE plain LOGIN; CREATE ROLE barred LOGIN",
    );
    server.execute("postgres", "CREATE DATABASE closed");
    server.execute("postgres", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
    let run = |role: &str, database: &str| {
        let url = format!(
            "postgres://{role}@127.0.0.1:{}/{database}?sslmode=disable",
            server.port()
        );
        refused(&at(&url))
    };
    assert_snapshot!(run("scram:wrong", "postgres"), @r#"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      password authentication failed for user "scram" (SQLSTATE 28P01)

    hint: check the password of scram in the URL; @ : / ? # % in it have to be percent-encoded
    "#);
    assert_snapshot!(run("scram", "postgres"), @"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      invalid configuration: password missing

    hint: add the password of scram to the URL: the server asks for it
    ");
    assert_snapshot!(run("nosuch", "postgres"), @r#"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      role "nosuch" does not exist (SQLSTATE 28000)

    hint: check that the role nosuch exists and has LOGIN, and that pg_hba.conf accepts this connection, with or without TLS
    "#);
    assert_snapshot!(run("nologin", "postgres"), @r#"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      role "nologin" is not permitted to log in (SQLSTATE 28000)

    hint: check that the role nologin exists and has LOGIN, and that pg_hba.conf accepts this connection, with or without TLS
    "#);
    assert_snapshot!(run("plain", "nosuch"), @r#"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      database "nosuch" does not exist (SQLSTATE 3D000)

    hint: create the database nosuch
    hint: set MIGRATE_CREATE_DATABASE=yes (--create-database) to let migrate create it
    "#);
    assert_snapshot!(run("plain", "closed"), @r#"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      permission denied for database "closed" (SQLSTATE 42501)

    hint: as the owner of the database: GRANT CONNECT ON DATABASE closed TO plain
    "#);
    assert_snapshot!(run("barred", "postgres"), @r#"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      pg_hba.conf rejects connection for host "127.0.0.1", user "barred", database "postgres", no encryption (SQLSTATE 28000)

    hint: check that the role barred exists and has LOGIN, and that pg_hba.conf accepts this connection, with or without TLS
    "#);
}

#[test]
fn a_missing_right_is_reported_before_anything_is_tried() {
    let database = Server::shared().database();
    database.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC");
    let role = database.role("NOSUPERUSER");
    let as_role = || zerostarter_db(&database).env("POSTGRES_URL", database.url_as(&role));
    assert_snapshot!(refused(&as_role()), @"
    status: 4
    --- stdout
    --- stderr
    error: the role [role] lacks the CREATE privilege on schema public

    hint: as the owner of the database: GRANT CREATE ON SCHEMA public TO [role]
    ");
    assert_eq!(
        zerostarter_db(&database).env("MIGRATE_TARGET", "0").run().status,
        0
    );
    database.execute(&format!("GRANT SELECT ON refinery_schema_history TO {role}"));
    assert_snapshot!(refused(&as_role()), @r#"
    status: 4
    --- stdout
    --- stderr
    error: the role [role] lacks the INSERT privilege on "public".refinery_schema_history

    hint: as the owner of the history table: GRANT INSERT ON "public".refinery_schema_history TO [role], or set MIGRATE_ROLE to the role that owns the schema
    "#);
}

#[test]
fn a_standby_with_pending_migrations_is_refused() {
    let primary = Server::start(ServerOptions::new());
    let standby = Server::start_standby_of(&primary);
    assert_snapshot!(refused(&at_port(standby.port())), @"
    status: 4
    --- stdout
    --- stderr
    error: the database is a read-only standby, and migrations are pending

    hint: point POSTGRES_URL at the primary, or list both hosts and add target_session_attrs=read-write
    ");
    let both = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?sslmode=disable&target_session_attrs=read-write",
        standby.port(),
        primary.port()
    );
    let run = at(&both).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        primary.rows("postgres", "SELECT count(*) FROM refinery_schema_history"),
        ["1"]
    );
}

/// The primary is down, and what is left of the hosts cannot be written to yet.
#[test]
fn the_promotion_of_a_standby_is_waited_for() {
    let primary = Server::start(ServerOptions::new());
    let standby = Server::start_standby_of(&primary);
    for target in ["read-write", "primary"] {
        for hosts in [
            format!("127.0.0.1:{},127.0.0.1:{}", unused_port(), standby.port()),
            format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), unused_port()),
        ] {
            let url =
                format!("postgres://postgres@{hosts}/postgres?sslmode=disable&target_session_attrs={target}");
            let command = at(&url).env("MIGRATE_WAIT", "500ms");
            let run = command.run();
            assert_eq!(run.status, 4, "{hosts}: {}", run.stderr);
            let error = run.stderr.split_once("error: ").expect("an error").1;
            let server = format!(
                "127.0.0.1:{} is read-only, and no other server accepted writes within ",
                standby.port()
            );
            assert!(error.starts_with(&server), "{hosts}: {}", run.stderr);
            assert!(
                error.contains("\n\nhint: promote a standby"),
                "{hosts}: {}",
                run.stderr
            );
        }
    }
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?sslmode=disable&target_session_attrs=read-write",
        primary.port(),
        standby.port()
    );
    primary.stop(Shutdown::Immediate);
    let mut running = at(&url).start();
    running.wait_for_stderr("database does not allow writes");
    standby.promote();
    let run = running.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        standby.rows("postgres", "SELECT count(*) FROM refinery_schema_history"),
        ["1"]
    );
}

#[test]
fn the_next_host_is_tried_when_one_is_down() {
    let database = Server::shared().database();
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/{}?sslmode=disable",
        unused_port(),
        database.port(),
        database.name()
    );
    let run = at(&url).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn a_missing_database_is_created_on_request() {
    let server = Server::start(ServerOptions::new());
    let copies: Vec<_> = (0..8)
        .map(|_| {
            at(&server
                .url("fresh \"one\"")
                .replace(' ', "%20")
                .replace('"', "%22"))
            .args(["migrate", "--create-database"])
            .start()
        })
        .collect();
    for copy in copies {
        let run = copy.wait();
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    assert_eq!(
        server.rows("fresh \"one\"", "SELECT count(*) FROM refinery_schema_history"),
        ["1"]
    );
    server.execute("postgres", "CREATE ROLE plain LOGIN");
    let command = at(&format!(
        "postgres://plain@127.0.0.1:{}/other?sslmode=disable",
        server.port()
    ))
    .env("MIGRATE_CREATE_DATABASE", "yes");
    assert_snapshot!(refused(&command), @"
    status: 4
    --- stdout
    --- stderr
    error: the database other does not exist and may not be created
      permission denied to create database (SQLSTATE 42501)

    hint: as an administrator: CREATE DATABASE other
    ");
}

const SLOW: (&str, &str) = ("V2__slow.sql", "CREATE TABLE slow (); SELECT pg_sleep(1);");

/// Waits until the server runs the slow statement of ours.
fn running_slow(server: &Server, database: &Database) {
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name = 'zerostarter-db'";
    let found = zerostarter_test_harness::poll(Duration::from_secs(30), || {
        (server.rows(database.name(), sleeping) == ["1"]).then_some(())
    });
    assert!(found.is_some());
}

/// A way to lose a connection.
type Break = fn(&Server);

#[test]
fn a_connection_that_is_lost_in_a_migration_is_replaced() {
    let server = Server::start(ServerOptions::new());
    let ways: [(&str, Break); 3] = [
        ("the backend is terminated", |server| {
            server.execute("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'zerostarter-db'");
        }),
        ("the server is restarted", Server::restart),
        ("the server crashes", |server| {
            server.stop(Shutdown::Immediate);
            server.restart();
        }),
    ];
    for (way, break_it) in ways {
        let database = server.database();
        let running = zerostarter_db(&database)
            .migration("V1__one.sql", "CREATE TABLE one ();")
            .migration(SLOW.0, SLOW.1)
            .start();
        running_slow(&server, &database);
        break_it(&server);
        let run = running.wait();
        assert_eq!(run.status, 0, "{way}: {}", run.stderr);
        assert!(
            run.stderr.contains("lost the connection"),
            "{way}: {}",
            run.stderr
        );
        assert_eq!(
            run.stderr.matches("applied V1__one in").count(),
            1,
            "{way}: {}",
            run.stderr
        );
        assert_eq!(database.history().len(), 2, "{way}");
        assert!(
            database.catalog().contains(&"table public.slow".to_owned()),
            "{way}"
        );
    }
}

#[test]
fn a_server_that_does_not_come_back_is_given_up() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    let running = zerostarter_db(&database)
        .migration(SLOW.0, SLOW.1)
        .env("MIGRATE_WAIT", "500ms")
        .start();
    running_slow(&server, &database);
    server.stop(Shutdown::Immediate);
    let run = running.wait();
    assert_eq!(run.status, 3, "{}", run.stderr);
    server.restart();
    assert!(database.history().is_empty());
}

/// The connection is cut every 40 bytes of the server's answers: before, in and after those of each
/// commit. What was committed without our knowing is found in the history, and listed with the rest.
#[test]
fn an_answer_that_is_cut_off_anywhere_loses_and_repeats_nothing() {
    let cut_everywhere = |is_atomic: &str| {
        let mut lost_commits = 0;
        for bytes in (0..).step_by(40) {
            let case = format!("atomic: {is_atomic}, cut after {bytes} bytes");
            let database = Server::shared().database();
            let proxy = Proxy::builder()
                .reset_after_bytes(bytes)
                .only_first(1)
                .start(database.port());
            let command = zerostarter_db(&database)
                .env("POSTGRES_URL", database.url_through(proxy.port()))
                .env("MIGRATE_ATOMIC", is_atomic)
                .env("MIGRATE_REPORT", "report.json")
                .migration(
                    "V1__one.sql",
                    "CREATE TABLE one (id int); INSERT INTO one VALUES (1);",
                )
                .migration("V2__two.sql", "INSERT INTO one VALUES (2);");
            let run = command.run();
            assert_eq!(run.status, 0, "{case}: {}", run.stderr);
            assert_eq!(database.rows("SELECT id FROM one"), ["1", "2"], "{case}");
            assert_eq!(database.history().len(), 2, "{case}");
            let report = std::fs::read(command.directory().join("report.json")).expect("a report");
            let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
            let listed: Vec<_> = (0..3)
                .map(|number| report["applied"][number]["migration"].as_str())
                .collect();
            assert_eq!(
                listed,
                [Some("V1__one"), Some("V2__two"), None],
                "{case}: {}",
                run.stderr
            );
            let applied = run.stderr.matches("applied V").count();
            let found = run
                .stderr
                .matches("was running when the connection was lost, and is committed");
            assert_eq!(applied + found.count(), 2, "{case}: {}", run.stderr);
            lost_commits += usize::from(applied < 2);
            if proxy.connections() == 1 {
                break;
            }
        }
        assert!(lost_commits > 0, "no cut came between a commit and its answer");
    };
    thread::scope(|scope| {
        for is_atomic in ["no", "yes"] {
            scope.spawn(move || cut_everywhere(is_atomic));
        }
    });
}

#[test]
fn commands_that_only_look_connect_again_too() {
    let database = Server::shared().database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    let database = &database;
    let cut_everywhere = |command: &str| {
        let mut reconnected = 0;
        for bytes in (0..1200).step_by(100) {
            let proxy = Proxy::builder()
                .reset_after_bytes(bytes)
                .only_first(1)
                .start(database.port());
            let run = zerostarter_db(database)
                .env("POSTGRES_URL", database.url_through(proxy.port()))
                .args([command])
                .run();
            assert_eq!(
                run.status, 0,
                "{command}, cut after {bytes} bytes: {}",
                run.stderr
            );
            reconnected += usize::from(run.stderr.contains("lost the connection"));
        }
        assert!(
            reconnected > 0,
            "{command} never lost a connection it was reading from"
        );
    };
    thread::scope(|scope| {
        for command in ["status", "check", "wait", "plan"] {
            scope.spawn(move || cut_everywhere(command));
        }
    });
}
