//! One connection: how it is opened and closed, and how every setting of the URL reaches the wire.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::poll_fn;
use rand::seq::SliceRandom as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::{LoadBalanceHosts, SslMode as WireSslMode, SslNegotiation, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, SimpleQueryMessage, SimpleQueryStream};
use zerostarter_diagnostic::excerpt::shortened;

use crate::attempt::{ATTEMPT_LIMIT, AttemptError};
use crate::authentication::Guard;
use crate::canceller::Canceller;
use crate::config::Config;
use crate::dial::{dial, resolve};
use crate::frames::Frames;
use crate::host::{Address, Host};
use crate::large_query::LargeQuery;
use crate::route::{Route, Target};
use crate::stream::{Done, Stream, Transport};
use crate::tls::TlsPolicy;

/// The `application_name` of connections whose URL names none: the server's views and hints show it.
const DEFAULT_APPLICATION_NAME: &str = "zerostarter-db";

/// The least time for the handshakes with one of several addresses, so that many silent ones do not take it all.
const SHORTEST_SHARE: Duration = Duration::from_secs(2);

/// How long sending the Terminate message may take before the socket is dropped.
const TERMINATE_LIMIT: Duration = Duration::from_secs(1);

/// An open connection and the task that moves its bytes.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    canceller: Arc<Canceller>,
    driver: JoinHandle<()>,
    host: Host,
    reads_backslashes_literally: bool,
    counts_bytes: bool,
    large_query: LargeQuery,
}

impl Connection {
    /// tokio-postgres' client of this connection.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The host of the URL that it leads to.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Cancels its statements from outside.
    #[must_use]
    pub fn canceller(&self) -> &Arc<Canceller> {
        &self.canceller
    }

    /// Whether `standard_conforming_strings` is on: a backslash in `'…'` is a character like others.
    #[must_use]
    pub fn reads_backslashes_literally(&self) -> bool {
        self.reads_backslashes_literally
    }

    /// Whether the positions in the server's errors count bytes, because the encoding of the database is `SQL_ASCII`.
    #[must_use]
    pub fn counts_bytes(&self) -> bool {
        self.counts_bytes
    }

    /// Sends statements as `simple_query_raw` of the client does, which holds two copies of them meanwhile; this holds none.
    /// Nothing else may be sent on the connection until the answer begins.
    ///
    /// # Errors
    ///
    /// As the client's. Statements of more than 2 GB are an [`AttemptError::Io`].
    pub async fn large_query(&self, statements: String) -> Result<SimpleQueryStream, AttemptError> {
        self.large_query.keep(statements).map_err(AttemptError::talking)?;
        self.client
            .simple_query_raw("")
            .await
            .map_err(AttemptError::Postgres)
    }

    /// Whether the statements of the last [`large_query`](Self::large_query) are still kept. After its answer, they never are,
    /// unless something else was sent in their place.
    #[must_use]
    pub fn keeps_large_query(&self) -> bool {
        self.large_query.is_kept()
    }

    /// The client, its canceller, and the task that moves the bytes. The task sends Terminate when the client is dropped.
    #[must_use]
    pub fn into_parts(self) -> (Client, Arc<Canceller>, JoinHandle<()>) {
        (self.client, self.canceller, self.driver)
    }

    /// Drops the socket, with what is not sent yet: on a slow link that would take the time of the next connection.
    pub fn abandon(self) {
        self.driver.abort();
    }

    /// Sends Terminate, so that the server does not log a lost client.
    pub async fn close(self) {
        drop(self.client);
        // The caller has its answer already; a Terminate that is not sent changes nothing.
        let _ = timeout(TERMINATE_LIMIT, self.driver).await;
    }
}

/// One attempt at one host, at each of its addresses until one lets the connection in.
///
/// # Errors
///
/// [`AttemptError`]. An attempt takes at most [`ATTEMPT_LIMIT`] and ends at `deadline`.
pub async fn attempt(config: &Config, host: &Host, deadline: Instant) -> Result<Connection, AttemptError> {
    let attempt = Attempt { config, host };
    limited(config, deadline, |until| async move {
        let name = match (&host.address, host.hostaddr) {
            (Address::Unix(directory), _) => {
                let socket = directory.join(format!(".s.PGSQL.{}", host.port));
                return attempt.at(Target::Unix(socket), None).await;
            }
            (_, Some(address)) => address.to_string(),
            (Address::Tcp(name), None) => name.clone(),
        };
        let resolved = resolve(&name, host.port).await;
        let addresses = resolved.map_err(AttemptError::connecting)?;
        attempt.among(addresses, until).await
    })
    .await
}

