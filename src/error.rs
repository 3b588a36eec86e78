//! Everything that can end a run, with what to tell the operator and which status to exit with.

use std::io;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::config::Problem;
use crate::connect::{AttemptError, describe, in_seconds};
use crate::exit_status::ExitStatus;
use crate::history::Conflict;
use crate::preflight::Finding;
use crate::session::Rejection;
use crate::variables::DotenvError;

/// Why a run ended without success.
///
/// `Display` is the headline. [`Error::details`], [`Error::hints`] and [`Error::exit_status`] are the rest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The history and the migrations disagree.
    #[error("the history in the database and the migrations disagree")]
    Conflicts(Vec<Conflict>),
    /// Variables are missing or cannot be used.
    #[error("the configuration cannot be used")]
    Config(Vec<Problem>),
    /// An answer of the database that nobody expected.
    #[error("{doing} failed")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the server or the driver said.
        source: tokio_postgres::Error,
    },
    /// The database was reached and does not let us do what is needed.
    #[error(transparent)]
    Denied(Denial),
    /// A `.env` file cannot be used.
    #[error("{}{} {}", .0.file, .0.line.map(|line| format!(":{line}")).unwrap_or_default(), .0.reason)]
    Dotenv(DotenvError),
    /// refinery's engine refused what our own comparison had let pass.
    #[error("the migration engine refused: {0}")]
    Engine(String),
    /// The history lies in another schema than the one that migrations would be applied to.
    #[error("the history is in the schema {found}, but tables would now be made in {schema}")]
    HistoryElsewhere {
        /// Where there is a history.
        found: String,
        /// The first schema of the search path.
        schema: String,
    },
    /// Other migrators were at work for longer than `MIGRATE_LOCK_WAIT`.
    #[error("gave up after {}: {reason}", in_seconds(*waited))]
    Locked {
        /// How long they were waited for.
        waited: Duration,
        /// What was in the way last.
        reason: &'static str,
    },
    /// A migration lost against locks of others at every try.
    #[error("{stem} was blocked at each of {tries} tries")]
    LockTimeout {
        /// The migration.
        stem: String,
        /// How often it was tried.
        tries: u32,
        /// The last answer of the server.
        reason: String,
    },
    /// The server rejected a migration.
    #[error("{} failed and was rolled back", .rejection.stem)]
    Migration {
        /// What the server said, and about which place.
        rejection: Box<Rejection>,
        /// What this run had applied before.
        applied: Vec<String>,
    },
    /// Output could not be written.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    /// Migrations are pending, for a command that only looks.
    #[error("{} pending: {}", count(.0.len(), "migration is", "migrations are"), .0.join(", "))]
    Pending(Vec<String>),
    /// Files hold something that cannot be applied; none of them was run.
    #[error("{} cannot be applied; nothing was changed", count(.0.len(), "place in the pending migrations", "places in the pending migrations"))]
    Preflight(Vec<Finding>),
    /// The database was reached and refused the connection.
    #[error("{server} refused the connection")]
    Refused {
        /// The server.
        server: String,
        /// The role that wanted in.
        role: Option<String>,
        /// The database it wanted.
        database: String,
        /// Why.
        source: AttemptError,
    },
    /// A migration file or the directory of them cannot be used.
    #[error("{path} {problem}")]
    Source {
        /// The file or directory.
        path: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The runtime of the program could not be started.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// The server reported success without the history row that proves it.
    #[error("the server did not confirm that {0} was committed")]
    Unconfirmed(String),
    /// `MIGRATE_TARGET` names no migration.
    #[error("there is no migration with version {target}")]
    UnknownTarget {
        /// The version asked for.
        target: i32,
        /// The newest there is.
        newest: Option<String>,
    },
    /// The database was not there for as long as it was waited for.
    #[error("{server} could not be reached within {}", in_seconds(*waited))]
    Unreachable {
        /// The server.
        server: String,
        /// How long it was waited for.
        waited: Duration,
        /// The last failure.
        source: AttemptError,
    },
}

