//! What the operator can do about each error.

use tokio_postgres::error::SqlState;

use crate::attempt::AttemptError;
use crate::blocker::Blocker;
use crate::error::{Denial, Error};
use crate::message::Rejection;

/// For whoever needs a private CA.
const PROVIDER_CA: &str = "RDS, Supabase and Railway sign with CAs of their own: download the provider's CA bundle and set POSTGRES_CA_FILE to its path";

impl Error {
    /// What the operator can do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Conflicts(conflicts) => {
                distinct(conflicts.iter().map(|conflict| conflict.hint().to_owned()))
            }
            Self::CommandLine(misuse) => misuse.hints.clone(),
            Self::Config(problems) => distinct(problems.iter().filter_map(|problem| problem.hint.clone())),
            Self::Preflight(findings) => distinct(findings.iter().map(|finding| finding.hint.to_owned())),
            Self::Denied(denial) => vec![denial.hint()],
            Self::HistoryElsewhere { found, .. } => vec![format!(
                "add schema={found} to the URL to go on with that history, or options=-c%20search_path=… to choose a schema by hand"
            )],
            #[cfg(feature = "api")]
            Self::Listen { .. } => {
                one("set API_LISTEN to an address of this machine and a port that is free")
            }
            Self::Locked { holder: None, .. } => one(
                "find the other migrator (application_name zerostarter-db in pg_stat_activity), or raise MIGRATE_LOCK_WAIT",
            ),
            Self::Locked {
                holder: Some(holder), ..
            } => blocker_hints(std::slice::from_ref(&**holder), "MIGRATE_LOCK_WAIT"),
            Self::HistoryLocked { holder: None, .. } => one(
                "look in pg_locks for who holds a lock on refinery_schema_history, or raise MIGRATE_LOCK_TIMEOUT",
            ),
            Self::HistoryLocked {
                holder: Some(holder), ..
            } => blocker_hints(std::slice::from_ref(&**holder), "MIGRATE_LOCK_TIMEOUT"),
            Self::LockTimeout { wait: None, .. } => one(
                "look in pg_stat_activity for long transactions on the tables of this migration, or raise MIGRATE_LOCK_TIMEOUT or MIGRATE_LOCK_RETRIES",
            ),
            Self::LockTimeout { wait: Some(wait), .. } => {
                blocker_hints(&wait.blockers, "MIGRATE_LOCK_RETRIES")
            }
            Self::Migration { rejection, .. } => migration_hint(rejection).into_iter().collect(),
            Self::Pending(_) => one("run zerostarter-db migrate"),
            Self::ReadOnly { .. } => one(
                "promote a standby, add the primary to the URL, or raise MIGRATE_WAIT; default_transaction_read_only of a role or database counts too",
            ),
            Self::Refused {
                role,
                database,
                source,
                ..
            } => refusal_hint(source, role.as_deref(), database)
                .into_iter()
                .collect(),
            Self::Source { hint, .. } => hint.iter().cloned().collect(),
            Self::NoSecondConnection { .. } => one(
                "a file that runs outside a transaction needs two connections at once: give the pool one more, or set POSTGRES_DIRECT_URL to the database behind it",
            ),
            Self::UnfitSession { .. } => one(
                "a pooler does not pass settings on: set POSTGRES_DIRECT_URL to the database behind it, or change the defaults of the role with ALTER ROLE … SET",
            ),
            Self::Unconfirmed(_) => one(
                "run zerostarter-db status before anything else; a pooler in statement mode can lose a transaction",
            ),
            Self::UnknownTarget {
                newest: Some(newest), ..
            } => vec![format!("the newest migration is {newest}")],
            Self::Unreachable { .. } => one(
                "check that the server runs and that host and port in the URL are right, or raise MIGRATE_WAIT (for wait: WAIT_TIMEOUT)",
            ),
            Self::Dotenv(_) => one("write NAME=value, and quote a value that has spaces or a #"),
            Self::Interrupted { .. } => one("run it again: it goes on where this run stopped"),
            Self::Database { .. }
            | Self::Engine(_)
            | Self::Output(_)
            | Self::Start(_)
            | Self::UnknownTarget { newest: None, .. } => Vec::new(),
            #[cfg(feature = "api")]
            Self::Unhealthy { .. } => Vec::new(),
        }
    }
}

