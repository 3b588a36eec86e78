//! Verifies the server's certificate.

use std::sync::Arc;

use rustls::CertificateError::{ExpiredContext, NotValidYetContext};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::db::rfc4519::CN;
use x509_cert::der::oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME;

use crate::tls::Verification;

/// Verifies what the policy says. That the server holds the certificate's key is verified in any case.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) verification: Verification,
    pub(crate) roots: Arc<RootCertStore>,
    /// Certificates of the user's file. A server may show one of them as its own: a self-signed certificate is marked as a
    /// CA, which no verified chain may end in.
    pub(crate) trusted: Arc<[CertificateDer<'static>]>,
    pub(crate) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.verification == Verification::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let trusted = self
            .trusted
            .contains(end_entity)
            .then(|| read(end_entity))
            .transpose()?;
        match &trusted {
            Some(trusted) => verify_dates(trusted, now)?,
            None => verify_server_cert_signed_by_trust_anchor(
                &parsed,
                &self.roots,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?,
        }
        if self.verification == Verification::ChainAndName {
            let by_common_name = |mismatch| match &trusted {
                Some(trusted) if is_common_name(trusted, &server_name.to_str()) => Ok(()),
                _ => Err(mismatch),
            };
            verify_server_name(&parsed, server_name).or_else(by_common_name)?;
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

fn read(certificate: &CertificateDer<'_>) -> Result<Certificate, rustls::Error> {
    Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

fn verify_dates(certificate: &Certificate, now: UnixTime) -> Result<(), rustls::Error> {
    let validity = &certificate.tbs_certificate.validity;
    let [not_before, not_after] = [validity.not_before, validity.not_after]
        .map(|time| UnixTime::since_unix_epoch(time.to_unix_duration()));
    if now < not_before {
        return Err(NotValidYetContext {
            time: now,
            not_before,
        }
        .into());
    }
    if now > not_after {
        return Err(ExpiredContext { time: now, not_after }.into());
    }
    Ok(())
}

/// Whether `name` is the common name of a certificate without alternative names, as libpq reads it: the certificate of
/// PostgreSQL's manual (section 19.9.5) has only that.
fn is_common_name(certificate: &Certificate, name: &str) -> bool {
    let certificate = &certificate.tbs_certificate;
    let mut extensions = certificate.extensions.iter().flatten();
    if extensions.any(|extension| extension.extn_id == ID_CE_SUBJECT_ALT_NAME) {
        return false;
    }
    let parts = certificate.subject.0.iter().flat_map(|part| part.0.iter());
    let mut common_names = parts.filter(|part| part.oid == CN);
    let is_name = |common: &[u8]| match common.strip_prefix(b"*.") {
        Some(domain) => name
            .split_once('.')
            .is_some_and(|(_, rest)| rest.as_bytes().eq_ignore_ascii_case(domain)),
        None => name.as_bytes().eq_ignore_ascii_case(common),
    };
    common_names.any(|common| is_name(common.value.value()))
}
