//! Certificates that only themselves vouch for, as PostgreSQL's manual makes them, and that the user's file has.

use std::thread;

use zerostarter_test_harness::{Server, tls};

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

/// Who has the certificate of a server lacks its key.
#[test]
fn the_key_of_the_certificate_is_verified() {
    let certificate = tls::self_signed_ca("127.0.0.1", &["127.0.0.1"], false);
    let other = tls::self_signed_ca("127.0.0.1", &["127.0.0.1"], false);
    let server = with_roles(Server::start(options().tls(&other.certificate, &other.key)));
    let run = command(true)
        .env("POSTGRES_URL", url(&server, "tls_only", "postgres", ""))
        .file("ca.pem", &certificate.certificate)
        .env("POSTGRES_CA_FILE", "ca.pem")
        .run();
    assert_eq!(run.status, 4, "{}", run.stderr);
}
