//! Why there is no connection.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_diagnostic::excerpt::shortened;
use zerostarter_diagnostic::{Diagnostic, ExitStatus};

use crate::attempt::{AttemptError, describe};

/// What to do if a provider signs with a private CA.
const PROVIDER_CA: &str = "RDS, Supabase and Railway sign with private CAs: download the provider's CA bundle and set POSTGRES_CA_FILE to its path";

const CHECK_SERVER: &str = "check that the server runs and that host and port in the URL are right";

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The role may not create the database.
    #[error("the database {database} does not exist and may not be created")]
    CreateDenied {
        /// The database.
        database: String,
        /// What the server said.
        answer: String,
    },
    /// The database could not be created for another reason.
    #[error("creating the database failed")]
    CreateFailed(#[source] tokio_postgres::Error),
    /// The machine that a container runs on was not reached within the wait, and its name is not in the URL.
    #[error("{server} could not be reached within {}", in_seconds(*waited))]
    DockerHost {
        /// The server.
        server: String,
        /// The wait.
        waited: Duration,
        /// The failure that says most about the reason, of all attempts.
        source: Box<AttemptError>,
    },
    /// The database does not exist, and no other one can be connected to, from which it could be created.
    #[error("the database {database} does not exist, and it can be created only from another database")]
    NoMaintenance {
        /// The database.
        database: String,
        /// What the server said, for each database that was tried.
        answers: Vec<String>,
    },
    /// `target_session_attrs` asks for a server that accepts writes, and none did within the wait.
    #[error("{server} is read-only, and no other server accepted writes within {}", in_seconds(*waited))]
    ReadOnly {
        /// The server.
        server: String,
        /// The wait.
        waited: Duration,
    },
    /// The server was reached and refused the connection.
    #[error("{server} refused the connection")]
    Refused {
        /// The server.
        server: String,
        /// The role that logged in.
        role: Option<String>,
        /// The database.
        database: String,
        /// Why.
        source: Box<AttemptError>,
    },
    /// No server was reached within the wait.
    #[error("{server} could not be reached within {}", in_seconds(*waited))]
    Unreachable {
        /// The server.
        server: String,
        /// The wait.
        waited: Duration,
        /// The failure that says most about the reason, of all attempts.
        source: Box<AttemptError>,
    },
}

impl Error {
    /// Whether the server is there and has no database of that name.
    #[must_use]
    pub fn is_missing_database(&self) -> bool {
        match self {
            Self::Refused { source, .. } => source.sql_state() == Some(&SqlState::INVALID_CATALOG_NAME),
            _ => false,
        }
    }
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self {
            Self::CreateDenied { answer, .. } => vec![answer.clone()],
            Self::CreateFailed(source) => {
                let mut lines = vec![describe(source)];
                lines.extend(server_details(source));
                lines
            }
            Self::NoMaintenance { answers, .. } => answers.clone(),
            Self::ReadOnly { .. } => Vec::new(),
            Self::DockerHost { source, .. }
            | Self::Refused { source, .. }
            | Self::Unreachable { source, .. } => vec![source.to_string()],
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::CreateDenied { database, .. } => {
                vec![format!("as an administrator: CREATE DATABASE {database}")]
            }
            Self::CreateFailed(_) => Vec::new(),
            Self::DockerHost { .. } => vec![
                r#"the URL names localhost, and because INTERNAL_API_URL is set, that is host.docker.internal: add extra_hosts: ["host.docker.internal:host-gateway"] to the service in compose.yaml, or unset INTERNAL_API_URL outside a container"#.to_owned(),
                CHECK_SERVER.to_owned(),
            ],
            Self::NoMaintenance { database, .. } => vec![format!(
                "as an administrator: CREATE DATABASE {database}, or GRANT CONNECT ON DATABASE postgres to the role of the URL"
            )],
            Self::ReadOnly { .. } => vec![
                "promote a standby, or add the primary to the URL; default_transaction_read_only of a role or database counts too".to_owned(),
            ],
            Self::Refused {
                role,
                database,
                source,
                ..
            } => refusal_hint(source, role.as_deref(), database).into_iter().collect(),
            Self::Unreachable { .. } => vec![CHECK_SERVER.to_owned()],
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::CreateFailed(_) => ExitStatus::Failed,
            Self::CreateDenied { .. }
            | Self::NoMaintenance { .. }
            | Self::ReadOnly { .. }
            | Self::Refused { .. } => ExitStatus::Refused,
            Self::DockerHost { .. } | Self::Unreachable { .. } => ExitStatus::Unreachable,
        }
    }
}