/// The same at these addresses, in place of those of the host's name.
///
/// # Errors
///
/// Those of [`attempt`].
pub async fn attempt_at(
    config: &Config,
    host: &Host,
    addresses: Vec<SocketAddr>,
    deadline: Instant,
) -> Result<Connection, AttemptError> {
    let attempt = Attempt { config, host };
    limited(config, deadline, |until| attempt.among(addresses, until)).await
}

/// Does `work`, which gets the time at which it has to end.
async fn limited<W>(
    config: &Config,
    deadline: Instant,
    work: impl FnOnce(Instant) -> W,
) -> Result<Connection, AttemptError>
where
    W: Future<Output = Result<Connection, AttemptError>>,
{
    let limit = config
        .url
        .parameters
        .connect_timeout
        .map_or(ATTEMPT_LIMIT, |limit| limit.min(ATTEMPT_LIMIT));
    let started = Instant::now();
    // The last attempt before the deadline is cut short by it, but never to nothing.
    let until = (started + limit).min(deadline.max(started + Duration::from_millis(100)));
    match timeout_at(until, work(until)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(AttemptError::TimedOut(until - started)),
    }
}

/// What an attempt is made with.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    config: &'a Config,
    host: &'a Host,
}

impl Attempt<'_> {
    /// At each of `addresses`, until one lets the connection in.
    async fn among(self, mut addresses: Vec<SocketAddr>, until: Instant) -> Result<Connection, AttemptError> {
        if self.config.url.parameters.load_balance_hosts == Some(LoadBalanceHosts::Random) {
            addresses.shuffle(&mut rand::rng());
        }
        let mut failure: Option<AttemptError> = None;
        loop {
            let error = match dial(&addresses).await {
                Ok((socket, address)) => {
                    // One that accepts and is silent then must not use up the time of the others.
                    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
                    let share = until.saturating_duration_since(Instant::now()) / count;
                    let limit = share.max(SHORTEST_SHARE);
                    addresses.retain(|other| *other != address);
                    let attempt = self.at(Target::Tcp(address), Some(socket));
                    match timeout(limit, attempt).await {
                        Ok(Ok(connection)) => return Ok(connection),
                        Ok(Err(error)) => error,
                        Err(_) => AttemptError::TimedOut(limit),
                    }
                }
                Err(error) => {
                    addresses.clear();
                    AttemptError::connecting(error)
                }
            };
            let telling = AttemptError::more_telling(failure.take(), error);
            if addresses.is_empty() {
                return Err(telling);
            }
            failure = Some(telling);
        }
    }

    /// At one address, to which `socket` may lead already.
    async fn at(self, target: Target, socket: Option<TcpStream>) -> Result<Connection, AttemptError> {
        let policy = self.config.tls_policy;
        let route = Route::new(self.config, self.host, target.clone(), policy)?;
        let mut is_encrypted = false;
        let transport = match socket {
            Some(socket) => route.secure(socket).await,
            None => route.open().await,
        };
        let failure = match transport {
            Ok(transport) => {
                is_encrypted = matches!(transport, Transport::Tls(_));
                match self.log_in(route, transport).await {
                    Ok(connection) => return Ok(connection),
                    Err(failure) => failure,
                }
            }
            Err(failure) => failure,
        };
        let is_opportunistic = policy == TlsPolicy::Opportunistic;
        if !(is_opportunistic && is_worth_plaintext(&failure, is_encrypted)) {
            return Err(failure);
        }
        let host = self.host;
        tracing::debug!(server = %host, "{host}: {failure}; trying without TLS, as sslmode=prefer says");
        let plain = Route::new(self.config, host, target, TlsPolicy::Plaintext)?;
        let transport = plain.open().await?;
        // If plaintext is refused too, the first refusal says more.
        self.log_in(plain, transport).await.map_err(|second| {
            if second.sql_state() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) {
                failure
            } else {
                second
            }
        })
    }

    async fn log_in(self, route: Route, transport: Transport) -> Result<Connection, AttemptError> {
        let url = &self.config.url;
        let is_encrypted = matches!(transport, Transport::Tls(_));
        let guard = Guard::new(
            url.parameters.require_auth,
            url.password.as_ref(),
            is_encrypted || route.target().is_local(),
        );
        let wire = wire_config(self.config, is_encrypted);
        let large_query = LargeQuery::default();
        let stream = Stream {
            transport,
            guard: guard.clone(),
            large_query: large_query.clone(),
            frames: Frames::default(),
        };
        let (client, mut connection) = wire
            .connect_raw(stream, Done)
            .await
            .map_err(AttemptError::Postgres)?;
        guard.open().map_err(AttemptError::talking)?;
        let reads_backslashes_literally = connection.parameter("standard_conforming_strings") != Some("off");
        let counts_bytes = connection.parameter("server_encoding") == Some("SQL_ASCII");
        let driver = tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notice(notice)) => log_notice(&notice),
                    Ok(_) => {}
                    // The running request reports the loss.
                    Err(_) => break,
                }
            }
        });
        check_session(&client, url.parameters.target_session_attrs).await?;
        let token = client.cancel_token();
        let route = route.settled(is_encrypted);
        let canceller = Canceller::new(Box::new(move || {
            let (token, route) = (token.clone(), route.clone());
            Box::pin(async move {
                let transport = route.open().await?;
                let stream = Stream {
                    transport,
                    guard: Guard::new(None, None, true),
                    large_query: LargeQuery::default(),
                    frames: Frames::default(),
                };
                let cancelling = token.cancel_query_raw(stream, Done);
                cancelling.await.map_err(AttemptError::Postgres)
            })
        }));
        Ok(Connection {
            client,
            canceller: Arc::new(canceller),
            driver,
            host: self.host.clone(),
            reads_backslashes_literally,
            counts_bytes,
            large_query,
        })
    }
}