impl Denial {
    fn hint(&self) -> String {
        match self {
            Self::Create { role, schema } => format!("as the owner of the database: GRANT CREATE ON SCHEMA {schema} TO {role}"),
            Self::CreateDatabase { database, .. } => format!("as an administrator: CREATE DATABASE {database}"),
            Self::NoSchema { schema } => format!("as the owner of the database: CREATE SCHEMA {schema}; or correct schema= in the URL"),
            Self::Read { .. } => "as the owner of the history: GRANT SELECT ON refinery_schema_history to this role, and USAGE on its schema".to_owned(),
            Self::Record { role, table } => format!("as the owner of the history: GRANT INSERT ON {table} TO {role}, or set MIGRATE_ROLE to the role that owns the schema"),
            Self::Role { .. } => "MIGRATE_ROLE has to name a role that there is and that the login role is a member of".to_owned(),
            Self::Standby => "point POSTGRES_URL at the primary, or list both hosts and add target_session_attrs=read-write".to_owned(),
        }
    }
}

fn migration_hint(rejection: &Rejection) -> Option<String> {
    let hint = match rejection.sql_state {
        SqlState::QUERY_CANCELED => {
            "a statement ran longer than MIGRATE_STATEMENT_TIMEOUT, or was cancelled by an administrator"
        }
        SqlState::ACTIVE_SQL_TRANSACTION => {
            "this statement cannot run in a transaction; only what is known to need that, such as CREATE INDEX CONCURRENTLY, is run outside"
        }
        SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE => {
            "a new value of an enum has to be committed before it is used: add it in a migration of its own, and apply that without --atomic"
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "grant the right to the role of the URL, or set MIGRATE_ROLE to the role that owns the tables"
        }
        SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT => {
            "it is in the database already but not in the history: was this schema made by another tool, or by hand?"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn refusal_hint(failure: &AttemptError, role: Option<&str>, database: &str) -> Option<String> {
    use rustls::CertificateError as Bad;
    if let Some(rustls::Error::InvalidCertificate(bad)) = failure.tls() {
        return Some(match bad {
            Bad::UnknownIssuer | Bad::BadSignature => format!("the server's certificate is not signed by a CA that is trusted here. {PROVIDER_CA}"),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "the server's certificate names other hosts: use one of them in the URL, or sslmode=verify-ca together with POSTGRES_CA_FILE".to_owned()
            }
            Bad::Expired | Bad::ExpiredContext { .. } => "renew the server's certificate".to_owned(),
            _ => "the server's certificate cannot be verified; a CA certificate must not be used as the server's own".to_owned(),
        });
    }
    let text = failure.to_string();
    if text.contains("does not support TLS") {
        return Some("the server has TLS switched off: switch it on, or use sslmode=disable (in production together with POSTGRES_PLAINTEXT_IN_PRODUCTION=yes)".to_owned());
    }
    let role = role.unwrap_or("the role");
    if text.contains("password missing") {
        return Some(format!(
            "the server asks for the password of {role}, and the URL has none"
        ));
    }
    Some(match failure.sql_state()?.code() {
        "28P01" => {
            format!("check the password of {role} in the URL; @ : / ? # % in it have to be percent-encoded")
        }
        "28000" => format!(
            "check that the role {role} exists and may log in, and that pg_hba.conf admits it from here, with or without TLS"
        ),
        "3D000" => format!("create the database {database}, or let --create-database do it"),
        "42501" => {
            format!("as the owner of the database: GRANT CONNECT ON DATABASE {database} TO {role}")
        }
        _ => return None,
    })
}

/// What to do about sessions in the way, and the variable that lets a run be more patient.
fn blocker_hints(blockers: &[Blocker], variable: &str) -> Vec<String> {
    let mut hints: Vec<String> = blockers
        .iter()
        .filter_map(|blocker| blocker.pid)
        .map(|pid| {
            format!(
                "let pid {pid} finish, end it with SELECT pg_terminate_backend({pid}), or raise {variable}"
            )
        })
        .collect();
    if blockers.iter().any(|blocker| blocker.pid.is_none()) {
        hints.push("COMMIT PREPARED or ROLLBACK PREPARED what pg_prepared_xacts lists".to_owned());
    }
    if blockers.iter().any(Blocker::is_hidden) {
        hints.push(
            "GRANT pg_read_all_stats to the role of the URL to be shown what such a session does".to_owned(),
        );
    }
    hints
}

fn distinct(hints: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for hint in hints {
        if !seen.contains(&hint) {
            seen.push(hint);
        }
    }
    seen
}
