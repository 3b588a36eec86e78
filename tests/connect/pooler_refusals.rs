//! What PgBouncer passes on of a server's refusal, and what it refuses itself.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Pooler, Server, ServerOptions, unused_port};

use super::fake_server::{fatal, serve, startup};

fn at(pooler: &Pooler, role: &str, rest: &str) -> Command {
    let url = format!("postgres://{role}@127.0.0.1:{}/{rest}", pooler.port());
    Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", url)
        .migration("V1__one.sql", "CREATE TABLE one ();")
}

/// A refusal ends the run long before the wait of 60 s is over.
fn refused(pooler: &Pooler, role: &str, rest: &str) -> String {
    let started = Instant::now();
    let output = at(pooler, role, rest).snapshot();
    assert!(output.starts_with("status: 4\n"), "{role}, {rest}: {output}");
    assert!(started.elapsed() < Duration::from_secs(20), "{output}");
    let lines = output.lines().skip(4).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn server() -> Server {
    let server = Server::start(
        ServerOptions::new()
            .hba("host all scram 127.0.0.1/32 scram-sha-256")
            .hba("host all barred 127.0.0.1/32 reject")
            .hba("host all all 127.0.0.1/32 trust"),
    );
    server.execute(
        "postgres",
        "CREATE ROLE scram LOGIN PASSWORD 'right'; CREATE ROLE barred LOGIN; CREATE ROLE nologin; CREATE ROLE plain LOGIN",
    );
    for statement in [
        "CREATE DATABASE closed",
        "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
        "CREATE DATABASE shut ALLOW_CONNECTIONS false",
    ] {
        server.execute("postgres", statement);
    }
    server
}

const ROLES: &[(&str, &str)] = &[
    ("scram", "wrong"),
    ("barred", ""),
    ("nologin", ""),
    ("plain", ""),
    ("nosuch", ""),
];

#[test]
fn a_refusal_of_the_server_is_one_of_the_pooler() {
    let server = server();
    let databases = format!("* = host=127.0.0.1 port={}", server.port());
    let pooler = Pooler::configured(&databases, "auth_type = trust", ROLES);
    let mut output = String::new();
    for (role, rest) in [
        ("scram", "postgres"),
        ("nosuch", "postgres"),
        ("nologin", "postgres"),
        ("barred", "postgres"),
        ("unlisted", "postgres"),
        ("plain", "nosuch"),
        ("plain", "closed"),
        ("plain", "shut"),
        ("plain", "postgres?options=-csearch_path%3Dapp"),
    ] {
        output += &refused(&pooler, role, rest);
    }
    assert_snapshot!(output, @r#"
      password authentication failed for user "scram" (SQLSTATE 08P01)
    hint: check the password of scram in the URL; @ : / ? # % in it have to be percent-encoded; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      role "nosuch" does not exist (SQLSTATE 08P01)
    hint: check that the role nosuch exists and has LOGIN, and that pg_hba.conf accepts this connection, with or without TLS; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      role "nologin" is not permitted to log in (SQLSTATE 08P01)
    hint: check that the role nologin exists and has LOGIN, and that pg_hba.conf accepts this connection, with or without TLS; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      pg_hba.conf rejects connection for host "127.0.0.1", user "barred", database "postgres", no encryption (SQLSTATE 08P01)
    hint: check that the role barred exists and has LOGIN, and that pg_hba.conf accepts this connection, with or without TLS; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      "trust" authentication failed (SQLSTATE 08P01)
    hint: check that the role unlisted exists and has LOGIN, and that pg_hba.conf accepts this connection, with or without TLS; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      database "nosuch" does not exist (SQLSTATE 08P01)
    hint: create the database nosuch
    hint: set MIGRATE_CREATE_DATABASE=yes (--create-database) to let migrate create it
      permission denied for database "closed" (SQLSTATE 08P01)
    hint: as the owner of the database: GRANT CONNECT ON DATABASE closed TO plain
      database "shut" is not currently accepting connections (SQLSTATE 08P01)
    hint: as an administrator: ALTER DATABASE shut ALLOW_CONNECTIONS true
      unsupported startup parameter: options (SQLSTATE 08P01)
    hint: in place of options=, use schema=NAME for a search path, or set POSTGRES_DIRECT_URL to a direct connection; with ignore_startup_parameters = options, PgBouncer drops them
    "#);
}

#[test]
fn a_refusal_of_the_pooler_itself_ends_the_run() {
    let server = server();
    let databases = format!("only = host=127.0.0.1 port={} dbname=postgres", server.port());
    let mut output = String::new();
    for auth_type in ["md5", "scram-sha-256", "plain", "any"] {
        let pooler = Pooler::configured(&databases, &format!("auth_type = {auth_type}"), ROLES);
        output += &refused(&pooler, "scram:mistyped", "only");
        output += &refused(&pooler, "unlisted:x", "only");
        output += &refused(&pooler, "scram:wrong", "other");
    }
    assert_snapshot!(output, @"
      password authentication failed (SQLSTATE 08P01)
    hint: check the password of scram in the URL; @ : / ? # % in it have to be percent-encoded; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      password authentication failed (SQLSTATE 08P01)
    hint: check the password of unlisted in the URL; @ : / ? # % in it have to be percent-encoded; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      no such database: other (SQLSTATE 08P01)
    hint: add the database other to the configuration of the connection pooler
      SASL authentication failed (SQLSTATE 08P01)
    hint: check the password of scram in the URL; @ : / ? # % in it have to be percent-encoded; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      SASL authentication failed (SQLSTATE 08P01)
    hint: check the password of unlisted in the URL; @ : / ? # % in it have to be percent-encoded; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      no such database: other (SQLSTATE 08P01)
    hint: add the database other to the configuration of the connection pooler
      password authentication failed (SQLSTATE 08P01)
    hint: check the password of scram in the URL; @ : / ? # % in it have to be percent-encoded; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      password authentication failed (SQLSTATE 08P01)
    hint: check the password of unlisted in the URL; @ : / ? # % in it have to be percent-encoded; a connection pooler has roles and passwords of its own (auth_file, auth_query)
      no such database: other (SQLSTATE 08P01)
    hint: add the database other to the configuration of the connection pooler
      bouncer config error (SQLSTATE 08P01)
    hint: correct the configuration of the connection pooler; its log says more
      bouncer config error (SQLSTATE 08P01)
    hint: correct the configuration of the connection pooler; its log says more
      bouncer config error (SQLSTATE 08P01)
    hint: correct the configuration of the connection pooler; its log says more
    ");
}

/// With the role and password of another database, the missing one is created.
#[test]
fn a_missing_database_is_created_through_the_pooler() {
    let server = server();
    let databases = format!("* = host=127.0.0.1 port={}", server.port());
    let settings = "auth_type = trust\nserver_login_retry = 1";
    let pooler = Pooler::configured(&databases, settings, &[("postgres", "")]);
    let run = at(&pooler, "postgres", "fresh")
        .env("MIGRATE_CREATE_DATABASE", "yes")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn a_pooler_whose_server_is_down_is_waited_for() {
    let databases = format!("* = host=127.0.0.1 port={}", unused_port());
    let pooler = Pooler::configured(&databases, "auth_type = trust", ROLES);
    let run = at(&pooler, "plain", "postgres").env("MIGRATE_WAIT", "1s").run();
    assert_eq!(run.status, 3, "{}", run.stderr);
    let started = unused_port();
    let full = Pooler::configured(
        &format!("* = host=127.0.0.1 port={started}"),
        "auth_type = trust\nmax_client_conn = 0",
        ROLES,
    );
    let command = at(&full, "plain", "postgres").env("MIGRATE_WAIT", "1s");
    assert_snapshot!(command.snapshot(), @"
    status: 3
    --- stdout
    --- stderr
    [time] INFO  waiting for the database at 127.0.0.1:[port]: no more connections allowed (max_client_conn) (SQLSTATE 08P01) (for up to [duration] more)
    error: 127.0.0.1:[port] could not be reached within [duration]
      no more connections allowed (max_client_conn) (SQLSTATE 08P01)

    hint: check that the server runs and that host and port in the URL are right
    hint: raise MIGRATE_WAIT (for wait: WAIT_TIMEOUT) if the server needs longer to start
    ");
}

/// What versions of PgBouncer say, which no test can start all of.
#[test]
fn the_words_of_every_version_are_known() {
    for (words, status) in [
        (
            "server login failed: FATAL password authentication failed for user \"u\"",
            4,
        ),
        ("server login failed: FATAL role \"u\" does not exist", 4),
        ("server login failed: FATAL database \"db\" does not exist", 4),
        (
            "server login failed: FATAL no pg_hba.conf entry for host \"::1\", user \"u\"",
            4,
        ),
        (
            "server login failed: FATAL permission denied for database \"db\"",
            4,
        ),
        (
            "server login has been failing, cached error: role \"u\" is not permitted to log in (server_login_retry)",
            4,
        ),
        ("no such user: u", 4),
        ("unsupported startup parameter in options: search_path", 4),
        ("server login failed: FATAL the database system is starting up", 3),
        (
            "server login failed: FATAL the database system is shutting down",
            3,
        ),
        ("server login failed: FATAL sorry, too many clients already", 3),
        (
            "server login failed: FATAL too many connections for database \"db\"",
            3,
        ),
        (
            "server login has been failing, try again later (server_login_retry)",
            3,
        ),
        ("pgbouncer cannot connect to server", 3),
        ("client_login_timeout (server down)", 3),
        ("query_wait_timeout", 3),
        ("no more connections allowed (max_client_conn)", 3),
    ] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        serve(listener, move |_, mut stream| {
            if startup(&mut stream).is_some() {
                let _ = stream.write_all(&fatal("08P01", words));
            }
        });
        let run = Command::bare()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", format!("postgres://u@127.0.0.1:{port}/db"))
            .env("MIGRATE_WAIT", "100ms")
            .arg("check")
            .run();
        assert_eq!(run.status, status, "{words}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}
