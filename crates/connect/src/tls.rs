//! Whether a connection is encrypted, and what of the server's certificate is verified.
//!
//! [`TlsPolicy::decide`] is the whole decision.

use crate::tls_parameters::SslMode;

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
    /// By TLS with any server if that works, else not at all (libpq's `prefer`).
    Opportunistic,
    /// By TLS, or there is no connection.
    Required(Verification),
}

impl std::fmt::Display for TlsPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (strength, verification) = match self {
            Self::Plaintext => return f.write_str("none"),
            Self::Opportunistic => ("if the server has it", &Verification::Nothing),
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
    /// what it means in libpq, except that `prefer` with a private CA does not fall back to plaintext: who names a CA wants
    /// the server verified.
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
            (true, VerifyCa, true) | (false, VerifyCa, _) | (false, Prefer | Require, true) => {
                Self::Required(Chain)
            }
            (true, VerifyCa, false) | (true, Prefer | Require | VerifyFull, _) | (false, VerifyFull, _) => {
                Self::Required(ChainAndName)
            }
            (false, Disable, _) => Self::Plaintext,
            (false, Prefer, false) => Self::Opportunistic,
            (false, Require, false) => Self::Required(Nothing),
        })
    }
}