/// DETAIL and HINT of a server's error.
#[must_use]
pub fn server_details(error: &tokio_postgres::Error) -> Vec<String> {
    let Some(answer) = error.as_db_error() else {
        return Vec::new();
    };
    let detail = answer
        .detail()
        .map(|detail| format!("detail: {}", shortened(detail)));
    let hint = answer
        .hint()
        .map(|hint| format!("server's hint: {}", shortened(hint)));
    detail.into_iter().chain(hint).collect()
}

fn refusal_hint(failure: &AttemptError, role: Option<&str>, database: &str) -> Option<String> {
    use rustls::CertificateError as Bad;
    if let Some(rustls::Error::InvalidCertificate(bad)) = failure.tls() {
        return Some(match bad {
            Bad::UnknownIssuer | Bad::BadSignature => format!("the server's certificate is not signed by a trusted CA. {PROVIDER_CA}"),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "the server's certificate names other hosts: use one of them in the URL, or sslmode=verify-ca together with POSTGRES_CA_FILE".to_owned()
            }
            Bad::Expired | Bad::ExpiredContext { .. } => "renew the server's certificate".to_owned(),
            _ => "the server's certificate cannot be verified; if it is self-signed, set POSTGRES_CA_FILE to that certificate itself".to_owned(),
        });
    }
    let text = failure.to_string();
    if text.contains("does not support TLS") {
        return Some("TLS is off on the server: turn it on, or use sslmode=disable (in production together with POSTGRES_PLAINTEXT_IN_PRODUCTION=yes)".to_owned());
    }
    let role = role.unwrap_or("the role");
    if text.contains("asks for the password in cleartext") {
        return Some("use TLS: sslmode=require or stronger; or change the method in pg_hba.conf to scram-sha-256; on a network that you trust, add require_auth=password to the URL".to_owned());
    }
    if text.contains("require_auth") {
        return Some(format!(
            "change the method of {role} in pg_hba.conf, or the parameter require_auth in the URL"
        ));
    }
    if text.contains("password missing") {
        return Some(format!(
            "add the password of {role} to the URL: the server asks for it"
        ));
    }
    let is_pooler = matches!(failure, AttemptError::Postgres(error) if error.code() == Some(&SqlState::PROTOCOL_VIOLATION));
    let of_pooler = if is_pooler {
        "; a connection pooler has roles and passwords of its own (auth_file, auth_query)"
    } else {
        ""
    };
    Some(match failure.sql_state()?.code() {
        "28P01" => format!(
            "check the password of {role} in the URL; @ : / ? # % in it have to be percent-encoded{of_pooler}"
        ),
        "28000" => format!(
            "check that the role {role} exists and has LOGIN, and that pg_hba.conf accepts this connection, with or without TLS{of_pooler}"
        ),
        "3D000" => format!("create the database {database}"),
        "42501" => {
            format!("as the owner of the database: GRANT CONNECT ON DATABASE {database} TO {role}")
        }
        "55000" => format!("as an administrator: ALTER DATABASE {database} ALLOW_CONNECTIONS true"),
        "08004" if is_pooler => format!("add the database {database} to the configuration of the connection pooler"),
        "F0000" if is_pooler => "correct the configuration of the connection pooler; its log says more".to_owned(),
        "0A000" if is_pooler => "in place of options=, use schema=NAME for a search path, or set POSTGRES_DIRECT_URL to a direct connection; with ignore_startup_parameters = options, PgBouncer drops them".to_owned(),
        _ => return None,
    })
}
