//! What binds a SCRAM authentication to the TLS session that it runs in.

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio_postgres::tls::ChannelBinding;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, SHA_1_WITH_RSA_ENCRYPTION,
    SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};

/// `tls-server-end-point` of RFC 5929, section 4.1: the hash of the server's certificate, by the function of its signature.
/// Signatures without one function, such as Ed25519, have no channel binding.
pub(crate) fn channel_binding(chain: Option<&[CertificateDer<'_>]>) -> ChannelBinding {
    let hash = || {
        let certificate = chain?.first()?;
        let parsed = Certificate::from_der(certificate).ok()?;
        Some(match parsed.signature_algorithm.oid {
            // In place of SHA-1, the RFC demands SHA-256.
            SHA_1_WITH_RSA_ENCRYPTION | SHA_256_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_256 => {
                Sha256::digest(certificate).to_vec()
            }
            SHA_384_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_384 => Sha384::digest(certificate).to_vec(),
            SHA_512_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_512 => Sha512::digest(certificate).to_vec(),
            _ => return None,
        })
    };
    hash().map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
}
