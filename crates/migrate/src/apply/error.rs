//! Everything that can end a run of the engine.

use std::io;
use std::time::Duration;

use tokio_postgres::error::SqlState;
use zerostarter_connect::attempt::describe;
use zerostarter_connect::{self as connect, server_details};
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_diagnostic::signal::Signal;
use zerostarter_diagnostic::{Diagnostic, ExitStatus, distinct};
use zerostarter_settings as settings;

use super::error_details::{applied_line, interruption_details, migration_details};
use super::error_hints::{blocker_hints, connect_hints, migration_hint};
use super::preflight::Finding;
use super::rejection::Rejection;
use crate::config::Target;
use crate::ledger;
use crate::source;
use crate::watch::{Blocker, LockWait};

/// Why a run ended without success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] connect::Error),
    /// An unexpected error of the database.
    #[error("{doing} failed")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// The server's or the driver's error.
        source: tokio_postgres::Error,
    },
    /// refinery refused what our comparison had accepted.
    #[error("the migration engine refused: {0}")]
    Engine(String),
    /// Another session locked the history table for longer than the wait.
    #[error("the history table is locked by another session and could not be read")]
    HistoryLocked {
        /// What the server said.
        answer: String,
        /// The session, if it was seen.
        holder: Option<Box<Blocker>>,
        /// Whether it is another migrator at work.
        is_migrator: bool,
    },
    /// A signal ended the run.
    #[error("{} ended the run", .signal.name())]
    Interrupted {
        /// The signal.
        signal: Signal,
        /// The migration that was running.
        running: Option<String>,
        /// Whether the server has confirmed that it cancelled the migration.
        is_confirmed: bool,
        /// Its leftovers, if it is non-transactional.
        leftovers: Option<String>,
        /// What this run had applied before.
        applied: Vec<String>,
    },
    /// The history table does not allow the run.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// Another migrator worked for longer than `MIGRATE_LOCK_WAIT`.
    #[error("gave up after {}: {reason}", in_seconds(*waited))]
    Locked {
        /// How long the run waited.
        waited: Duration,
        /// What it waited for last.
        reason: String,
        /// The session that holds the lock, if it was seen.
        holder: Option<Box<Blocker>>,
    },
    /// Every attempt at a migration ended with a lock conflict.
    #[error("{label} was blocked at each of {attempts} attempts")]
    LockTimeout {
        /// The migration.
        label: String,
        /// The number of attempts.
        attempts: u32,
        /// The last answer of the server.
        reason: String,
        /// The last lock wait that was seen.
        wait: Option<Box<LockWait>>,
    },
    /// The connection was lost at each attempt at a migration.
    #[error("the connection was lost twice while {label} ran")]
    LostTwice {
        /// The migration.
        label: String,
        /// How it was lost the second time.
        reason: String,
        /// What this run had applied before.
        applied: Vec<String>,
    },
    /// The server rejected a migration.
    #[error("{} failed{}", .rejection.label, if .rejection.leftovers.is_some() || .rejection.position.is_some() { "" } else { " and was rolled back" })]
    Migration {
        /// The server's error and its place.
        rejection: Box<Rejection>,
        /// What this run had applied before.
        applied: Vec<String>,
    },
    /// The second connection for a non-transactional migration could not be opened.
    #[error("{command} needs a second connection, and none could be opened within {}", in_seconds(*waited))]
    NoSecondConnection {
        /// The statement that needs it.
        command: &'static str,
        /// How long it was tried.
        waited: Duration,
        /// Why.
        reason: String,
    },
    /// Migration files contain what cannot be applied; none was run.
    #[error("{} cannot be applied; nothing was changed", count(.0.len(), "place in the pending migrations", "places in the pending migrations"))]
    Preflight(Vec<Finding>),
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// Migrations cannot be loaded.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The signal handlers could not be installed.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// The server reported success, but the history table does not have the migration.
    #[error("the server did not confirm that {0} was committed")]
    Unconfirmed(String),
    /// The history table has another migration with this version.
    #[error("the history table has another migration with version {0}")]
    Edited(i64),
    /// A later migration is applied, so this one cannot become pending.
    #[error("{label} cannot become pending: {last} was applied after it")]
    NotLast {
        /// The migration.
        label: String,
        /// The last applied one.
        last: String,
    },
    /// `adopt` records migrations of a folder of drizzle-kit, and these are none.
    #[error("the migrations are not a folder of drizzle-kit")]
    NothingToAdopt,
    /// There is no history table, so nothing can be resolved.
    #[error("there is no history table yet")]
    NoHistory,
    /// No migration has this version.
    #[error("there is no migration with version {version}")]
    UnknownVersion {
        /// The version.
        version: i64,
        /// The newest migration.
        newest: Option<String>,
    },
    /// `MIGRATE_TARGET` is the version of no migration.
    #[error("there is no migration with {target}")]
    UnknownTarget {
        /// What was looked for.
        target: Target,
        /// The newest migration.
        newest: Option<String>,
    },
    /// The settings of the second connection do not suit a non-transactional migration, and cannot be changed.
    #[error("{command} cannot run with the settings of this connection")]
    UnsuitableSession {
        /// The statement.
        command: &'static str,
        /// The settings.
        unsuitable: Vec<String>,
    },
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

