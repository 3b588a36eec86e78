//! Which of several reasons the error shows when the wait is over.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, unused_port};

use super::fake_server::{fatal, serve, startup};

fn at(hosts: &str) -> Command {
    Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", format!("postgres://u@{hosts}/db"))
}

/// A server that answers the first `count` connections with an error, and the next ones not at all.
fn answering_first(count: usize) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    serve(listener, move |number, mut stream| {
        if startup(&mut stream).is_some() && number < count {
            let _ = stream.write_all(&fatal("57P03", "the database system is starting up"));
        } else {
            // Silent until the client gives up.
            let _ = io::copy(&mut stream, &mut io::sink());
        }
    });
    port
}

#[test]
fn an_answer_says_more_than_the_silence_after_it() {
    let command = at(&format!("127.0.0.1:{}", answering_first(1))).env("MIGRATE_WAIT", "1s");
    assert_snapshot!(command.snapshot(), @"
    status: 3
    --- stdout
    --- stderr
    [time] INFO  waiting for the database at 127.0.0.1:[port]: the database system is starting up (SQLSTATE 57P03) (for up to [duration] more)
    error: 127.0.0.1:[port] could not be reached within [duration]
      the database system is starting up (SQLSTATE 57P03)

    hint: check that the server runs and that host and port in the URL are right
    hint: raise MIGRATE_WAIT (for wait: WAIT_TIMEOUT) if the server needs longer to start
    ");
}

#[test]
fn an_answer_of_one_host_says_more_than_another_host_that_is_down() {
    for hosts in [
        format!("127.0.0.1:{},127.0.0.1:{}", answering_first(9), unused_port()),
        format!("127.0.0.1:{},127.0.0.1:{}", unused_port(), answering_first(9)),
    ] {
        let run = at(&hosts).env("MIGRATE_WAIT", "100ms").run();
        assert_eq!(run.status, 3, "{}", run.stderr);
        let error = run.stderr.split_once("error: ").expect("an error").1;
        assert!(error.contains("(SQLSTATE 57P03)"), "{}", run.stderr);
    }
}