/// What the database does not let us do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// The role may not create the history table and what the migrations make.
    #[error("the role {role} may not create tables in the schema {schema}")]
    Create {
        /// The role.
        role: String,
        /// The schema.
        schema: String,
    },
    /// The role may not create the database.
    #[error("the database {database} does not exist and may not be created")]
    CreateDatabase {
        /// The database.
        database: String,
        /// What the server said.
        answer: String,
    },
    /// `schema=` names none that is there.
    #[error("there is no schema {schema}")]
    NoSchema {
        /// The schema.
        schema: String,
    },
    /// The role may not read the history.
    #[error("the history of migrations may not be read")]
    Read {
        /// What the server said.
        answer: String,
    },
    /// The role may not add to the history.
    #[error("the role {role} may not insert into {table}")]
    Record {
        /// The role.
        role: String,
        /// The table.
        table: String,
    },
    /// `MIGRATE_ROLE` cannot be taken on.
    #[error("MIGRATE_ROLE cannot be used")]
    Role {
        /// What the server said.
        answer: String,
    },
    /// The server is a standby.
    #[error("the database is a read-only standby, and migrations are pending")]
    Standby,
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

impl Error {
    /// The failure of reading the history.
    pub(crate) fn reading_failed(source: tokio_postgres::Error) -> Self {
        let answer = describe(&source);
        match source.code() {
            // SET ROLE, which comes before anything else that could be denied.
            Some(&SqlState::INVALID_PARAMETER_VALUE) => Self::Denied(Denial::Role { answer }),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) if answer.contains("role") => Self::Denied(Denial::Role { answer }),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Self::Denied(Denial::Read { answer }),
            _ => Self::Database { doing: "reading the history of migrations", source },
        }
    }

    /// The status to exit with.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Conflicts(_) | Self::HistoryElsewhere { .. } => ExitStatus::Conflict,
            Self::Config(_) | Self::Dotenv(_) | Self::Preflight(_) | Self::Source { .. } | Self::UnknownTarget { .. } => ExitStatus::Usage,
            Self::Denied(_) | Self::Refused { .. } => ExitStatus::Refused,
            Self::Locked { .. } | Self::LockTimeout { .. } => ExitStatus::Blocked,
            Self::Migration { rejection, .. } if rejection.sql_state == SqlState::INSUFFICIENT_PRIVILEGE => ExitStatus::Refused,
            Self::Database { .. } | Self::Engine(_) | Self::Migration { .. } | Self::Output(_) | Self::Start(_) | Self::Unconfirmed(_) => {
                ExitStatus::Failed
            }
            Self::Pending(_) => ExitStatus::Pending,
            Self::Unreachable { .. } => ExitStatus::Unreachable,
        }
    }

    /// What stands below the headline, a line each: causes, findings, the place in a file.
    #[must_use]
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::Conflicts(conflicts) => conflicts.iter().map(ToString::to_string).collect(),
            Self::Config(problems) => problems.iter().map(ToString::to_string).collect(),
            Self::Database { source, .. } => database_details(source),
            Self::Denied(Denial::CreateDatabase { answer, .. } | Denial::Read { answer } | Denial::Role { answer }) => vec![answer.clone()],
            Self::LockTimeout { reason, .. } => vec![reason.clone()],
            Self::Migration { rejection, applied } => migration_details(rejection, applied),
            Self::Output(source) | Self::Start(source) => vec![source.to_string()],
            Self::Preflight(findings) => findings.iter().map(ToString::to_string).collect(),
            Self::Refused { source, .. } | Self::Unreachable { source, .. } => vec![source.to_string()],
            Self::Denied(_)
            | Self::Dotenv(_)
            | Self::Engine(_)
            | Self::HistoryElsewhere { .. }
            | Self::Locked { .. }
            | Self::Pending(_)
            | Self::Source { .. }
            | Self::Unconfirmed(_)
            | Self::UnknownTarget { .. } => Vec::new(),
        }
    }
}

fn database_details(error: &tokio_postgres::Error) -> Vec<String> {
    let mut lines = vec![describe(error)];
    if let Some(answer) = error.as_db_error() {
        lines.extend(answer.detail().map(|detail| format!("detail: {detail}")));
        lines.extend(answer.hint().map(|hint| format!("server's hint: {hint}")));
    }
    lines
}

