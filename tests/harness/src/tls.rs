//! Certificates, made when a test asks for them.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub certificate: String,
    pub key: String,
}

/// An authority that signs certificates, and that a client may know or not.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A new authority, unknown to everybody. Two of them have different names and keys.
pub fn ca(name: &str) -> Authority {
    let mut parameters = parameters(&[]);
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let issuer = CertifiedIssuer::self_signed(parameters, key()).expect("to sign");
    Authority { issuer }
}

impl Authority {
    /// The authority's own certificate: the content of a `POSTGRES_CA_FILE`.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A good certificate of a server with these host names and addresses. No names at all is a
    /// certificate as some providers have it.
    pub fn certificate(&self, names: &[&str]) -> Certificate {
        self.sign(&server_parameters(names))
    }

    /// A certificate that a client shows.
    pub fn client(&self) -> Certificate {
        let mut parameters = server_parameters(&[]);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&parameters)
    }

    /// A certificate that was good until 2001.
    pub fn expired(&self, names: &[&str]) -> Certificate {
        let mut parameters = server_parameters(names);
        parameters.not_before = date_time_ymd(2000, 1, 1);
        parameters.not_after = date_time_ymd(2001, 1, 1);
        self.sign(&parameters)
    }

    fn sign(&self, parameters: &CertificateParams) -> Certificate {
        let key = key();
        let certificate = parameters.signed_by(&key, &self.issuer).expect("to sign");
        Certificate {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A certificate that only itself vouches for.
pub fn self_signed(names: &[&str]) -> Certificate {
    let key = key();
    let certificate = server_parameters(names).self_signed(&key).expect("to sign");
    Certificate {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    }
}

/// A certificate as `openssl req -new -x509` makes it: signed by its own key, and marked as a CA. That of PostgreSQL's manual
/// has a common name and no other names.
pub fn self_signed_ca(common_name: &str, names: &[&str], is_expired: bool) -> Certificate {
    let mut parameters = parameters(names);
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    if is_expired {
        parameters.not_before = date_time_ymd(2000, 1, 1);
        parameters.not_after = date_time_ymd(2001, 1, 1);
    }
    let key = key();
    let certificate = parameters.self_signed(&key).expect("to sign");
    Certificate {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    }
}

fn server_parameters(names: &[&str]) -> CertificateParams {
    let mut parameters = parameters(names);
    parameters
        .distinguished_name
        .push(DnType::CommonName, "a server of the tests");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
