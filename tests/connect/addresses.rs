//! A name with several addresses, of which some are silent.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use zerostarter_connect::attempt::AttemptError;
use zerostarter_connect::connection::attempt_at;
use zerostarter_connect::dial::dial;
use zerostarter_db::config::Config;
use zerostarter_settings::Layer;

use zerostarter_test_harness::{Server, unused_port};

use super::fake_server::{fatal, serve, startup};
use crate::library::settings;

/// An address at which nobody answers: the queue of its socket is full. The second value keeps it so.
fn silent(last: u8) -> (SocketAddr, Vec<Box<dyn std::any::Any>>) {
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    listener.bind(&address.into()).expect("to bind");
    listener.listen(0).expect("to listen");
    let address = listener
        .local_addr()
        .expect("an address")
        .as_socket()
        .expect("TCP");
    let mut kept: Vec<Box<dyn std::any::Any>> = vec![Box::new(listener)];
    for _ in 0..64 {
        match TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            Ok(stream) => kept.push(Box::new(stream)),
            Err(_) => return (address, kept),
        }
    }
    panic!("{address} still accepts connections");
}

fn listening() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("to listen");
    (listener.local_addr().expect("an address"), listener)
}

fn refusing() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, unused_port()))
}

fn race(addresses: &[SocketAddr]) -> (Result<SocketAddr, std::io::ErrorKind>, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let started = Instant::now();
    let outcome =
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(2), dial(addresses)).await });
    let found = match outcome {
        Ok(Ok((_, address))) => Ok(address),
        Ok(Err(error)) => Err(error.kind()),
        Err(_) => Err(std::io::ErrorKind::TimedOut),
    };
    (found, started.elapsed())
}

#[test]
fn a_silent_address_delays_the_next_by_a_quarter_of_a_second() {
    let (quiet, _kept) = silent(2);
    let (open, _listener) = listening();
    let (found, took) = race(&[quiet, open]);
    assert_eq!(found, Ok(open));
    assert!(
        took >= Duration::from_millis(250) && took < Duration::from_secs(1),
        "{took:?}"
    );
    let (other, _other_kept) = silent(3);
    let (found, took) = race(&[quiet, other, open]);
    assert_eq!(found, Ok(open));
    assert!(took >= Duration::from_millis(500), "{took:?}");
}

#[test]
fn a_refusing_address_delays_nothing() {
    let (open, _listener) = listening();
    let (found, took) = race(&[refusing(), refusing(), open]);
    assert_eq!(found, Ok(open));
    assert!(took < Duration::from_millis(200), "{took:?}");
    let (quiet, _kept) = silent(2);
    // The refusal comes while the silent one is still tried, and starts the third at once.
    let (found, took) = race(&[quiet, refusing(), open]);
    assert_eq!(found, Ok(open));
    assert!(took < Duration::from_millis(450), "{took:?}");
}

#[test]
fn an_address_that_answers_at_once_is_the_only_one_that_is_tried() {
    let (open, _listener) = listening();
    let (other, listener) = listening();
    assert_eq!(race(&[open, other]).0, Ok(open));
    listener.set_nonblocking(true).expect("to set it");
    assert!(listener.accept().is_err(), "both were tried");
}

#[test]
fn no_address_that_answers_is_an_error() {
    assert_eq!(
        race(&[refusing(), refusing()]).0,
        Err(std::io::ErrorKind::ConnectionRefused)
    );
    assert_eq!(race(&[]).0, Err(std::io::ErrorKind::NotFound));
    let (quiet, _kept) = silent(2);
    assert_eq!(race(&[quiet, refusing()]).0, Err(std::io::ErrorKind::TimedOut));
}

/// The outcome of a whole attempt at these addresses, as its error if it has one.
fn attempt_among(url: &str, addresses: Vec<SocketAddr>) -> (Result<(), String>, Duration) {
    let variables = [("NODE_ENV", "test"), ("POSTGRES_URL", url)];
    let settings = settings(&[Layer::new("test", variables)]);
    let config = Config::load(&settings, &|path| std::fs::read(path)).expect("a configuration");
    let database = config.migrate.database;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let started = Instant::now();
    let outcome = runtime.block_on(async {
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        let connection = attempt_at(&database, &database.url.hosts[0], addresses, deadline).await?;
        connection
            .client()
            .simple_query("SELECT 1")
            .await
            .map_err(AttemptError::Postgres)?;
        connection.close().await;
        Ok(())
    });
    let outcome = outcome.map_err(|error: AttemptError| error.to_string());
    (outcome, started.elapsed())
}

#[test]
fn a_connection_is_made_at_the_first_address_that_lets_it_in() {
    let database = Server::shared().database();
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, database.port()));
    let url = format!(
        "postgres://postgres@db.example.com:{}/{}?connect_timeout=6",
        database.port(),
        database.name()
    );
    let (quiet, _kept) = silent(2);
    let (outcome, took) = attempt_among(&url, vec![quiet, server]);
    assert_eq!(outcome, Ok(()));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(attempt_among(&url, vec![refusing(), server]).0, Ok(()));
    // The kernel accepts for this one, and it never answers.
    let (mute, _listener) = listening();
    let (outcome, took) = attempt_among(&url, vec![mute, server]);
    assert_eq!(outcome, Ok(()));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (rejecting, listener) = listening();
    serve(listener, |_, mut stream| {
        if startup(&mut stream).is_some() {
            let _ = stream.write_all(&fatal("28000", "no pg_hba.conf entry"));
        }
    });
    assert_eq!(attempt_among(&url, vec![rejecting, server]).0, Ok(()));
    let refused = Err("no pg_hba.conf entry (SQLSTATE 28000)".to_owned());
    assert_eq!(attempt_among(&url, vec![rejecting, refusing()]).0, refused);
}
