//! The parameters of a database URL that concern TLS.

use std::path::PathBuf;

use tokio_postgres::config::SslNegotiation;

use crate::url_error::{UrlError, invalid};

/// libpq's `sslmode`. `allow` is read as `prefer`, which asks for TLS first; node's `no-verify` as `require`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS if the server has it.
    Prefer,
    /// TLS; the certificate is verified only if a CA is given.
    Require,
    /// TLS with a certificate that the CA signed.
    VerifyCa,
    /// TLS with a certificate that the CA signed for this host name.
    VerifyFull,
}

/// `sslrootcert=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootCertificate {
    /// `system`: the public certificate authorities, here Mozilla's list.
    System,
    /// A PEM file.
    File(PathBuf),
}

/// The parameters of TLS that have an effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsParameters {
    /// `sslmode=`; what its absence means depends on `NODE_ENV`.
    pub mode: Option<SslMode>,
    /// `sslrootcert=`.
    pub root_cert: Option<RootCertificate>,
    /// `sslcert=`: PEM file of the client's certificate.
    pub cert: Option<PathBuf>,
    /// `sslkey=`: PEM file of the client's key.
    pub key: Option<PathBuf>,
    /// `sslcertmode=disable`: no certificate for the server, whatever `sslcert` says.
    pub no_cert: bool,
    /// `sslnegotiation=direct`: TLS from the first byte, PostgreSQL 17 and later.
    pub negotiation: Option<SslNegotiation>,
    /// `ssl_min_protocol_version=TLSv1.3`: no older version of TLS. TLS 1.2 is the oldest in any case.
    pub only_tls13: bool,
    /// `sslsni=0`: the handshake does not name the host in cleartext.
    pub no_sni: bool,
}

impl TlsParameters {
    /// Sets one parameter, if it is one of these.
    ///
    /// # Errors
    ///
    /// A value that the parameter does not have. The value is not repeated.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool, UrlError> {
        let invalid = |allowed: &str| invalid(name, allowed);
        match name {
            "sslmode" | "ssl" => {
                self.mode = Some(
                    ssl_mode(name, value)
                        .ok_or_else(|| invalid("one of disable, prefer, require, verify-ca, verify-full"))?,
                );
            }
            "sslrootcert" => {
                self.root_cert = match value {
                    "" => None,
                    "system" => Some(RootCertificate::System),
                    path => Some(RootCertificate::File(PathBuf::from(path))),
                };
            }
            "sslcert" => self.cert = (!value.is_empty()).then(|| PathBuf::from(value)),
            "sslkey" => self.key = (!value.is_empty()).then(|| PathBuf::from(value)),
            "sslnegotiation" => {
                self.negotiation = Some(match value {
                    "postgres" => SslNegotiation::Postgres,
                    "direct" => SslNegotiation::Direct,
                    _ => return Err(invalid("postgres or direct")),
                });
            }
            "ssl_min_protocol_version" => {
                self.only_tls13 = match value {
                    "" | "TLSv1" | "TLSv1.1" | "TLSv1.2" => false,
                    "TLSv1.3" => true,
                    _ => return Err(invalid("TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3")),
                };
            }
            "sslsni" => {
                self.no_sni = match value {
                    "" | "1" => false,
                    "0" => true,
                    _ => return Err(invalid("0 or 1")),
                };
            }
            "sslcertmode" if value == "disable" => self.no_cert = true,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn ssl_mode(name: &str, value: &str) -> Option<SslMode> {
    Some(match (name, value) {
        ("sslmode", "disable") | ("ssl", "false" | "0") => SslMode::Disable,
        ("sslmode", "allow" | "prefer") => SslMode::Prefer,
        (_, "no-verify") | ("sslmode", "require") | ("ssl", "true" | "1" | "require") => SslMode::Require,
        ("sslmode", "verify-ca") => SslMode::VerifyCa,
        ("sslmode", "verify-full") => SslMode::VerifyFull,
        _ => return None,
    })
}
