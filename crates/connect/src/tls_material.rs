//! Certificates and keys, and the connectors that are made from them.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslNegotiation;
use tokio_rustls::TlsConnector;

use crate::tls::Verification;
use crate::tls_parameters::TlsParameters;
use crate::verifier::Verifier;

/// The name of PostgreSQL's protocol in a TLS handshake.
pub(crate) const ALPN: &[u8] = b"postgresql";

/// Certificates and keys, read and understood, from which connectors are made.
#[derive(Clone)]
pub struct TlsMaterial {
    roots: Arc<RootCertStore>,
    /// The certificates of the user's file, each also as it is.
    trusted: Arc<[CertificateDer<'static>]>,
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
            trusted: Arc::default(),
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
        let certificates = read_certificates(pem)?;
        for certificate in &certificates {
            roots
                .add(certificate.clone())
                .map_err(|_| "holds a certificate that cannot be used as a CA")?;
        }
        self.roots = Arc::new(roots);
        self.trusted = certificates.into();
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

    /// A connector that verifies `verification`, for a URL with these parameters.
    ///
    /// # Errors
    ///
    /// rustls' own, for a client key that does not belong to its certificate.
    pub(crate) fn connector(
        &self,
        verification: Verification,
        parameters: &TlsParameters,
    ) -> Result<TlsConnector, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions: &[_] = if parameters.only_tls13 {
            &[&TLS13]
        } else {
            &[&TLS13, &TLS12]
        };
        let verifier = Verifier {
            verification,
            roots: self.roots.clone(),
            trusted: self.trusted.clone(),
            provider: provider.clone(),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.client {
            Some((chain, key)) => builder.with_client_auth_cert(chain.clone(), key.clone_key())?,
            None => builder.with_no_client_auth(),
        };
        config.enable_sni = !parameters.no_sni;
        if parameters.negotiation == Some(SslNegotiation::Direct) {
            // A server that is spoken TLS to from the first byte asks for this protocol name.
            config.alpn_protocols = vec![ALPN.to_vec()];
        }
        Ok(Arc::new(config).into())
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
