//! A server that says what no PostgreSQL server says: the program ends with an error, in time, with little memory, and without
//! a panic.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use zerostarter_test_harness::Command;

use super::fake_server::{message, serve, startup};

/// Waiting does not help; the commands try until it is over.
const WAIT: &str = "1s";

const LIMIT: Duration = Duration::from_secs(15);

fn started(converse: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    serve(listener, move |_, mut stream| {
        if startup(&mut stream).is_some() {
            // The program may close the connection at any time.
            let _ = converse(&mut stream);
        }
    });
    port
}

fn at(port: u16) -> Command {
    Command::bare()
        .env("NODE_ENV", "test")
        .env("MIGRATE_WAIT", WAIT)
        .env(
            "POSTGRES_URL",
            format!("postgres://me:secret-word@127.0.0.1:{port}/postgres?sslmode=disable"),
        )
        .migration("V1__one.sql", "CREATE TABLE one ();")
}

#[track_caller]
fn expect(port: u16, arguments: &[&str], status: i32, words: &str) {
    let started = Instant::now();
    let run = at(port).args(arguments.iter().copied()).run();
    assert_eq!(run.status, status, "{arguments:?}: {}", run.stderr);
    assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
}

#[test]
fn what_it_sends_before_the_connection_is_open_is_bounded() {
    let too_much = "more than 256 KiB before the connection was open";
    // One message that announces 2 GB, and sends on and on.
    for kind in [b'R', b'E', b'N', b'S', b'K', b'x'] {
        let port = started(move |stream| {
            stream.write_all(&[kind, 0x7F, 0xFF, 0xFF, 0xFF])?;
            loop {
                stream.write_all(&[b'x'; 4_096])?;
            }
        });
        expect(port, &["check"], 3, too_much);
    }
    // Many that are each as they should be.
    let port = started(|stream| {
        stream.write_all(&message(b'R', &0_u32.to_be_bytes()))?;
        loop {
            stream.write_all(&message(b'S', b"name\0value\0"))?;
        }
    });
    expect(port, &["migrate"], 3, too_much);
}

#[test]
fn it_cannot_make_the_program_compute_without_end() {
    let port = started(|stream| {
        stream.write_all(&message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"))?;
        let mut first = [0; 4096];
        let length = stream.read(&mut first)?;
        let text = String::from_utf8_lossy(&first[..length]).into_owned();
        let nonce = text.rsplit("r=").next().unwrap_or_default();
        let challenge = format!("\0\0\0\x0br={nonce}x,s=QUFBQUFBQUFBQUFBQUFBQQ==,i=4294967295");
        stream.write_all(&message(b'R', challenge.as_bytes()))?;
        stream.read_to_end(&mut Vec::new())?;
        Ok(())
    });
    expect(port, &["check"], 4, "more than a million rounds of SCRAM");
}

/// Lets everybody in, and gives `answer` to every message of a client.
fn answering(answer: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let ready = message(b'Z', b"I");
    started(move |stream| {
        stream.write_all(&message(b'R', &0_u32.to_be_bytes()))?;
        stream.write_all(&ready)?;
        loop {
            let mut head = [0; 5];
            stream.read_exact(&mut head)?;
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4;
            std::io::copy(&mut stream.take(length as u64), &mut std::io::sink())?;
            stream.write_all(&answer())?;
            stream.write_all(&ready)?;
        }
    })
}

fn columns(names: &[&str]) -> Vec<u8> {
    let mut body = u16::try_from(names.len()).expect("few").to_be_bytes().to_vec();
    for name in names {
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&[0; 19]);
    }
    message(b'T', &body)
}

fn row(values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = u16::try_from(values.len()).expect("few").to_be_bytes().to_vec();
    for value in values {
        let length = value.map_or(-1, |bytes| i32::try_from(bytes.len()).expect("short"));
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(value.unwrap_or_default());
    }
    message(b'D', &body)
}