impl Error {
    /// The same error, with what the run had applied before.
    pub(super) fn after(self, applied: Vec<String>) -> Self {
        match self {
            Self::Migration { rejection, .. } => Self::Migration { rejection, applied },
            error => error,
        }
    }
}

impl Diagnostic for Error {
    fn details(&self) -> Vec<String> {
        match self {
            Self::Connect(error) => error.details(),
            Self::Database { source, .. } => {
                let mut lines = vec![describe(source)];
                lines.extend(server_details(source));
                lines
            }
            Self::HistoryLocked { answer, holder, .. } => std::iter::once(answer.clone())
                .chain(holder.iter().map(|holder| format!("blocked by: {holder}")))
                .collect(),
            Self::Interrupted {
                running,
                is_confirmed,
                leftovers,
                applied,
                ..
            } => interruption_details(running.as_deref(), *is_confirmed, leftovers.as_deref(), applied),
            Self::Ledger(error) => error.details(),
            Self::Locked {
                holder: Some(holder), ..
            } => vec![format!("blocked by: {holder}")],
            Self::LockTimeout { reason, wait, .. } => std::iter::once(reason.clone())
                .chain(wait.iter().map(|wait| format!("it waited for {wait}")))
                .collect(),
            Self::Migration { rejection, applied } => migration_details(rejection, applied),
            Self::LostTwice { reason, applied, .. } => vec![reason.clone(), applied_line(applied)],
            Self::NoSecondConnection { reason, .. } => vec![reason.clone()],
            Self::Preflight(findings) => findings.iter().map(ToString::to_string).collect(),
            Self::Settings(error) => error.details(),
            Self::Source(error) => error.details(),
            Self::Start(source) => vec![source.to_string()],
            Self::UnsuitableSession { unsuitable, .. } => unsuitable.clone(),
            Self::Engine(_)
            | Self::Edited(_)
            | Self::Locked { holder: None, .. }
            | Self::NoHistory
            | Self::NotLast { .. }
            | Self::NothingToAdopt
            | Self::Unconfirmed(_)
            | Self::UnknownVersion { .. }
            | Self::UnknownTarget { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Connect(error) => connect_hints(error),
            Self::HistoryLocked { holder: None, .. } => one(
                "look in pg_locks for the session that holds a lock on refinery_schema_history, or raise MIGRATE_LOCK_TIMEOUT",
            ),
            Self::HistoryLocked {
                holder: Some(holder), ..
            } => blocker_hints(std::slice::from_ref(&**holder), "MIGRATE_LOCK_TIMEOUT"),
            Self::Interrupted { .. } => one("run it again: it continues where this run stopped"),
            Self::Ledger(error) => error.hints(),
            Self::Locked { holder: None, .. } => one(
                "find the other migrator (application_name zerostarter-db in pg_stat_activity), or raise MIGRATE_LOCK_WAIT",
            ),
            Self::Locked {
                holder: Some(holder), ..
            } => blocker_hints(std::slice::from_ref(&**holder), "MIGRATE_LOCK_WAIT"),
            Self::LockTimeout { wait: None, .. } => one(
                "look in pg_stat_activity for long-running transactions on the tables of this migration, or raise MIGRATE_LOCK_TIMEOUT or MIGRATE_LOCK_RETRIES",
            ),
            Self::LockTimeout { wait: Some(wait), .. } => {
                blocker_hints(&wait.blockers, "MIGRATE_LOCK_RETRIES")
            }
            Self::LostTwice { .. } => one(
                "look in the server's log: the migration may crash its process, or make the system end it for its use of memory",
            ),
            Self::Migration { rejection, .. } => migration_hint(rejection).into_iter().collect(),
            Self::NoSecondConnection { .. } => one(
                "give the pool one more connection, or set POSTGRES_DIRECT_URL to a direct connection: a non-transactional migration needs two connections at once",
            ),
            Self::Preflight(findings) => distinct(findings.iter().map(|finding| finding.hint.to_owned())),
            Self::Settings(error) => error.hints(),
            Self::Source(error) => error.hints(),
            Self::Unconfirmed(_) => {
                one("run zerostarter-db status first; statement pooling can lose a transaction")
            }
            Self::UnknownTarget {
                newest: Some(newest), ..
            }
            | Self::UnknownVersion {
                newest: Some(newest), ..
            } => vec![format!("the newest migration is {newest}")],
            Self::NotLast { .. } => {
                one("make the later migrations pending first, beginning with the last one")
            }
            Self::NothingToAdopt => one(
                "set MIGRATIONS_DIR to the folder of drizzle-kit; of other migrations, zerostarter-db resolve VERSION --applied records one",
            ),
            Self::NoHistory => one("run zerostarter-db migrate: it creates the table"),
            Self::UnsuitableSession { .. } => one(
                "set POSTGRES_DIRECT_URL to a direct connection, or change the defaults of the role with ALTER ROLE … SET: a connection pooler does not pass settings on",
            ),
            Self::Database { .. }
            | Self::Engine(_)
            | Self::Edited(_)
            | Self::Start(_)
            | Self::UnknownTarget { newest: None, .. }
            | Self::UnknownVersion { newest: None, .. } => Vec::new(),
        }
    }

    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Connect(error) => error.exit_status(),
            Self::Interrupted { signal, .. } => signal.exit_status(),
            Self::Ledger(error) => error.exit_status(),
            Self::Settings(error) => error.exit_status(),
            Self::Source(error) => error.exit_status(),
            Self::NoHistory
            | Self::NotLast { .. }
            | Self::NothingToAdopt
            | Self::Preflight(_)
            | Self::UnknownTarget { .. }
            | Self::UnknownVersion { .. }
            | Self::UnsuitableSession { .. } => ExitStatus::Usage,
            Self::Edited(_) => ExitStatus::Conflict,
            Self::HistoryLocked { .. } | Self::Locked { .. } | Self::LockTimeout { .. } => {
                ExitStatus::Blocked
            }
            Self::Migration { rejection, .. } if rejection.sql_state == SqlState::INSUFFICIENT_PRIVILEGE => {
                ExitStatus::Refused
            }
            Self::NoSecondConnection { .. } => ExitStatus::Unreachable,
            Self::Database { .. }
            | Self::Engine(_)
            | Self::LostTwice { .. }
            | Self::Migration { .. }
            | Self::Start(_)
            | Self::Unconfirmed(_) => ExitStatus::Failed,
        }
    }
}
