//! Parameters of the URL that demand a protection: each is kept or refused, and none is ignored.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use zerostarter_test_harness::{Command, Server, ServerOptions, tls};

use super::fake_server::{fatal, message, serve};

fn with(parameters: &str) -> Command {
    Command::bare()
        .env("NODE_ENV", "test")
        .env(
            "POSTGRES_URL",
            format!("postgres://u:word@127.0.0.1/db?{parameters}"),
        )
        .arg("env")
}

#[test]
fn a_value_that_demands_nothing_is_accepted() {
    for parameters in [
        "gssencmode=disable",
        "gssencmode=prefer",
        "gssEncMode=disable",
        "krbsrvname=postgres&gsslib=gssapi&gssdelegation=0",
        "min_protocol_version=3.0&max_protocol_version=latest",
        "requirepeer=",
        "requiressl=0",
        "ssl_max_protocol_version=TLSv1.3",
        "ssl_max_protocol_version=",
        "ssl_min_protocol_version=TLSv1",
        "ssl_min_protocol_version=TLSv1.2",
        "sslaccept=accept_invalid_certs",
        "sslcertmode=allow",
        "sslcertmode=disable",
        "sslcompression=0",
        "sslcrl=&sslcrldir=",
        "sslpassword=",
        "sslsni=1",
        "require_auth=",
        "channel_binding=prefer",
    ] {
        let run = with(parameters).run();
        assert_eq!(run.status, 0, "{parameters}: {}", run.stderr);
    }
}

