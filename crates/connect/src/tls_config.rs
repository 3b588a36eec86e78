//! The settings of TLS: certificate files and the policy that follows from `sslmode` and `NODE_ENV`.

use std::path::Path;

use tokio_postgres::config::{ChannelBinding, SslNegotiation};
use zerostarter_settings::Reader;

use crate::host::Address;
use crate::tls::TlsPolicy;
use crate::tls_material::TlsMaterial;
use crate::tls_parameters::{RootCertificate, SslMode};
use crate::url::PostgresUrl;
use crate::url_variable::FoundUrl;

/// Reads the certificate files and decides on the policy. `None` after a problem, which `reader` has noted.
///
/// Without a usable URL the file of `POSTGRES_CA_FILE` is read nevertheless, so that a problem with it is reported too.
pub(crate) fn load(
    reader: &mut Reader<'_>,
    found: Option<&FoundUrl>,
    production: bool,
    plaintext: bool,
) -> Option<(TlsPolicy, TlsMaterial)> {
    let mut material = TlsMaterial::default();
    let ca_variable = reader.setting("POSTGRES_CA_FILE");
    let ca_path = reader.path("POSTGRES_CA_FILE");
    let Some(FoundUrl {
        variable,
        setting: url_setting,
        url,
        ..
    }) = found
    else {
        if let (Some(setting), Some(path)) = (ca_variable, ca_path) {
            trust_only(reader, &mut material, &setting.label("POSTGRES_CA_FILE"), &path);
        }
        return None;
    };
    let parameters = &url.parameters;
    let mut mode = parameters.tls.mode;
    let has_private_ca = match (&ca_variable, &parameters.tls.root_cert) {
        (Some(setting), root) if root.is_none() || !reader.outranks(url_setting, setting) => {
            if let Some(path) = ca_path {
                trust_only(reader, &mut material, &setting.label("POSTGRES_CA_FILE"), &path);
            }
            true
        }
        (_, Some(RootCertificate::File(path))) => {
            let label = format!("{variable}, parameter sslrootcert,");
            trust_only(reader, &mut material, &label, path);
            true
        }
        (_, Some(RootCertificate::System)) => {
            // As in libpq: anybody can get a certificate from a public CA, so only the host name tells servers apart.
            if *mode.get_or_insert(SslMode::VerifyFull) != SslMode::VerifyFull && !production {
                reader.problem(
                    *variable,
                    "has sslrootcert=system with a weaker sslmode than verify-full",
                    Some("use sslmode=verify-full"),
                );
            }
            false
        }
        (_, None) => false,
    };
    present_certificate(reader, &mut material, variable, url);
    let only_sockets = url
        .hosts
        .iter()
        .all(|host| matches!(host.address, Address::Unix(_)));
    let Ok(policy) = TlsPolicy::decide(production, mode, has_private_ca, plaintext || only_sockets) else {
        reader.problem(
            *variable,
            "has sslmode=disable, which is refused with NODE_ENV=production",
            Some("remove sslmode=disable, or set POSTGRES_PLAINTEXT_IN_PRODUCTION=yes if the network to the database is private"),
        );
        return None;
    };
    let required = matches!(policy, TlsPolicy::Required(_));
    if parameters.tls.negotiation == Some(SslNegotiation::Direct) && !required {
        reader.problem(
            *variable,
            "has sslnegotiation=direct with an sslmode that allows plaintext",
            Some("add sslmode=require or stronger"),
        );
    }
    if parameters.channel_binding == Some(ChannelBinding::Require) && policy == TlsPolicy::Plaintext {
        reader.problem(
            *variable,
            "has channel_binding=require without TLS",
            Some("add sslmode=require or stronger"),
        );
    }
    Some((policy, material))
}

fn present_certificate(
    reader: &mut Reader<'_>,
    material: &mut TlsMaterial,
    variable: &str,
    url: &PostgresUrl,
) {
    match (&url.parameters.tls.cert, &url.parameters.tls.key) {
        _ if url.parameters.tls.no_cert => {}
        (None, None) => {}
        (Some(certificate), Some(key)) => {
            let label = format!("{variable}, parameters sslcert and sslkey,");
            if let (Some(certificate), Some(key)) =
                (reader.file(&label, certificate), reader.file(&label, key))
                && let Err(complaint) = material.present(&certificate, &key)
            {
                reader.problem(label, format!("name a file that {complaint}"), None);
            }
        }
        _ => reader.problem(variable, "has one of sslcert and sslkey without the other", None),
    }
}

fn trust_only(reader: &mut Reader<'_>, material: &mut TlsMaterial, variable: &str, path: &Path) {
    if let Some(pem) = reader.file(variable, path)
        && let Err(complaint) = material.trust_only(&pem)
    {
        reader.problem(
            variable,
            format!("names a file that {complaint}: {}", path.display()),
            Some("it has to be the PEM file of the CA that signed the server's certificate"),
        );
    }
}
