//! One connection to the database: how it is opened, how long that is tried, and which failures are worth waiting out.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use futures_util::future::poll_fn;
use rand::seq::SliceRandom as _;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::config::{LoadBalanceHosts, SslMode as WireSslMode, SslNegotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, NoTls, Socket};

use crate::backoff::Backoff;
use crate::config::Config;
use crate::error::{Denial, Error};
use crate::postgres_url::{Address, Host};
use crate::sql::identifier;
use crate::tls::{TlsPolicy, Verification};

/// The longest that one attempt may take: name resolution, TCP, TLS and authentication together.
pub const ATTEMPT_LIMIT: Duration = Duration::from_secs(10);

/// How long a server may be silent before the connection counts as lost. Without this, a migrator whose
/// server vanished without a word would hang for the two hours of the operating system's defaults.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

/// How often the log repeats what is being waited for.
const WAITING_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// How long the farewell may take before the socket is simply dropped.
const FAREWELL_LIMIT: Duration = Duration::from_secs(1);

/// An open connection and the task that moves its bytes.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    driver: JoinHandle<()>,
    reads_backslashes_literally: bool,
}

impl Connection {
    /// The protocol.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the server reads `'\'` as a whole string, which is how migration files are read here.
    #[must_use]
    pub fn reads_backslashes_literally(&self) -> bool {
        self.reads_backslashes_literally
    }

    /// Says goodbye, so that the server does not log a lost client.
    pub async fn close(self) {
        drop(self.client);
        // The program has its answer already; a farewell that does not get through changes nothing.
        let _ = timeout(FAREWELL_LIMIT, self.driver).await;
    }
}

/// Why an attempt to connect failed.
#[derive(Debug)]
pub enum AttemptError {
    /// It took longer than [`ATTEMPT_LIMIT`], or than `connect_timeout` where that is shorter.
    TimedOut(Duration),
    /// The client's certificate and key do not fit together.
    ClientCertificate(rustls::Error),
    /// Anything that tokio-postgres reports.
    Postgres(tokio_postgres::Error),
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(limit) => write!(f, "no answer within {limit:?}"),
            Self::ClientCertificate(error) => write!(f, "the client certificate cannot be used: {error}"),
            Self::Postgres(error) => f.write_str(&describe(error)),
        }
    }
}

impl std::error::Error for AttemptError {}

impl AttemptError {
    /// Whether trying again can help: the server is not there yet, is starting, or has no room.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut(_) => true,
            Self::ClientCertificate(_) => false,
            Self::Postgres(error) => is_transient(error),
        }
    }

    /// What the server answered, if it was the server that refused.
    #[must_use]
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            Self::TimedOut(_) | Self::ClientCertificate(_) => None,
        }
    }

    /// What rustls found wrong, if it was the handshake that failed.
    #[must_use]
    pub fn tls(&self) -> Option<&rustls::Error> {
        match self {
            Self::Postgres(error) => find_tls_error(error),
            Self::ClientCertificate(error) => Some(error),
            Self::TimedOut(_) => None,
        }
    }
}

/// An error of tokio-postgres in words: its own `Display` of a server's error is only "db error".
#[must_use]
pub fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", answer.message(), answer.code().code());
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

fn find_tls_error(error: &tokio_postgres::Error) -> Option<&rustls::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // An io::Error hides what it wraps from `source()`.
        if let Some(tls) = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref).and_then(|inner| inner.downcast_ref()) {
            return Some(tls);
        }
        source = cause.source();
    }
    None
}

/// Whether an error means that the server is away rather than that it said no.
#[must_use]
pub fn is_transient(error: &tokio_postgres::Error) -> bool {
    if let Some(answer) = error.as_db_error() {
        let code = answer.code();
        // PgBouncer answers with 08P01 both when its server is down and when it knows no such database or user.
        let pooler_knows_no_such = *code == SqlState::PROTOCOL_VIOLATION && answer.message().contains("no such");
        return !pooler_knows_no_such
            && (code.code().starts_with("08")
                || code.code().starts_with("53")
                || [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code));
    }
    if error.is_closed() {
        return true;
    }
    // A server that goes away during the handshake is an I/O error; what rustls reports is a verdict.
    if find_tls_error(error).is_some() {
        return false;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return io.kind() != io::ErrorKind::PermissionDenied && io.kind() != io::ErrorKind::InvalidInput;
        }
        source = cause.source();
    }
    false
}