#[test]
fn a_value_that_cannot_be_kept_is_refused() {
    let mut output = String::new();
    for parameters in [
        "gssencmode=require",
        "gssEncMode=require",
        "GSSENCMODE=allow",
        "min_protocol_version=3.2",
        "requirepeer=postgres",
        "requiressl=1",
        "scram_client_key=secret",
        "scram_server_key=secret",
        "ssl_max_protocol_version=TLSv1.2",
        "ssl_min_protocol_version=TLSv1.4",
        "sslaccept=strict",
        "sslcertmode=require",
        "sslcrl=root.crl",
        "sslcrldir=crls",
        "sslpassword=secret",
        "sslsni=maybe",
        "require_auth=scram",
        "require_auth=gss,sspi",
        "require_auth=!password,md5",
        "channel_binding=require&sslmode=disable",
        "channelBinding=require",
        "REQUIRE_AUTH=scram-sha-256",
        "SSLMODE=verify-full",
    ] {
        let run = with(parameters).run();
        assert_eq!(run.status, 2, "{parameters}: {}", run.stderr);
        assert!(!run.stderr.contains("secret"), "{parameters}: {}", run.stderr);
        let said = run.stderr.lines().skip(1).filter(|line| !line.is_empty());
        for line in said {
            output += line;
            output.push('\n');
        }
    }
    assert_snapshot!(output, @"
      POSTGRES_URL has a value in its parameter gssencmode that cannot be enforced
    hint: remove it, and use TLS: sslmode=verify-full
      POSTGRES_URL has a value in its parameter gssencmode that cannot be enforced
    hint: remove it, and use TLS: sslmode=verify-full
      POSTGRES_URL has a value in its parameter gssencmode that cannot be enforced
    hint: remove it, and use TLS: sslmode=verify-full
      POSTGRES_URL has a value in its parameter min_protocol_version that cannot be enforced
    hint: remove it: the protocol version is 3.0
      POSTGRES_URL has a value in its parameter requirepeer that cannot be enforced
    hint: remove it, and let only the server's user write to the directory of the socket
      POSTGRES_URL has a value in its parameter requiressl that cannot be enforced
    hint: write sslmode=require in its place
      POSTGRES_URL has a value in its parameter scram_client_key that cannot be enforced
    hint: remove it, and put the password into the URL
      POSTGRES_URL has a value in its parameter scram_server_key that cannot be enforced
    hint: remove it, and put the password into the URL
      POSTGRES_URL has a value in its parameter ssl_max_protocol_version that cannot be enforced
    hint: remove it: TLS 1.2 and TLS 1.3 are used, whichever is newer on the server
      POSTGRES_URL has a value in its parameter ssl_min_protocol_version that is not TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3
      POSTGRES_URL has a value in its parameter sslaccept that cannot be enforced
    hint: write sslmode=verify-full in its place
      POSTGRES_URL has a value in its parameter sslcertmode that cannot be enforced
    hint: remove it: the server decides whether it asks for a certificate, by clientcert in pg_hba.conf
      POSTGRES_URL has a value in its parameter sslcrl that cannot be enforced
    hint: remove it: revoked certificates are not recognized; replace the CA's certificate in POSTGRES_CA_FILE instead
      POSTGRES_URL has a value in its parameter sslcrldir that cannot be enforced
    hint: remove it: revoked certificates are not recognized; replace the CA's certificate in POSTGRES_CA_FILE instead
      POSTGRES_URL has a value in its parameter sslpassword that cannot be enforced
    hint: remove it, and the passphrase of the key: openssl pkey -in KEY -out NEW_KEY
      POSTGRES_URL has a value in its parameter sslsni that is not 0 or 1
      POSTGRES_URL has a value in its parameter require_auth that is not a list of password, md5, scram-sha-256 and none, or of exclusions such as !password
      POSTGRES_URL has a value in its parameter require_auth that is not a list of password, md5, scram-sha-256 and none, or of exclusions such as !password
      POSTGRES_URL has a value in its parameter require_auth that is not a list of password, md5, scram-sha-256 and none, or of exclusions such as !password
      POSTGRES_URL has channel_binding=require without TLS
    hint: add sslmode=require or stronger
      POSTGRES_URL has an unknown parameter whose name is not only a to z and _
    hint: remove it, or correct its spelling; https://www.postgresql.org/docs/current/libpq-connect.html lists the common ones
      POSTGRES_URL has an unknown parameter whose name is not only a to z and _
    hint: remove it, or correct its spelling; https://www.postgresql.org/docs/current/libpq-connect.html lists the common ones
      POSTGRES_URL has an unknown parameter whose name is not only a to z and _
    hint: remove it, or correct its spelling; https://www.postgresql.org/docs/current/libpq-connect.html lists the common ones
    ");
}

/// What a client showed in its handshake.
#[derive(Debug, Default)]
pub(super) struct Hello {
    name: Option<String>,
}

/// Notes the name that a client sends, and has one certificate.
#[derive(Debug)]
struct Noting {
    certificate: Arc<CertifiedKey>,
    seen: Arc<Mutex<Hello>>,
}

impl ResolvesServerCert for Noting {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.seen.lock().expect("a lock").name = hello.server_name().map(str::to_owned);
        Some(self.certificate.clone())
    }
}

