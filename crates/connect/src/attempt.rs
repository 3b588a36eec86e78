//! Why an attempt to connect failed, and whether waiting helps.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use tokio_postgres::error::{DbError, SqlState};
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_diagnostic::excerpt::shortened;

/// The longest that one attempt may take: name resolution, TCP, TLS and authentication together.
pub const ATTEMPT_LIMIT: Duration = Duration::from_secs(10);

/// Why an attempt to connect failed.
#[derive(Debug)]
pub enum AttemptError {
    /// It took longer than [`ATTEMPT_LIMIT`], or than `connect_timeout` if that is shorter.
    TimedOut(Duration),
    /// The client's certificate and key do not fit together.
    ClientCertificate(rustls::Error),
    /// The socket or the TLS handshake, and during what: "connecting to server".
    Io(&'static str, io::Error),
    /// `target_session_attrs` asks for a server that accepts writes, and this one does not.
    ReadOnly,
    /// Anything that tokio-postgres reports.
    Postgres(tokio_postgres::Error),
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(limit) => write!(f, "no answer within {}", in_seconds(*limit)),
            Self::ClientCertificate(error) => {
                write!(f, "the client certificate cannot be used: {error}")
            }
            Self::Io(step, error) => write!(f, "error {step}: {error}"),
            Self::ReadOnly => f.write_str("error connecting to server: database does not allow writes"),
            Self::Postgres(error) => f.write_str(&describe(error)),
        }
    }
}

impl std::error::Error for AttemptError {}

impl AttemptError {
    pub(crate) fn connecting(error: io::Error) -> Self {
        Self::Io("connecting to server", error)
    }

    pub(crate) fn talking(error: io::Error) -> Self {
        Self::Io("communicating with the server", error)
    }

    pub(crate) fn handshake(error: io::Error) -> Self {
        Self::Io("performing TLS handshake", error)
    }

    /// Whether trying again can help: the server is not there yet, is starting, or has no room.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            // A standby may be promoted: that is what several hosts are named for.
            Self::TimedOut(_) | Self::ReadOnly => true,
            Self::ClientCertificate(_) => false,
            Self::Io(_, error) => is_transient_io(error),
            Self::Postgres(error) => is_transient(error),
        }
    }

    /// Whether the server was ruled out by `target_session_attrs=read-write`.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::ReadOnly)
    }

    /// What the server answered, if it was the server that refused: see [`meaning`].
    #[must_use]
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.as_db_error().map(meaning),
            Self::TimedOut(_) | Self::ClientCertificate(_) | Self::Io(..) | Self::ReadOnly => None,
        }
    }

    /// Whether the server has let the role in, but not into this database, or has no such database.
    pub(crate) fn is_closed_database(&self) -> bool {
        [
            Some(&SqlState::INVALID_CATALOG_NAME),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE),
            Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE),
            Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
            Some(&SqlState::SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION),
        ]
        .contains(&self.sql_state())
    }

    /// What rustls found wrong, if it was the handshake that failed.
    #[must_use]
    pub fn tls(&self) -> Option<&rustls::Error> {
        match self {
            Self::Io(_, error) => find_tls_error(error),
            Self::ClientCertificate(error) => Some(error),
            // A server that refuses the client's certificate says so after the handshake.
            Self::Postgres(error) => find_io_error(error).and_then(find_tls_error),
            Self::TimedOut(_) | Self::ReadOnly => None,
        }
    }

    /// The failure that says more about the reason: the later one if they say the same, but the first that is permanent.
    pub(crate) fn more_telling(before: Option<Self>, new: Self) -> Self {
        match before {
            Some(before) if before.outweighs(&new) => before,
            _ => new,
        }
    }

    /// Whether it says more about the reason than a later failure.
    pub(crate) fn outweighs(&self, later: &Self) -> bool {
        !self.is_transient() || self.weight() > later.weight()
    }

    /// Silence says least, an answer of the server most.
    fn weight(&self) -> u8 {
        match self {
            Self::TimedOut(_) => 0,
            _ if !self.is_transient() => 4,
            Self::ReadOnly => 3,
            _ if self.sql_state().is_some() => 2,
            _ => 1,
        }
    }
}

/// An error of tokio-postgres as text. Its own `Display` of a server's error is only "db error".
#[must_use]
pub fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return format!(
            "{} (SQLSTATE {})",
            shortened(answer.message()),
            answer.code().code()
        );
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn find_tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What PgBouncer says in errors that waiting cannot mend, and the SQLSTATE that PostgreSQL has for the same. The first whose
/// words all occur decides: PostgreSQL's own words, which PgBouncer passes on, also name roles and databases.
static POOLER_REFUSALS: &[(&[&str], SqlState)] = &[
    (
        &["no such database"],
        SqlState::SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION,
    ),
    (
        &["unsupported startup parameter"],
        SqlState::FEATURE_NOT_SUPPORTED,
    ),
    (&["bouncer config error"], SqlState::CONFIG_FILE_ERROR),
    (&["pg_hba.conf"], SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
    (&["login rejected"], SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
    (&["no such user"], SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
    (
        &["not permitted to log in"],
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
    ),
    (
        &["\"trust\" authentication failed"],
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
    ),
    (&["SSL required"], SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
    (&["TLS required"], SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
    (&["authentication failed"], SqlState::INVALID_PASSWORD),
    (
        &["permission denied for database"],
        SqlState::INSUFFICIENT_PRIVILEGE,
    ),
    (
        &["not currently accepting connections"],
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
    ),
    (
        &["does not allow connections"],
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
    ),
    (&["database \"", "does not exist"], SqlState::INVALID_CATALOG_NAME),
    (&["does not exist"], SqlState::INVALID_AUTHORIZATION_SPECIFICATION),
];

/// The SQLSTATE of an answer. PgBouncer answers with 08P01 if its server is down, and also if that has refused the role, its
/// password or the database, in the server's words: then the SQLSTATE that those words have in PostgreSQL.
#[must_use]
pub fn meaning(answer: &DbError) -> &SqlState {
    let code = answer.code();
    if *code != SqlState::PROTOCOL_VIOLATION {
        return code;
    }
    let says = |words: &[&str]| words.iter().all(|part| answer.message().contains(part));
    let refusal = POOLER_REFUSALS.iter().find(|(words, _)| says(words));
    refusal.map_or(code, |(_, state)| state)
}

/// Whether an error means that the server is away rather than that it said no.
#[must_use]
pub fn is_transient(error: &tokio_postgres::Error) -> bool {
    if let Some(answer) = error.as_db_error() {
        let state = meaning(answer);
        let is_of_class = |class| state.code().starts_with(class);
        return (is_of_class("08") && *state != SqlState::SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION)
            || is_of_class("53")
            || [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
            ]
            .contains(state);
    }
    error.is_closed() || find_io_error(error).is_some_and(is_transient_io)
}

/// A server that goes away during the handshake is an I/O error; what rustls reports is a verdict.
fn is_transient_io(error: &io::Error) -> bool {
    let verdicts = [
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::InvalidInput,
        io::ErrorKind::Unsupported,
    ];
    find_tls_error(error).is_none() && !verdicts.contains(&error.kind())
}

fn find_io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = cause.source();
    }
    None
}