/// libpq's rule for `prefer`: a failed handshake, or a server that admits no TLS connection of this role. PostgreSQL's own
/// code: a connection pooler that passes a refusal on would pass the same on again.
fn is_worth_plaintext(failure: &AttemptError, is_encrypted: bool) -> bool {
    let answer = match failure {
        AttemptError::Postgres(error) => error.code(),
        _ => None,
    };
    failure.tls().is_some()
        || (is_encrypted && answer == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION))
}

/// Checks that the server takes writes, or takes none, as `target_session_attrs` demands.
async fn check_session(client: &Client, wanted: Option<TargetSessionAttrs>) -> Result<(), AttemptError> {
    let wanted = match wanted {
        Some(TargetSessionAttrs::ReadWrite) => "off",
        Some(TargetSessionAttrs::ReadOnly) => "on",
        _ => return Ok(()),
    };
    let rows = client.simple_query("SHOW transaction_read_only").await;
    let is_wanted = rows.map_err(AttemptError::Postgres)?.iter().any(
        |row| matches!(row, SimpleQueryMessage::Row(row) if row.try_get(0).ok().flatten() == Some(wanted)),
    );
    match wanted {
        _ if is_wanted => Ok(()),
        "off" => Err(AttemptError::ReadOnly),
        _ => Err(AttemptError::connecting(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "database is not read only",
        ))),
    }
}

fn log_notice(notice: &tokio_postgres::error::DbError) {
    let (sqlstate, text) = (notice.code().code(), shortened(notice.message()));
    match notice.severity() {
        // A precautionary ROLLBACK without a transaction.
        _ if *notice.code() == SqlState::NO_ACTIVE_SQL_TRANSACTION => {}
        "WARNING" => tracing::warn!(sqlstate, "server: {text}"),
        "NOTICE" | "INFO" => tracing::info!(sqlstate, "server: {text}"),
        _ => tracing::debug!(sqlstate, "server: {text}"),
    }
}

fn wire_config(config: &Config, is_encrypted: bool) -> tokio_postgres::Config {
    let url = &config.url;
    let parameters = &url.parameters;
    let mut wire = tokio_postgres::Config::new();
    // tokio-postgres gets a stream whose handshake is done, and takes it for one that begins with TLS.
    wire.ssl_negotiation(SslNegotiation::Direct)
        .ssl_mode(if is_encrypted {
            WireSslMode::Require
        } else {
            WireSslMode::Disable
        })
        .dbname(&url.database)
        .application_name(
            parameters
                .application_name
                .as_deref()
                .unwrap_or(DEFAULT_APPLICATION_NAME),
        );
    if let Some(user) = &url.user {
        wire.user(user);
    }
    if let Some(password) = &url.password {
        wire.password(password.expose());
    }
    if let Some(options) = &parameters.options {
        wire.options(options);
    }
    if let Some(binding) = parameters.channel_binding {
        wire.channel_binding(binding);
    }
    wire
}