/// A TLS server that is spoken TLS to from the first byte, or after the request for it; then it refuses every role.
pub(super) fn tls_server(
    is_direct: bool,
    versions: &[&'static SupportedProtocolVersion],
    protocol: Option<&str>,
    certificate: &str,
    key: &str,
) -> (u16, Arc<Mutex<Hello>>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate")];
    let seen: Arc<Mutex<Hello>> = Arc::default();
    let resolver = Noting {
        certificate: Arc::new(unchecked(chain, &key, &provider)),
        seen: seen.clone(),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = protocol.iter().map(|name| name.as_bytes().to_vec()).collect();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    serve(listener, move |_, mut stream| {
        if !is_direct {
            stream.read_exact(&mut [0; 8]).expect("a request");
            stream.write_all(b"S").expect("to answer");
        }
        let session = ServerConnection::new(config.clone()).expect("a session");
        let mut stream = StreamOwned::new(session, stream);
        if stream.read(&mut [0; 1000]).is_ok_and(|length| length > 0) {
            let _ = stream.write_all(&fatal("28000", "you are in"));
            let _ = stream.write_all(&message(b'Z', b"I"));
        }
    });
    (port, seen)
}

/// rustls would compare the key with the certificate.
fn unchecked(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> CertifiedKey {
    let key = provider.key_provider.load_private_key(key.clone_key());
    CertifiedKey::new(chain, key.expect("a key"))
}

fn with_localhost(
    is_direct: bool,
    versions: &[&'static SupportedProtocolVersion],
    protocol: Option<&str>,
) -> (u16, Arc<Mutex<Hello>>) {
    let own = tls::self_signed(&["localhost"]);
    tls_server(is_direct, versions, protocol, &own.certificate, &own.key)
}

fn error_at(host: &str, port: u16, parameters: &str) -> String {
    let url = format!("postgres://u@{host}:{port}/db?hostaddr=127.0.0.1&sslmode=require&{parameters}");
    let run = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", url)
        .env("MIGRATE_WAIT", "500ms")
        .arg("check")
        .run();
    let line = run.stderr.lines().find(|line| line.starts_with("  "));
    format!("{}:{}", run.status, line.unwrap_or(&run.stderr))
}

const IN: &str = "4:  you are in (SQLSTATE 28000)";

#[test]
fn a_direct_handshake_needs_the_name_of_the_protocol() {
    use rustls::version::{TLS12, TLS13};
    for versions in [&[&TLS12][..], &[&TLS13][..]] {
        let error = |protocol| {
            let (port, _) = with_localhost(true, versions, protocol);
            error_at("localhost", port, "sslnegotiation=direct")
        };
        assert_eq!(error(Some("postgresql")), IN);
        let unconfirmed = "4:  error performing TLS handshake: the server does not confirm that it speaks PostgreSQL's protocol (ALPN)";
        assert_eq!(error(None), unconfirmed);
        assert_eq!(
            error(Some("http/1.1")),
            "4:  error performing TLS handshake: received fatal alert: NoApplicationProtocol"
        );
        let (port, _) = with_localhost(false, versions, None);
        assert_eq!(error_at("localhost", port, ""), IN);
    }
}

#[test]
fn the_oldest_version_of_tls_is_kept() {
    use rustls::version::{TLS12, TLS13};
    let (old, _) = with_localhost(false, &[&TLS12], None);
    let (new, _) = with_localhost(false, &[&TLS13], None);
    assert_eq!(error_at("localhost", old, "ssl_min_protocol_version=TLSv1.2"), IN);
    assert_eq!(error_at("localhost", new, "ssl_min_protocol_version=TLSv1.3"), IN);
    let refused = error_at("localhost", old, "ssl_min_protocol_version=TLSv1.3");
    assert!(
        refused.starts_with("4:  error performing TLS handshake: "),
        "{refused}"
    );
}

#[test]
fn the_name_of_the_host_is_kept_out_of_the_handshake() {
    let (port, seen) = with_localhost(false, rustls::ALL_VERSIONS, None);
    let name = || seen.lock().expect("a lock").name.take();
    assert_eq!(error_at("db.example.com", port, "sslsni=1"), IN);
    assert_eq!(name().as_deref(), Some("db.example.com"));
    assert_eq!(error_at("db.example.com", port, "sslsni=0"), IN);
    assert_eq!(name(), None);
}

#[test]
fn a_certificate_is_kept_back() {
    let clients = tls::ca("clients");
    let own = tls::ca("own").certificate(&["127.0.0.1"]);
    let server = Server::start(
        ServerOptions::new()
            .tls(&own.certificate, &own.key)
            .hba("host all all 127.0.0.1/32 trust"),
    );
    let shown = clients.client();
    let database = server.database();
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/{}?sslmode=require&sslcert=client.pem&sslkey=client.key&sslcertmode=disable",
        database.port(),
        database.name()
    );
    let run = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", url)
        // The key of another certificate: with sslcertmode=allow, the handshake fails.
        .file("client.pem", &shown.certificate)
        .file("client.key", &own.key)
        .arg("check")
        .run();
    assert_eq!(run.status, 5, "{}", run.stderr);
}
