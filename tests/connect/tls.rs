//! Every combination of environment, `sslmode`, certificate authority and server, against real servers.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::OnceLock;
use std::thread;

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Server, ServerOptions, tls};

/// What a run must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Over TLS: shown by a role that the server admits in no other way.
    Encrypted,
    /// Without TLS, as the server itself reports.
    Plain,
    /// Status 4, although the server would admit the role without TLS.
    Refused,
    /// Status 2, before any connection.
    Usage,
}

use Outcome::{Encrypted, Plain, Refused, Usage};

/// The servers, in the order of the columns of [`EXPECTED`].
const SERVERS: [&str; 5] = ["plain", "good", "wrong host name", "unknown CA", "expired"];

/// `NODE_ENV` is production, `sslmode`, a CA of one's own; and what each server must give.
///
/// In production: TLS, verified in full, whatever sslmode says, but for verify-ca with one's own CA.
/// Elsewhere: libpq's rules. There a CA makes `require` verify the chain; unlike libpq, `prefer` with a
/// CA does so too. Mozilla's authorities have signed none of these certificates.
const EXPECTED: &[(bool, Option<&str>, bool, [Outcome; 5])] = &[
    (true, None, false, [Refused, Refused, Refused, Refused, Refused]),
    (true, None, true, [Refused, Encrypted, Refused, Refused, Refused]),
    (true, Some("disable"), false, [Usage, Usage, Usage, Usage, Usage]),
    (true, Some("disable"), true, [Usage, Usage, Usage, Usage, Usage]),
    (
        true,
        Some("prefer"),
        false,
        [Refused, Refused, Refused, Refused, Refused],
    ),
    (
        true,
        Some("prefer"),
        true,
        [Refused, Encrypted, Refused, Refused, Refused],
    ),
    (
        true,
        Some("require"),
        false,
        [Refused, Refused, Refused, Refused, Refused],
    ),
    (
        true,
        Some("require"),
        true,
        [Refused, Encrypted, Refused, Refused, Refused],
    ),
    (
        true,
        Some("verify-ca"),
        false,
        [Refused, Refused, Refused, Refused, Refused],
    ),
    (
        true,
        Some("verify-ca"),
        true,
        [Refused, Encrypted, Encrypted, Refused, Refused],
    ),
    (
        true,
        Some("verify-full"),
        false,
        [Refused, Refused, Refused, Refused, Refused],
    ),
    (
        true,
        Some("verify-full"),
        true,
        [Refused, Encrypted, Refused, Refused, Refused],
    ),
    (
        false,
        None,
        false,
        [Plain, Encrypted, Encrypted, Encrypted, Encrypted],
    ),
    (
        false,
        None,
        true,
        [Refused, Encrypted, Encrypted, Refused, Refused],
    ),
    (false, Some("disable"), false, [Plain, Plain, Plain, Plain, Plain]),
    (false, Some("disable"), true, [Plain, Plain, Plain, Plain, Plain]),
    (
        false,
        Some("prefer"),
        false,
        [Plain, Encrypted, Encrypted, Encrypted, Encrypted],
    ),
    (
        false,
        Some("prefer"),
        true,
        [Refused, Encrypted, Encrypted, Refused, Refused],
    ),
    (
        false,
        Some("require"),
        false,
        [Refused, Encrypted, Encrypted, Encrypted, Encrypted],
    ),
    (
        false,
        Some("require"),
        true,
        [Refused, Encrypted, Encrypted, Refused, Refused],
    ),
    (
        false,
        Some("verify-ca"),
        false,
        [Refused, Refused, Refused, Refused, Refused],
    ),
    (
        false,
        Some("verify-ca"),
        true,
        [Refused, Encrypted, Encrypted, Refused, Refused],
    ),
    (
        false,
        Some("verify-full"),
        false,
        [Refused, Refused, Refused, Refused, Refused],
    ),
    (
        false,
        Some("verify-full"),
        true,
        [Refused, Encrypted, Refused, Refused, Refused],
    ),
];

struct Cast {
    ca: String,
    servers: Vec<Server>,
}

pub(super) fn options() -> ServerOptions {
    ServerOptions::new()
        .hba("hostssl all tls_only 127.0.0.1/32 trust")
        .hba("hostnossl all tls_only 127.0.0.1/32 reject")
        .hba("hostssl all scram_tls 127.0.0.1/32 scram-sha-256")
        .hba("host all scram 127.0.0.1/32 scram-sha-256")
        .hba("host all all 127.0.0.1/32 trust")
        .setting("password_encryption", "scram-sha-256")
}

