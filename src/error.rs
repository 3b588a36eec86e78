//! Everything that can end a run, with what to tell the operator and which status to exit with.

use std::io;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::attempt::AttemptError;
use crate::blocker::{Blocker, Wait};
use crate::command_line::Misuse;
use crate::config::Problem;
use crate::duration::in_seconds;
use crate::exit_status::ExitStatus;
use crate::history::Conflict;
use crate::interrupt::Signal;
use crate::message::Rejection;
use crate::preflight::Finding;
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
    /// The command line cannot be read.
    #[error("{0}")]
    CommandLine(Misuse),
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
    /// The web app cannot listen where it was told to.
    #[cfg(feature = "api")]
    #[error("cannot listen at {address}")]
    Listen {
        /// `API_LISTEN`.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The web app that was asked after its health has none.
    #[cfg(feature = "api")]
    #[error("{server} is not healthy: {reason}")]
    Unhealthy {
        /// Who was asked.
        server: std::net::SocketAddr,
        /// What it said, or that it said nothing.
        reason: String,
    },
    /// Somebody has locked the history for longer than was waited.
    #[error("the history of migrations is locked by somebody and could not be read")]
    HistoryLocked {
        /// What the server said.
        answer: String,
        /// Who, where that could be seen.
        holder: Option<Box<Blocker>>,
    },
    /// The history lies in another schema than the one that migrations would be applied to.
    #[error("the history is in the schema {found}, but tables would now be made in {schema}")]
    HistoryElsewhere {
        /// Where there is a history.
        found: String,
        /// The first schema of the search path.
        schema: String,
    },
    /// A signal ended the run.
    #[error("{} ended the run", .signal.name())]
    Interrupted {
        /// Which.
        signal: Signal,
        /// The migration that was under way.
        under_way: Option<String>,
        /// Whether the server said that it has cancelled that.
        is_confirmed: bool,
        /// What remains of it, where it ran outside a transaction.
        remains: Option<String>,
        /// What this run had applied before.
        applied: Vec<String>,
    },
    /// Other migrators were at work for longer than `MIGRATE_LOCK_WAIT`.
    #[error("gave up after {}: {reason}", in_seconds(*waited))]
    Locked {
        /// How long they were waited for.
        waited: Duration,
        /// What was in the way last.
        reason: String,
        /// Who.
        holder: Option<Box<Blocker>>,
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
        /// The lock that it was last seen waiting for.
        wait: Option<Box<Wait>>,
    },
    /// The server rejected a migration.
    #[error("{} failed{}", .rejection.stem, if .rejection.remains.is_some() { "" } else { " and was rolled back" })]
    Migration {
        /// What the server said, and about which place.
        rejection: Box<Rejection>,
        /// What this run had applied before.
        applied: Vec<String>,
    },
    /// A file runs outside a transaction, and the connection for that is not to be had.
    #[error("{command} needs a second connection, and none was to be had within {}", in_seconds(*waited))]
    NoSecondConnection {
        /// What needs it.
        command: &'static str,
        /// For how long it was tried.
        waited: Duration,
        /// Why.
        reason: String,
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
    /// No host of the URL could be written to, which `target_session_attrs` asks for, for as long as was waited.
    #[error("{server} could only be read, and for {} no other server could be written to", in_seconds(*waited))]
    ReadOnly {
        /// The server.
        server: String,
        /// How long it was waited for.
        waited: Duration,
    },
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
        source: Box<AttemptError>,
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
    /// A file runs outside a transaction, where the session's settings cannot be changed, and they are not fit for it.
    #[error("{command} cannot run with the settings of this connection")]
    UnfitSession {
        /// What cannot.
        command: &'static str,
        /// The settings.
        unfit: Vec<String>,
    },
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
        source: Box<AttemptError>,
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
    pub(crate) fn reading_failed(failure: AttemptError) -> Self {
        let answer = failure.to_string();
        let AttemptError::Postgres(source) = failure else {
            // The others are waited out, or come before there is a connection to read from.
            return Self::Engine(answer);
        };
        match source.code() {
            // SET ROLE, which comes before anything else that could be denied.
            Some(&SqlState::INVALID_PARAMETER_VALUE) => Self::Denied(Denial::Role { answer }),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) if answer.contains("role") => {
                Self::Denied(Denial::Role { answer })
            }
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Self::Denied(Denial::Read { answer }),
            _ => Self::Database {
                doing: "reading the history of migrations",
                source,
            },
        }
    }

    /// Whether the server is there and has no database of that name.
    pub(crate) fn is_missing_database(&self) -> bool {
        match self {
            Self::Refused { source, .. } => source.sql_state() == Some(&SqlState::INVALID_CATALOG_NAME),
            _ => false,
        }
    }

    /// The status to exit with.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Conflicts(_) | Self::HistoryElsewhere { .. } => ExitStatus::Conflict,
            Self::CommandLine(_)
            | Self::Config(_)
            | Self::Dotenv(_)
            | Self::Preflight(_)
            | Self::Source { .. }
            | Self::UnfitSession { .. }
            | Self::UnknownTarget { .. } => ExitStatus::Usage,
            #[cfg(feature = "api")]
            Self::Listen { .. } => ExitStatus::Usage,
            #[cfg(feature = "api")]
            Self::Unhealthy { .. } => ExitStatus::Failed,
            Self::Denied(_) | Self::ReadOnly { .. } | Self::Refused { .. } => ExitStatus::Refused,
            Self::HistoryLocked { .. } | Self::Locked { .. } | Self::LockTimeout { .. } => {
                ExitStatus::Blocked
            }
            Self::Migration { rejection, .. } if rejection.sql_state == SqlState::INSUFFICIENT_PRIVILEGE => {
                ExitStatus::Refused
            }
            Self::Database { .. }
            | Self::Engine(_)
            | Self::Migration { .. }
            | Self::Output(_)
            | Self::Start(_)
            | Self::Unconfirmed(_) => ExitStatus::Failed,
            Self::Interrupted {
                signal: Signal::Int, ..
            } => ExitStatus::Interrupted,
            Self::Interrupted {
                signal: Signal::Term, ..
            } => ExitStatus::Terminated,
            Self::Pending(_) => ExitStatus::Pending,
            Self::NoSecondConnection { .. } | Self::Unreachable { .. } => ExitStatus::Unreachable,
        }
    }
}