/// Connects, waiting until `deadline` for a server that is not there yet.
///
/// # Errors
///
/// [`Error::Unreachable`] when the time is over, [`Error::Refused`] at once when the server says no.
pub async fn connect(config: &Config, deadline: Instant) -> Result<Connection, Error> {
    let started = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    let mut last_log: Option<(Instant, String)> = None;
    loop {
        let (server, failure) = match attempt_each_host(config, deadline).await {
            Ok(connection) => {
                if last_log.is_some() {
                    tracing::info!(waited_ms = millis(started.elapsed()), "the database answers after {}", in_seconds(started.elapsed()));
                }
                return Ok(connection);
            }
            Err(failure) => failure,
        };
        if !failure.is_transient() {
            return Err(Error::Refused { server, role: config.url.user.clone(), database: config.url.database.clone(), source: failure });
        }
        let pause = backoff.next_pause();
        if Instant::now() + pause >= deadline {
            return Err(Error::Unreachable { server, waited: started.elapsed(), source: failure });
        }
        let reason = failure.to_string();
        let is_news = last_log.as_ref().is_none_or(|(at, text)| *text != reason || at.elapsed() >= WAITING_LOG_INTERVAL);
        if is_news {
            let left = deadline.saturating_duration_since(Instant::now());
            tracing::info!(
                server, reason, left_ms = millis(left),
                "waiting for the database at {server}: {reason} (for up to {} more)", in_seconds(left)
            );
            last_log = Some((Instant::now(), reason));
        }
        sleep(pause).await;
    }
}

/// Makes the database of the URL, through the database `postgres` that every cluster has. That somebody
/// else has just made it is as good.
///
/// # Errors
///
/// Those of [`connect`], and [`Error::Denied`] where the role may not create databases.
pub async fn create_database(config: &Config, deadline: Instant) -> Result<(), Error> {
    let database = config.url.database.clone();
    let mut maintenance = config.clone();
    "postgres".clone_into(&mut maintenance.url.database);
    let connection = connect(&maintenance, deadline).await?;
    let outcome = connection.client().batch_execute(&format!("CREATE DATABASE {}", identifier(&database))).await;
    connection.close().await;
    match outcome {
        Ok(()) => tracing::info!(database, "created the database {database}"),
        Err(error) if [Some(&SqlState::DUPLICATE_DATABASE), Some(&SqlState::UNIQUE_VIOLATION)].contains(&error.code()) => {}
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            return Err(Error::Denied(Denial::CreateDatabase { database, answer: describe(&error) }));
        }
        Err(source) => return Err(Error::Database { doing: "creating the database", source }),
    }
    Ok(())
}

/// A duration in whole milliseconds, as the fields of log lines have it.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A duration for people: seconds with one decimal.
#[must_use]
pub fn in_seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Tries every host once. The failure that is reported is the first that waiting cannot mend, else the last.
async fn attempt_each_host(config: &Config, deadline: Instant) -> Result<Connection, (String, AttemptError)> {
    let mut hosts: Vec<&Host> = config.url.hosts.iter().collect();
    if config.url.parameters.load_balance_hosts == Some(LoadBalanceHosts::Random) {
        hosts.shuffle(&mut rand::rng());
    }
    let mut failure: Option<(String, AttemptError)> = None;
    for host in hosts {
        match attempt(config, host, deadline).await {
            Ok(connection) => return Ok(connection),
            Err(error) => {
                tracing::debug!(server = %host, "{host}: {error}");
                if failure.as_ref().is_none_or(|(_, first)| first.is_transient()) {
                    failure = Some((host.to_string(), error));
                }
            }
        }
    }
    Err(failure.expect("a URL has at least one host"))
}

async fn attempt(config: &Config, host: &Host, deadline: Instant) -> Result<Connection, AttemptError> {
    let limit = config.url.parameters.connect_timeout.map_or(ATTEMPT_LIMIT, |limit| limit.min(ATTEMPT_LIMIT));
    let started = Instant::now();
    // The last attempt before the deadline is cut short by it, but never to nothing.
    let until = (started + limit).min(deadline.max(started + Duration::from_millis(100)));
    match timeout_at(until, attempt_with_policy(config, host)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(AttemptError::TimedOut(until - started)),
    }
}