pub(super) fn with_roles(server: Server) -> Server {
    server.execute(
        "postgres",
        "CREATE ROLE tls_only LOGIN SUPERUSER; CREATE ROLE anyone LOGIN SUPERUSER; \
         CREATE ROLE scram LOGIN SUPERUSER PASSWORD 'secret'; CREATE ROLE scram_tls LOGIN SUPERUSER PASSWORD 'secret'",
    );
    server
}

/// The servers of the matrix, started once.
fn cast() -> &'static Cast {
    static CAST: OnceLock<Cast> = OnceLock::new();
    CAST.get_or_init(|| {
        let (own, other) = (tls::ca("own"), tls::ca("other"));
        let here: &[&str] = &["localhost", "127.0.0.1"];
        let certificates = [
            own.certificate(here),
            own.certificate(&["db.example.com"]),
            other.certificate(here),
            own.expired(here),
        ];
        let mut servers = vec![with_roles(Server::start(options()))];
        for certificate in &certificates {
            servers.push(with_roles(Server::start(
                options().tls(&certificate.certificate, &certificate.key),
            )));
        }
        Cast {
            ca: own.pem(),
            servers,
        }
    })
}

pub(super) fn command(production: bool) -> Command {
    Command::bare()
        .env("NODE_ENV", if production { "production" } else { "development" })
        .migration(
            "V1__seen.sql",
            "CREATE TABLE seen AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid();",
        )
}

pub(super) fn url(server: &Server, role: &str, database: &str, parameters: &str) -> String {
    format!(
        "postgres://{role}@127.0.0.1:{}/{database}?{parameters}",
        server.port()
    )
}

fn check(
    production: bool,
    mode: Option<&str>,
    own_ca: bool,
    column: usize,
    expected: Outcome,
) -> Result<(), String> {
    let server = &cast().servers[column];
    let database = server.database();
    let role = if expected == Encrypted {
        "tls_only"
    } else {
        "anyone"
    };
    let parameters = mode.map(|mode| format!("sslmode={mode}")).unwrap_or_default();
    let mut command =
        command(production).env("POSTGRES_URL", url(server, role, database.name(), &parameters));
    if own_ca {
        command = command
            .file("ca.pem", &cast().ca)
            .env("POSTGRES_CA_FILE", "ca.pem");
    }
    let run = command.run();
    let found = match run.status {
        0 => match database.rows("SELECT ssl FROM seen")[..] {
            [ref ssl] if ssl == "t" => Some(Encrypted),
            _ => Some(Plain),
        },
        2 => Some(Usage),
        4 => Some(Refused),
        _ => None,
    };
    if found == Some(expected) {
        return Ok(());
    }
    let cell = format!(
        "production: {production}, sslmode: {mode:?}, own CA: {own_ca}, server: {}",
        SERVERS[column]
    );
    Err(format!(
        "{cell}: expected {expected:?}, found {found:?}: {}",
        run.stderr
    ))
}