#[test]
fn odd_answers_are_errors() {
    let done = || message(b'C', b"SELECT 1\0");
    let answers: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no rows", done()),
        ("an empty query", message(b'I', b"")),
        (
            "a row of one column",
            [columns(&["a"]), row(&[Some(b"1")]), done()].concat(),
        ),
        ("a row of no column", [columns(&[]), row(&[]), done()].concat()),
        (
            "a row without a description",
            [row(&[Some(b"1")]), done()].concat(),
        ),
        (
            "a row that is too short",
            [columns(&["a"; 16]), row(&[Some(b"1")]), done()].concat(),
        ),
        (
            "a row that is too long",
            [columns(&["a"]), row(&[Some(&b"1"[..]); 16]), done()].concat(),
        ),
        (
            "bytes that are no text",
            [columns(&["a"; 15]), row(&[Some(&b"\xff\xfe"[..]); 15]), done()].concat(),
        ),
        (
            "a length beyond the message",
            [
                columns(&["a"]),
                message(b'D', &[0, 1, 0x7F, 0xFF, 0xFF, 0xFF]),
                done(),
            ]
            .concat(),
        ),
        (
            "a negative length",
            [columns(&["a"]), message(b'D', &[0, 1, 0x80, 0, 0, 0]), done()].concat(),
        ),
        ("a description that ends early", message(b'T', &[0, 9, b'a', 0])),
        ("an error without fields", message(b'E', &[0])),
        ("an error that ends early", message(b'E', b"SERROR")),
        ("an unknown message", message(b'?', b"what")),
        ("a message shorter than its length", vec![b'C', 0, 0, 0, 1]),
        ("the end of a copy", message(b'c', b"")),
        ("a request for data", message(b'G', &[0, 0, 0])),
    ];
    for (name, answer) in answers {
        let port = answering(move || answer.clone());
        for arguments in [&["check"][..], &["migrate"], &["wait", "--timeout", "1s"]] {
            let started = Instant::now();
            let run = at(port).args(arguments.iter().copied()).run();
            assert!(
                [1, 3, 4].contains(&run.status),
                "{name}, {arguments:?}: {}: {}",
                run.status,
                run.stderr
            );
            assert!(
                run.stderr.contains("error: "),
                "{name}, {arguments:?}: {}",
                run.stderr
            );
            assert!(
                !run.stderr.contains("panicked"),
                "{name}, {arguments:?}: {}",
                run.stderr
            );
            assert!(
                started.elapsed() < LIMIT,
                "{name}, {arguments:?}: {:?}",
                started.elapsed()
            );
        }
    }
}

/// Sixteen columns, as the state has: whatever is in them, and in the history.
#[test]
fn odd_values_are_no_panic() {
    for value in [
        None,
        Some(&b""[..]),
        Some(b"t"),
        Some(b"-1"),
        Some(b"99999999999999999999"),
        Some(b"\xff"),
    ] {
        let port = answering(move || {
            let answer = [
                columns(&["a"; 16]),
                row(&[value; 16]),
                message(b'C', b"SELECT 1\0"),
                columns(&["a", "b", "c", "d"]),
                row(&[value; 4]),
                row(&[value; 4]),
                message(b'C', b"SELECT 2\0"),
            ];
            answer.concat()
        });
        for command in ["check", "status", "plan", "migrate", "wait"] {
            let started = Instant::now();
            let run = at(port).args([command]).env("WAIT_TIMEOUT", "1s").run();
            assert!(
                (0..=7).contains(&run.status),
                "{value:?}, {command}: {}: {}",
                run.status,
                run.stderr
            );
            assert!(
                command != "migrate" || run.status != 0,
                "{value:?}: {}",
                run.stderr
            );
            assert!(
                !run.stderr.contains("panicked"),
                "{value:?}, {command}: {}",
                run.stderr
            );
            assert!(
                started.elapsed() < LIMIT,
                "{value:?}, {command}: {:?}",
                started.elapsed()
            );
        }
    }
}
