//! Parameters that demand a protection which this program does not have.

use crate::url_error::UrlError;

/// A parameter, the values that demand nothing, and what to do about another value.
struct Demand {
    name: &'static str,
    harmless: &'static [&'static str],
    hint: &'static str,
}

const NO_REVOCATION_LISTS: &str = "remove it: revoked certificates are not recognized; replace the CA's certificate in POSTGRES_CA_FILE instead";

const PASSWORD_INSTEAD: &str = "remove it, and put the password into the URL";

const DEMANDS: &[Demand] = &[
    Demand {
        name: "gssencmode",
        harmless: &["disable", "prefer"],
        hint: "remove it, and use TLS: sslmode=verify-full",
    },
    Demand {
        name: "min_protocol_version",
        harmless: &["3.0"],
        hint: "remove it: the protocol version is 3.0",
    },
    Demand {
        name: "requirepeer",
        harmless: &[],
        hint: "remove it, and let only the server's user write to the directory of the socket",
    },
    Demand {
        name: "requiressl",
        harmless: &["0"],
        hint: "write sslmode=require in its place",
    },
    Demand {
        name: "scram_client_key",
        harmless: &[],
        hint: PASSWORD_INSTEAD,
    },
    Demand {
        name: "scram_server_key",
        harmless: &[],
        hint: PASSWORD_INSTEAD,
    },
    Demand {
        name: "ssl_max_protocol_version",
        harmless: &["TLSv1.3"],
        hint: "remove it: TLS 1.2 and TLS 1.3 are used, whichever is newer on the server",
    },
    Demand {
        name: "sslaccept",
        harmless: &["accept_invalid_certs"],
        hint: "write sslmode=verify-full in its place",
    },
    Demand {
        name: "sslcertmode",
        harmless: &["allow", "disable"],
        hint: "remove it: the server decides whether it asks for a certificate, by clientcert in pg_hba.conf",
    },
    Demand {
        name: "sslcrl",
        harmless: &[],
        hint: NO_REVOCATION_LISTS,
    },
    Demand {
        name: "sslcrldir",
        harmless: &[],
        hint: NO_REVOCATION_LISTS,
    },
    Demand {
        name: "sslpassword",
        harmless: &[],
        hint: "remove it, and the passphrase of the key: openssl pkey -in KEY -out NEW_KEY",
    },
];

/// Whether `name` is such a parameter, with a value that demands nothing.
///
/// # Errors
///
/// A value that demands something. It must not be ignored: who wrote it relies on it.
pub(crate) fn demands_nothing(name: &str, value: &str) -> Result<bool, UrlError> {
    let Some(demand) = DEMANDS
        .iter()
        .find(|demand| demand.name.eq_ignore_ascii_case(name))
    else {
        return Ok(false);
    };
    if value.is_empty() || demand.harmless.contains(&value) {
        return Ok(true);
    }
    let name = demand.name;
    Err(UrlError::with_hint(
        format!("has a value in its parameter {name} that cannot be enforced"),
        demand.hint,
    ))
}