async fn attempt_with_policy(config: &Config, host: &Host) -> Result<Connection, AttemptError> {
    // PostgreSQL has no TLS on Unix-domain sockets.
    let policy = if matches!(host.address, Address::Unix(_)) { TlsPolicy::Plaintext } else { config.tls_policy };
    match policy {
        TlsPolicy::Plaintext => open(config, host, WireSslMode::Disable, NoTls).await,
        TlsPolicy::Required(verification) => open_tls(config, host, WireSslMode::Require, verification).await,
        TlsPolicy::Opportunistic(verification) => {
            match open_tls(config, host, WireSslMode::Prefer, verification).await {
                Err(failure) if is_worth_plaintext(&failure) => {
                    tracing::debug!(server = %host, "{host}: {failure}; trying without TLS, as sslmode=prefer says");
                    // Where plaintext is refused too, the first refusal says more.
                    open(config, host, WireSslMode::Disable, NoTls).await.map_err(|second| {
                        if second.sql_state() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) { failure } else { second }
                    })
                }
                outcome => outcome,
            }
        }
    }
}

/// libpq's rule for `prefer`: a failed handshake, or a server that admits no TLS connection of this role.
fn is_worth_plaintext(failure: &AttemptError) -> bool {
    failure.tls().is_some() || failure.sql_state() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

async fn open_tls(
    config: &Config,
    host: &Host,
    mode: WireSslMode,
    verification: Verification,
) -> Result<Connection, AttemptError> {
    let direct = config.url.parameters.ssl_negotiation == Some(SslNegotiation::Direct);
    let connector = config
        .tls_material
        .connector(verification, &host.written, direct)
        .map_err(AttemptError::ClientCertificate)?;
    open(config, host, mode, connector).await
}

async fn open<T>(config: &Config, host: &Host, mode: WireSslMode, tls: T) -> Result<Connection, AttemptError>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, mut connection) = wire_config(config, host, mode).connect(tls).await.map_err(AttemptError::Postgres)?;
    let reads_backslashes_literally = connection.parameter("standard_conforming_strings") != Some("off");
    let driver = tokio::spawn(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(AsyncMessage::Notice(notice)) => log_notice(&notice),
                Ok(_) => {}
                // The request that was under way reports the loss; nobody waits for it otherwise.
                Err(_) => break,
            }
        }
    });
    Ok(Connection { client, driver, reads_backslashes_literally })
}

fn log_notice(notice: &tokio_postgres::error::DbError) {
    match notice.severity() {
        // A ROLLBACK to be on the safe side, where the server had not even begun.
        _ if *notice.code() == SqlState::NO_ACTIVE_SQL_TRANSACTION => {}
        "WARNING" => tracing::warn!(sqlstate = notice.code().code(), "server: {}", notice.message()),
        "NOTICE" | "INFO" => tracing::info!(sqlstate = notice.code().code(), "server: {}", notice.message()),
        _ => tracing::debug!(sqlstate = notice.code().code(), "server: {}", notice.message()),
    }
}

fn wire_config(config: &Config, host: &Host, mode: WireSslMode) -> tokio_postgres::Config {
    let url = &config.url;
    let parameters = &url.parameters;
    let mut wire = tokio_postgres::Config::new();
    match &host.address {
        Address::Tcp(name) => wire.host(name),
        Address::Unix(directory) => wire.host_path(directory),
    };
    if let Some(address) = host.hostaddr {
        wire.hostaddr(address);
    }
    wire.port(host.port)
        .dbname(&url.database)
        .ssl_mode(mode)
        .application_name(parameters.application_name.as_deref().unwrap_or(env!("CARGO_PKG_NAME")))
        .keepalives(parameters.keepalives.unwrap_or(true))
        .keepalives_idle(parameters.keepalives_idle.unwrap_or(SILENCE_LIMIT / 2))
        .keepalives_interval(parameters.keepalives_interval.unwrap_or(SILENCE_LIMIT / 6))
        .keepalives_retries(parameters.keepalives_count.unwrap_or(3))
        .tcp_user_timeout(parameters.tcp_user_timeout.unwrap_or(SILENCE_LIMIT));
    if let Some(user) = &url.user {
        wire.user(user);
    }
    if let Some(password) = &url.password {
        wire.password(password.expose());
    }
    if let Some(options) = &parameters.options {
        wire.options(options);
    }
    if let Some(negotiation) = parameters.ssl_negotiation {
        wire.ssl_negotiation(negotiation);
    }
    if let Some(binding) = parameters.channel_binding {
        wire.channel_binding(binding);
    }
    if let Some(attributes) = parameters.target_session_attrs {
        wire.target_session_attrs(attributes);
    }
    wire
}