fn migration_details(rejection: &Rejection, applied: &[String]) -> Vec<String> {
    let mut lines = vec![format!("{} (SQLSTATE {})", rejection.message, rejection.sql_state.code())];
    if let Some(place) = &rejection.place {
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        // Tabs stay tabs, so that the marker stands below its column however wide they are shown.
        let lead: String = place.text.chars().take(place.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        lines.push(format!("{margin}--> {}:{}:{}", rejection.path, place.line, place.column));
        lines.push(format!("{number} | {}", place.text));
        lines.push(format!("{margin} | {lead}^"));
    } else {
        lines.push(format!("--> {}, when it was committed", rejection.path));
    }
    lines.extend(rejection.detail.as_ref().map(|text| format!("detail: {text}")));
    lines.extend(rejection.hint.as_ref().map(|text| format!("server's hint: {text}")));
    lines.extend(rejection.context.as_ref().map(|text| format!("context: {}", text.replace('\n', " / "))));
    lines.push(match applied {
        [] => "nothing was applied before it".to_owned(),
        applied => format!("applied before it, and kept: {}", applied.join(", ")),
    });
    lines
}

/// Paths that a hint mentions, for whoever needs a private CA.
const PROVIDER_CA: &str = "RDS, Supabase and Railway sign with CAs of their own: download the provider's CA bundle and set POSTGRES_CA_FILE to its path";

impl Error {
    /// What the operator can do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Conflicts(conflicts) => distinct(conflicts.iter().map(|conflict| conflict.hint().to_owned())),
            Self::Config(problems) => distinct(problems.iter().filter_map(|problem| problem.hint.clone())),
            Self::Preflight(findings) => distinct(findings.iter().map(|finding| finding.hint.to_owned())),
            Self::Denied(denial) => vec![denial.hint()],
            Self::HistoryElsewhere { found, .. } => vec![format!("add schema={found} to the URL to go on with that history, or options=-c%20search_path=… to choose a schema by hand")],
            Self::Locked { .. } => one("find the other migrator (application_name zerostarter-db in pg_stat_activity), or raise MIGRATE_LOCK_WAIT"),
            Self::LockTimeout { .. } => one("look in pg_stat_activity for long transactions on the tables of this migration, or raise MIGRATE_LOCK_TIMEOUT or MIGRATE_LOCK_RETRIES"),
            Self::Migration { rejection, .. } => migration_hint(rejection).into_iter().collect(),
            Self::Pending(_) => one("run zerostarter-db migrate"),
            Self::Refused { role, database, source, .. } => refusal_hint(source, role.as_deref(), database).into_iter().collect(),
            Self::Source { hint, .. } => hint.iter().cloned().collect(),
            Self::Unconfirmed(_) => one("run zerostarter-db status before anything else; a pooler in statement mode can lose a transaction"),
            Self::UnknownTarget { newest: Some(newest), .. } => vec![format!("the newest migration is {newest}")],
            Self::Unreachable { .. } => one("check that the server runs and that host and port in the URL are right, or raise MIGRATE_WAIT"),
            Self::Dotenv(_) => one("write NAME=value, and quote a value that has spaces or a #"),
            Self::Database { .. } | Self::Engine(_) | Self::Output(_) | Self::Start(_) | Self::UnknownTarget { newest: None, .. } => Vec::new(),
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
        SqlState::QUERY_CANCELED => "a statement ran longer than MIGRATE_STATEMENT_TIMEOUT, or was cancelled by an administrator",
        SqlState::ACTIVE_SQL_TRANSACTION => "this statement cannot run in a transaction, and every migration runs in one",
        SqlState::INSUFFICIENT_PRIVILEGE => "grant the right to the role of the URL, or set MIGRATE_ROLE to the role that owns the tables",
        SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT => "it is in the database already but not in the history: was this schema made by another tool, or by hand?",
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
    Some(match failure.sql_state()?.code() {
        "28P01" => format!("check the password of {role} in the URL; @ : / ? # % in it have to be percent-encoded"),
        "28000" => format!("check that the role {role} exists and may log in, and that pg_hba.conf admits it from here, with or without TLS"),
        "3D000" => format!("create the database {database}, or let --create-database do it"),
        "42501" => format!("as the owner of the database: GRANT CONNECT ON DATABASE {database} TO {role}"),
        _ => return None,
    })
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
