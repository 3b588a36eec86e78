//! Certificates that only themselves vouch for, as PostgreSQL's manual makes them, and that the user's file has.

use std::thread;

use insta::assert_snapshot;

use zerostarter_test_harness::{Server, tls};

use super::security_parameters::tls_server;
use super::tls::{command, options, url, with_roles};

/// What a run must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Over TLS.
    Encrypted,
    /// Status 4.
    Refused,
}

use Outcome::{Encrypted, Refused};

/// Production, `sslmode`; and what each server must give.
const EXPECTED: &[(bool, Option<&str>, [Outcome; 7])] = &[
    (true, None, VERIFIED_IN_FULL),
    (true, Some("prefer"), VERIFIED_IN_FULL),
    (true, Some("require"), VERIFIED_IN_FULL),
    (true, Some("verify-ca"), VERIFIED_WITHOUT_NAME),
    (true, Some("verify-full"), VERIFIED_IN_FULL),
    (false, None, VERIFIED_WITHOUT_NAME),
    (false, Some("prefer"), VERIFIED_WITHOUT_NAME),
    (false, Some("require"), VERIFIED_WITHOUT_NAME),
    (false, Some("verify-ca"), VERIFIED_WITHOUT_NAME),
    (false, Some("verify-full"), VERIFIED_IN_FULL),
];

/// The columns: the name among the alternative names; only the common name; no CA mark; another common name; another
/// alternative name, which decides; expired; the right name, but not in the file.
const VERIFIED_IN_FULL: [Outcome; 7] = [
    Encrypted, Encrypted, Encrypted, Refused, Refused, Refused, Refused,
];
const VERIFIED_WITHOUT_NAME: [Outcome; 7] = [
    Encrypted, Encrypted, Encrypted, Encrypted, Encrypted, Refused, Refused,
];

#[test]
fn a_certificate_of_the_file_is_trusted_as_it_is() {
    let certificates = [
        tls::self_signed_ca("x", &["127.0.0.1"], false),
        tls::self_signed_ca("127.0.0.1", &[], false),
        tls::self_signed(&["127.0.0.1"]),
        tls::self_signed_ca("db.example.com", &[], false),
        tls::self_signed_ca("127.0.0.1", &["db.example.com"], false),
        tls::self_signed_ca("127.0.0.1", &["127.0.0.1"], true),
        tls::self_signed_ca("x", &["127.0.0.1"], false),
    ];
    let in_file = &certificates[..certificates.len() - 1];
    let file: String = in_file
        .iter()
        .flat_map(|it| ["Certificate:\n", &*it.certificate])
        .collect();
    let wrong: Vec<String> = thread::scope(|scope| {
        let columns = certificates.iter().enumerate().map(|(column, certificate)| {
            let file = &file;
            scope.spawn(move || {
                let server = with_roles(Server::start(
                    options().tls(&certificate.certificate, &certificate.key),
                ));
                let cells = EXPECTED.iter();
                cells
                    .filter_map(|(production, mode, row)| {
                        check(&server, file, *production, *mode, row[column])
                            .map(|text| format!("column {column}, {production}, {mode:?}: {text}"))
                    })
                    .collect::<Vec<_>>()
            })
        });
        let columns: Vec<_> = columns.collect();
        columns
            .into_iter()
            .flat_map(|it| it.join().expect("a column"))
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the outcome, with `POSTGRES_CA_FILE` and with `sslrootcert`.
fn check(
    server: &Server,
    file: &str,
    production: bool,
    mode: Option<&str>,
    expected: Outcome,
) -> Option<String> {
    let mode = mode.map(|mode| format!("sslmode={mode}")).unwrap_or_default();
    for in_url in [false, true] {
        let database = server.database();
        let parameters = if in_url {
            format!("{mode}&sslrootcert=ca.pem")
        } else {
            mode.clone()
        };
        let mut command = command(production)
            .env(
                "POSTGRES_URL",
                url(server, "tls_only", database.name(), &parameters),
            )
            .file("ca.pem", file);
        if !in_url {
            command = command.env("POSTGRES_CA_FILE", "ca.pem");
        }
        let run = command.run();
        let found = match run.status {
            0 => Some(Encrypted),
            4 => Some(Refused),
            _ => None,
        };
        if found != Some(expected) {
            return Some(format!("expected {expected:?}, found {found:?}: {}", run.stderr));
        }
    }
    None
}

/// A common name may have a wildcard for one label.
#[test]
fn a_common_name_is_read_as_libpq_reads_it() {
    for (common_name, host, is_accepted) in [
        ("DB.example.com", "db.example.com", true),
        ("*.example.com", "db.example.com", true),
        ("*.example.com", "a.db.example.com", false),
        ("*.example.com", "example.com", false),
        ("example.com", "db.example.com", false),
        ("*", "db", false),
    ] {
        let certificate = tls::self_signed_ca(common_name, &[], false);
        let server = with_roles(Server::start(
            options().tls(&certificate.certificate, &certificate.key),
        ));
        let url = url(&server, "tls_only", "postgres", "hostaddr=127.0.0.1")
            .replace("@127.0.0.1:", &format!("@{host}:"));
        let run = command(true)
            .env("POSTGRES_URL", url)
            .file("ca.pem", &certificate.certificate)
            .env("POSTGRES_CA_FILE", "ca.pem")
            .run();
        let expected = if is_accepted { 0 } else { 4 };
        assert_eq!(run.status, expected, "{common_name}, {host}: {}", run.stderr);
    }
}

/// The one in the file has the same name.
#[test]
fn another_certificate_of_the_same_name_is_refused() {
    let [certificate, other] = [(); 2].map(|()| tls::self_signed_ca("127.0.0.1", &["127.0.0.1"], false));
    let server = with_roles(Server::start(options().tls(&other.certificate, &other.key)));
    let command = command(true)
        .env("POSTGRES_URL", url(&server, "tls_only", "postgres", ""))
        .file("ca.pem", &certificate.certificate)
        .env("POSTGRES_CA_FILE", "ca.pem");
    assert_snapshot!(command.snapshot(), @"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      error performing TLS handshake: invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))

    hint: the server's certificate cannot be verified; if it is self-signed, set POSTGRES_CA_FILE to that certificate itself
    ");
}

/// The certificate is public: a server that shows it without its key is refused.
#[test]
fn the_key_of_the_certificate_is_verified() {
    let [certificate, other] = [(); 2].map(|()| tls::self_signed_ca("127.0.0.1", &["127.0.0.1"], false));
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13][..]] {
        let (port, _) = tls_server(false, versions, None, &certificate.certificate, &other.key);
        let command = command(true)
            .env("POSTGRES_URL", format!("postgres://u@127.0.0.1:{port}/db"))
            .file("ca.pem", &certificate.certificate)
            .env("POSTGRES_CA_FILE", "ca.pem");
        let run = command.run();
        assert_eq!(run.status, 4, "{}", run.stderr);
        assert!(run.stderr.contains("BadSignature"), "{}", run.stderr);
    }
}
