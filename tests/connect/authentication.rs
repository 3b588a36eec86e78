//! Which proofs of identity a server gets, and on which ways.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::mpsc;

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Server, ServerOptions, tls};

use super::fake_server::{message, serve, startup};

/// An address of this machine that is not its loopback. No packet is sent.
fn address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    socket.connect("192.0.2.1:9").expect("a network");
    socket.local_addr().expect("an address").ip()
}

fn at(host: IpAddr, port: u16, role: &str, parameters: &str) -> Command {
    Command::bare()
        .env("NODE_ENV", "test")
        .env(
            "POSTGRES_URL",
            format!("postgres://{role}:secret-word@{host}:{port}/postgres?{parameters}"),
        )
        .arg("check")
}

fn server(with_tls: bool) -> Server {
    let mut options = ServerOptions::new().setting("listen_addresses", "*");
    for (role, method) in [
        ("clear", "password"),
        ("md5", "md5"),
        ("scram", "scram-sha-256"),
        ("trusted", "trust"),
    ] {
        options = options.hba(&format!("host all {role} all {method}"));
    }
    if with_tls {
        let certificate = tls::self_signed(&["localhost"]);
        options = options.tls(&certificate.certificate, &certificate.key);
    }
    let server = Server::start(options);
    server.execute(
        "postgres",
        "SET password_encryption = 'md5'; CREATE ROLE md5 LOGIN PASSWORD 'secret-word'; \
         SET password_encryption = 'scram-sha-256'; CREATE ROLE clear LOGIN PASSWORD 'secret-word'; \
         CREATE ROLE scram LOGIN PASSWORD 'secret-word'; CREATE ROLE trusted LOGIN",
    );
    server
}

#[test]
fn a_password_in_cleartext_needs_tls_or_this_machine() {
    let (plain, encrypted) = (server(false), server(true));
    let loopback: IpAddr = [127, 0, 0, 1].into();
    for (server, host, parameters, status) in [
        (&plain, address(), "sslmode=disable", 4),
        (&plain, address(), "sslmode=prefer", 4),
        (&plain, address(), "sslmode=disable&require_auth=!md5", 4),
        (&plain, address(), "sslmode=disable&require_auth=password", 5),
        (&plain, address(), "require_auth=scram-sha-256,password", 5),
        (&plain, loopback, "sslmode=disable", 5),
        (&encrypted, address(), "sslmode=disable", 4),
        (&encrypted, address(), "sslmode=prefer", 5),
        (&encrypted, address(), "sslmode=require", 5),
    ] {
        let run = at(host, server.port(), "clear", parameters).run();
        assert_eq!(run.status, status, "{host}, {parameters}: {}", run.stderr);
    }
    for role in ["md5", "scram", "trusted"] {
        let run = at(address(), plain.port(), role, "sslmode=disable").run();
        assert_eq!(run.status, 5, "{role}: {}", run.stderr);
    }
    let host = address();
    let command = at(host, plain.port(), "clear", "").filter(&format!("{host}:[0-9]+"), "[host]");
    assert_snapshot!(command.snapshot(), @"
    status: 4
    --- stdout
    --- stderr
    error: [host] refused the connection
      error communicating with the server: the server asks for the password in cleartext, and the connection has no TLS

    hint: use TLS: sslmode=require or stronger; or change the method in pg_hba.conf to scram-sha-256; on a network that you trust, add require_auth=password to the URL
    ");
}

/// The bytes themselves: this server asks for it, and gets nothing.
#[test]
fn a_password_in_cleartext_never_leaves() {
    let listener = TcpListener::bind((address(), 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, received) = mpsc::channel();
    serve(listener, move |_, mut stream| {
        if startup(&mut stream).is_some() {
            stream
                .write_all(&message(b'R', &3_u32.to_be_bytes()))
                .expect("to ask");
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            sender.send(rest).expect("to report");
        }
    });
    let run = at(address(), port, "clear", "").run();
    assert_eq!(run.status, 4, "{}", run.stderr);
    assert_eq!(received.recv().expect("a connection"), b"");
}

/// Every method against every value.
#[test]
fn require_auth_is_kept() {
    let server = &server(true);
    for mode in ["sslmode=disable", "sslmode=require"] {
        for (role, method) in [
            ("clear", "password"),
            ("md5", "md5"),
            ("scram", "scram-sha-256"),
            ("trusted", "none"),
        ] {
            for (value, is_allowed) in [
                (String::new(), true),
                (method.to_owned(), true),
                (format!("gss,{method}"), true),
                ("password,md5,scram-sha-256,none".to_owned(), true),
                ("!gss,!sspi".to_owned(), true),
                (format!("!{method}"), false),
                ("password".to_owned(), method == "password"),
                ("md5".to_owned(), method == "md5"),
                ("scram-sha-256".to_owned(), method == "scram-sha-256"),
                ("none".to_owned(), method == "none"),
                ("!none".to_owned(), method != "none"),
            ] {
                let loopback = [127, 0, 0, 1].into();
                let parameters = format!("{mode}&require_auth={value}");
                let run = at(loopback, server.port(), role, &parameters).run();
                let expected = if is_allowed { 5 } else { 4 };
                assert_eq!(run.status, expected, "{role}, {parameters}: {}", run.stderr);
            }
        }
    }
    let command = at(
        [127, 0, 0, 1].into(),
        server.port(),
        "trusted",
        "require_auth=scram-sha-256",
    );
    assert_snapshot!(command.snapshot(), @"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      error communicating with the server: the server asks for an authentication that require_auth excludes

    hint: change the method of trusted in pg_hba.conf, or the parameter require_auth in the URL
    ");
    let command = at(
        [127, 0, 0, 1].into(),
        server.port(),
        "trusted",
        "require_auth=gss",
    );
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_URL has a value in its parameter require_auth that is not a list of password, md5, scram-sha-256 and none, or of exclusions such as !password
    ");
}
