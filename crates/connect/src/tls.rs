//! Whether a connection is encrypted, and what of the server's certificate is verified.
//!
//! [`TlsPolicy::decide`] is the whole decision. The rest of the file carries it out with rustls.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::parameters::SslMode;

/// What is verified of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Nothing: the connection is encrypted, with any server.
    Nothing,
    /// A trusted CA signed it.
    Chain,
    /// A trusted CA signed it for the host name in the URL.
    ChainAndName,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Not at all.
    Plaintext,
    /// By TLS if that works, else not at all (libpq's `prefer`).
    Opportunistic(Verification),
    /// By TLS, or there is no connection.
    Required(Verification),
}

impl std::fmt::Display for TlsPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (strength, verification) = match self {
            Self::Plaintext => return f.write_str("none"),
            Self::Opportunistic(verification) => ("if the server has it", verification),
            Self::Required(verification) => ("required", verification),
        };
        let verified = match verification {
            Verification::Nothing => "nothing verified",
            Verification::Chain => "certificate verified",
            Verification::ChainAndName => "certificate and host name verified",
        };
        write!(f, "{strength}, {verified}")
    }
}

/// `sslmode=disable` in production, which only `POSTGRES_PLAINTEXT_IN_PRODUCTION=yes` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaintextRefused;

impl TlsPolicy {
    /// Decides from `NODE_ENV`, `sslmode` and whether a private CA is given.
    ///
    /// In production the certificate is verified in full whatever `sslmode` says, with two explicit exceptions: `verify-ca`
    /// with a private CA (whose certificates may name no host), and plaintext on a private network. Elsewhere `sslmode` means
    /// what it means in libpq.
    ///
    /// # Errors
    ///
    /// [`PlaintextRefused`].
    pub fn decide(
        production: bool,
        mode: Option<SslMode>,
        private_ca: bool,
        plaintext_in_production: bool,
    ) -> Result<Self, PlaintextRefused> {
        use SslMode::{Disable, Prefer, Require, VerifyCa, VerifyFull};
        use Verification::{Chain, ChainAndName, Nothing};
        Ok(match (production, mode.unwrap_or(Prefer), private_ca) {
            (true, Disable, _) if plaintext_in_production => Self::Plaintext,
            (true, Disable, _) => return Err(PlaintextRefused),
            (true, VerifyCa, true) | (false, VerifyCa, _) | (false, Require, true) => Self::Required(Chain),
            (true, VerifyCa, false) | (true, Prefer | Require | VerifyFull, _) | (false, VerifyFull, _) => {
                Self::Required(ChainAndName)
            }
            (false, Disable, _) => Self::Plaintext,
            (false, Prefer, true) => Self::Opportunistic(Chain),
            (false, Prefer, false) => Self::Opportunistic(Nothing),
            (false, Require, false) => Self::Required(Nothing),
        })
    }
}

/// Certificates and keys, read and understood, from which connectors are made.
#[derive(Clone)]
pub struct TlsMaterial {
    roots: Arc<RootCertStore>,
    client: Option<(Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>)>,
}

impl Default for TlsMaterial {
    /// Mozilla's certificate authorities, compiled in: a scratch image has no CA files.
    fn default() -> Self {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self {
            roots: Arc::new(roots),
            client: None,
        }
    }
}

impl std::fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsMaterial")
            .field("roots", &self.roots.len())
            .finish_non_exhaustive()
    }
}

impl TlsMaterial {
    /// Trusts the certificates of `pem` and no others.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong with the file.
    pub fn trust_only(&mut self, pem: &[u8]) -> Result<(), &'static str> {
        let mut roots = RootCertStore::empty();
        for certificate in read_certificates(pem)? {
            roots
                .add(certificate)
                .map_err(|_| "holds a certificate that cannot be used as a CA")?;
        }
        self.roots = Arc::new(roots);
        Ok(())
    }

    /// Shows the server a certificate of the client's.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong with one of the files.
    pub fn present(&mut self, certificates: &[u8], key: &[u8]) -> Result<(), &'static str> {
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| "holds no PEM private key without a passphrase")?;
        self.client = Some((read_certificates(certificates)?, Arc::new(key)));
        Ok(())
    }

    /// A connector that verifies `verification`, and the host name against `written_name`.
    ///
    /// # Errors
    ///
    /// rustls' own, for a client key that does not belong to its certificate.
    pub fn connector(
        &self,
        verification: Verification,
        written_name: &str,
        direct: bool,
    ) -> Result<NamedConnector, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let builder = match verification {
            Verification::ChainAndName => builder.with_root_certificates(self.roots.clone()),
            Verification::Chain | Verification::Nothing => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(LenientVerifier {
                    verification,
                    roots: self.roots.clone(),
                    provider,
                })),
        };
        let mut config = match &self.client {
            Some((chain, key)) => builder.with_client_auth_cert(chain.clone(), key.clone_key())?,
            None => builder.with_no_client_auth(),
        };
        if direct {
            // A server that is spoken TLS to from the first byte asks for this protocol name.
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(NamedConnector {
            inner: MakeRustlsConnect::new(config),
            name: written_name.to_owned(),
        })
    }
}

fn read_certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "is not a readable PEM file")?;
    if certificates.is_empty() {
        Err("holds no PEM certificate")
    } else {
        Ok(certificates)
    }
}

/// Verifies the host name in the URL, also if another host is dialled: the Docker rewrite changes the address, not the
/// expected server.
#[derive(Clone)]
pub struct NamedConnector {
    inner: MakeRustlsConnect,
    name: String,
}

impl<S> MakeTlsConnect<S> for NamedConnector
where
    MakeRustlsConnect: MakeTlsConnect<S>,
{
    type Stream = <MakeRustlsConnect as MakeTlsConnect<S>>::Stream;
    type TlsConnect = <MakeRustlsConnect as MakeTlsConnect<S>>::TlsConnect;
    type Error = <MakeRustlsConnect as MakeTlsConnect<S>>::Error;

    fn make_tls_connect(&mut self, _dialled: &str) -> Result<Self::TlsConnect, Self::Error> {
        self.inner.make_tls_connect(&self.name)
    }
}

/// Verifies less than rustls does by itself: the chain without the name, or nothing.
/// That the server holds the certificate's key is verified in any case.
#[derive(Debug)]
struct LenientVerifier {
    verification: Verification,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for LenientVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.verification != Verification::Nothing {
            verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(end_entity)?,
                &self.roots,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