#[test]
fn every_cell_of_the_matrix() {
    let _ = cast();
    let wrong: Vec<String> = thread::scope(|scope| {
        let columns: Vec<_> = (0..SERVERS.len())
            .map(|column| {
                scope.spawn(move || {
                    let cells = EXPECTED.iter();
                    cells
                        .filter_map(|(production, mode, own_ca, row)| {
                            check(*production, *mode, *own_ca, column, row[column]).err()
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        columns
            .into_iter()
            .flat_map(|column| column.join().expect("a column"))
            .collect()
    });
    assert!(
        wrong.is_empty(),
        "{} of {} cells:\n{}",
        wrong.len(),
        EXPECTED.len() * SERVERS.len(),
        wrong.join("\n")
    );
}

fn output(server: &Server, parameters: &str, with_ca: bool) -> String {
    let database = server.database();
    let mut command = command(true).env(
        "POSTGRES_URL",
        url(server, "tls_only", database.name(), parameters),
    );
    if with_ca {
        command = command
            .file("ca.pem", &cast().ca)
            .env("POSTGRES_CA_FILE", "ca.pem");
    }
    command
        .filter(
            r"verification time \d+ \(UNIX\)",
            "verification time [now] (UNIX)",
        )
        .filter(r"\d+ seconds ago", "[long] ago")
        .snapshot()
}

#[test]
fn each_refusal_says_what_to_do() {
    let servers = &cast().servers;
    assert_snapshot!(output(&servers[0], "", false), @"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      error performing TLS handshake: server does not support TLS

    hint: TLS is off on the server: turn it on, or use sslmode=disable (in production together with POSTGRES_PLAINTEXT_IN_PRODUCTION=yes)
    ");
    assert_snapshot!(output(&servers[1], "", false), @"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      error performing TLS handshake: invalid peer certificate: UnknownIssuer

    hint: the server's certificate is not signed by a trusted CA. RDS, Supabase and Railway sign with private CAs: download the provider's CA bundle and set POSTGRES_CA_FILE to its path
    ");
    assert_snapshot!(output(&servers[2], "", true), @r#"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      error performing TLS handshake: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("db.example.com")

    hint: the server's certificate names other hosts: use one of them in the URL, or sslmode=verify-ca together with POSTGRES_CA_FILE
    "#);
    assert_snapshot!(output(&servers[4], "", true), @"
    status: 4
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] refused the connection
      error performing TLS handshake: invalid peer certificate: certificate expired: verification time [now] (UNIX), but certificate is not valid after 978307200 ([long] ago)

    hint: renew the server's certificate
    ");
    assert_snapshot!(output(&servers[1], "sslmode=disable", false), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_URL has sslmode=disable, which is refused with NODE_ENV=production

    hint: remove sslmode=disable, or set POSTGRES_PLAINTEXT_IN_PRODUCTION=yes if the network to the database is private
    ");
}

#[test]
fn both_ways_out_in_production_are_logged() {
    let cast = cast();
    assert_snapshot!(output(&cast.servers[2], "sslmode=verify-ca", true), @"
    status: 0
    --- stdout
    --- stderr
    [time] WARN  the server's host name is not verified (sslmode=verify-ca with your own CA)
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__seen in [ms]
    ");
    let database = cast.servers[0].database();
    let command = command(true)
        .env(
            "POSTGRES_URL",
            url(&cast.servers[0], "anyone", database.name(), "sslmode=disable"),
        )
        .env("POSTGRES_PLAINTEXT_IN_PRODUCTION", "yes");
    assert_snapshot!(command.snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] WARN  connections are not encrypted (POSTGRES_PLAINTEXT_IN_PRODUCTION=yes)
    [time] INFO  1 of 1 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V1__seen in [ms]
    ");
}

/// Runs with `parameters` against the server with the good certificate.
fn with_good(role: &str, parameters: &str, production: bool) -> zerostarter_test_harness::Run {
    let server = &cast().servers[1];
    let database = server.database();
    command(production)
        .file("ca.pem", &cast().ca)
        .env("POSTGRES_URL", url(server, role, database.name(), parameters))
        .env("MIGRATE_WAIT", "2s")
        .run()
}

#[test]
fn the_ca_may_be_named_in_the_url() {
    let run = with_good("tls_only", "sslmode=verify-full&sslrootcert=ca.pem", true);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let run = with_good("tls_only", "sslrootcert=system", false);
    assert_eq!(run.status, 4, "{}", run.stderr);
    let run = with_good("tls_only", "sslrootcert=system&sslmode=require", false);
    assert_eq!(run.status, 2, "{}", run.stderr);
}

#[test]
fn a_ca_file_that_is_none_is_named() {
    let server = &cast().servers[1];
    let file = |content: &str| {
        command(true)
            .env("POSTGRES_URL", url(server, "tls_only", "postgres", ""))
            .env("POSTGRES_CA_FILE", "ca.pem")
            .file("ca.pem", content)
            .snapshot()
    };
    assert_snapshot!(file(""), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_CA_FILE names a file that holds no PEM certificate: ca.pem

    hint: it has to be the PEM file of the CA that signed the server's certificate
    ");
    let key = tls::self_signed(&["x"]).key;
    assert!(file(&key).starts_with("status: 2\n"));
    assert!(
        file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").starts_with("status: 2\n")
    );
    let missing = command(true)
        .env("POSTGRES_URL", url(server, "tls_only", "postgres", ""))
        .env("POSTGRES_CA_FILE", "nosuch.pem");
    assert_snapshot!(missing.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_CA_FILE names a file that cannot be read: nosuch.pem: No such file or directory (os error 2)
    ");
}

#[test]
fn scram_is_bound_to_the_channel() {
    for binding in [
        "",
        "&channel_binding=require",
        "&channel_binding=disable",
        "&channel_binding=prefer",
    ] {
        let run = with_good("scram_tls:secret", &format!("sslmode=require{binding}"), false);
        assert_eq!(run.status, 0, "{binding}: {}", run.stderr);
    }
    // Over TLS in a mode that may fall back, and without TLS, where there is no channel to bind to.
    let run = with_good("scram:secret", "sslmode=disable&channel_binding=require", false);
    assert_eq!(run.status, 2, "{}", run.stderr);
    let plain = &cast().servers[0];
    let database = plain.database();
    let run = command(false)
        .env(
            "POSTGRES_URL",
            url(
                plain,
                "scram:secret",
                database.name(),
                "sslmode=prefer&channel_binding=require",
            ),
        )
        .run();
    assert_eq!(run.status, 4, "{}", run.stderr);
}

#[test]
fn a_client_certificate_is_shown() {
    let (own, clients) = (tls::ca("own"), tls::ca("clients"));
    let certificate = own.certificate(&["127.0.0.1"]);
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).expect("to open it");
    let trusted = directory.path().join("clients.pem");
    std::fs::write(&trusted, clients.pem()).expect("to write");
    let server = with_roles(Server::start(
        ServerOptions::new()
            .hba("hostssl all all 127.0.0.1/32 trust clientcert=verify-ca")
            .tls(&certificate.certificate, &certificate.key)
            .setting("ssl_ca_file", trusted.to_str().expect("a path")),
    ));
    let shown = clients.client();
    let run = |parameters: &str| {
        let database = server.database();
        command(false)
            .file("client.pem", &shown.certificate)
            .file("client.key", &shown.key)
            .env(
                "POSTGRES_URL",
                url(&server, "tls_only", database.name(), parameters),
            )
            .run()
    };
    let with = run("sslmode=require&sslcert=client.pem&sslkey=client.key");
    assert_eq!(with.status, 0, "{}", with.stderr);
    assert_eq!(run("sslmode=require").status, 4);
    assert_eq!(run("sslmode=require&sslcert=client.pem").status, 2);
    assert_eq!(
        run("sslmode=require&sslcert=client.pem&sslkey=client.pem").status,
        2
    );
}

/// TLS from the first byte came with PostgreSQL 17.
#[test]
fn direct_negotiation_works_where_the_server_has_it() {
    let run = with_good("tls_only", "sslmode=require&sslnegotiation=direct", false);
    if cast().servers[1].major() >= 17 {
        assert_eq!(run.status, 0, "{}", run.stderr);
    } else {
        // An older server takes it for noise and hangs up, as one that is starting might.
        assert_eq!(run.status, 3, "{}", run.stderr);
    }
    let weak = with_good("tls_only", "sslmode=prefer&sslnegotiation=direct", false);
    assert_eq!(weak.status, 2, "{}", weak.stderr);
}

/// Inside a container `localhost` is dialled under another name; the certificate is for the one written.
#[test]
fn the_name_that_is_verified_is_the_one_that_was_written() {
    let server = &cast().servers[1];
    let database = server.database();
    let run = |written: &str| {
        let url = format!(
            "postgres://tls_only@{written}:{}/{}?hostaddr=127.0.0.1",
            server.port(),
            database.name()
        );
        command(true)
            .file("ca.pem", &cast().ca)
            .env("POSTGRES_CA_FILE", "ca.pem")
            .env("POSTGRES_URL", url)
            .run()
    };
    assert_eq!(run("localhost").status, 0);
    assert_eq!(run("other.example.com").status, 4);
}

/// The request goes to the same address, with the same protection.
#[test]
fn a_signal_cancels_the_statement_of_an_encrypted_connection() {
    let server = &cast().servers[1];
    let database = server.database();
    let mut running = command(false)
        .env(
            "POSTGRES_URL",
            url(server, "tls_only", database.name(), "sslmode=require"),
        )
        .migration(
            "V1__seen.sql",
            "DO $$ BEGIN RAISE NOTICE 'now'; END $$; SELECT pg_sleep(60);",
        )
        .start();
    running.wait_for_stderr("server: now");
    running.signal("TERM");
    let run = running.wait();
    assert_eq!(run.status, 143, "{}", run.stderr);
    assert!(
        run.stderr.contains("V1__seen was cancelled and rolled back"),
        "{}",
        run.stderr
    );
}
