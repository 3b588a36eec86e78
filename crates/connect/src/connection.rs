//! One connection: how it is opened and closed, and how every setting of the URL reaches the wire.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::poll_fn;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::{SslMode as WireSslMode, SslNegotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, NoTls, Socket};

use crate::attempt::{ATTEMPT_LIMIT, AttemptError};
use crate::canceller::Canceller;
use crate::config::Config;
use crate::host::{Address, Host};
use crate::tls::{TlsPolicy, Verification};

/// How long a server may send nothing before the connection counts as lost. Without this limit, a client whose server
/// disappeared would hang for the two hours of the operating system's defaults.
const UNRESPONSIVE_LIMIT: Duration = Duration::from_secs(30);

/// The `application_name` of connections whose URL names none: the server's views and hints show it.
const DEFAULT_APPLICATION_NAME: &str = "zerostarter-db";

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

    /// The client, its canceller, and the task that moves the bytes. The task sends Terminate when the client is dropped.
    #[must_use]
    pub fn into_parts(self) -> (Client, Arc<Canceller>, JoinHandle<()>) {
        (self.client, self.canceller, self.driver)
    }

    /// Sends Terminate, so that the server does not log a lost client.
    pub async fn close(self) {
        drop(self.client);
        // The caller has its answer already; a Terminate that is not sent changes nothing.
        let _ = timeout(TERMINATE_LIMIT, self.driver).await;
    }
}

/// One attempt at one host.
///
/// # Errors
///
/// [`AttemptError`]. An attempt takes at most [`ATTEMPT_LIMIT`] and ends at `deadline`.
pub async fn attempt(config: &Config, host: &Host, deadline: Instant) -> Result<Connection, AttemptError> {
    let limit = config
        .url
        .parameters
        .connect_timeout
        .map_or(ATTEMPT_LIMIT, |limit| limit.min(ATTEMPT_LIMIT));
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
    let policy = if matches!(host.address, Address::Unix(_)) {
        TlsPolicy::Plaintext
    } else {
        config.tls_policy
    };
    match policy {
        TlsPolicy::Plaintext => open(config, host, WireSslMode::Disable, NoTls).await,
        TlsPolicy::Required(verification) => open_tls(config, host, WireSslMode::Require, verification).await,
        TlsPolicy::Opportunistic(verification) => {
            match open_tls(config, host, WireSslMode::Prefer, verification).await {
                Err(failure) if is_worth_plaintext(&failure) => {
                    tracing::debug!(server = %host, "{host}: {failure}; trying without TLS, as sslmode=prefer says");
                    // If plaintext is refused too, the first refusal says more.
                    open(config, host, WireSslMode::Disable, NoTls)
                        .await
                        .map_err(|second| {
                            if second.sql_state() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) {
                                failure
                            } else {
                                second
                            }
                        })
                }
                outcome => outcome,
            }
        }
    }
}

/// libpq's rule for `prefer`: a failed handshake, or a server that admits no TLS connection of this role. PostgreSQL's own
/// code: a connection pooler that passes a refusal on would pass the same on again.
fn is_worth_plaintext(failure: &AttemptError) -> bool {
    let answer = match failure {
        AttemptError::Postgres(error) => error.code(),
        _ => None,
    };
    failure.tls().is_some() || answer == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
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
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, mut connection) = wire_config(config, host, mode)
        .connect(tls.clone())
        .await
        .map_err(AttemptError::Postgres)?;
    let reads_backslashes_literally = connection.parameter("standard_conforming_strings") != Some("off");
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
    let token = client.cancel_token();
    let canceller = Canceller::new(Box::new(move || {
        let (token, tls) = (token.clone(), tls.clone());
        Box::pin(async move { token.cancel_query(tls).await })
    }));
    Ok(Connection {
        client,
        canceller: Arc::new(canceller),
        driver,
        host: host.clone(),
        reads_backslashes_literally,
    })
}

fn log_notice(notice: &tokio_postgres::error::DbError) {
    match notice.severity() {
        // A precautionary ROLLBACK without a transaction.
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
        .application_name(
            parameters
                .application_name
                .as_deref()
                .unwrap_or(DEFAULT_APPLICATION_NAME),
        )
        .keepalives(parameters.keepalives.unwrap_or(true))
        .keepalives_idle(parameters.keepalives_idle.unwrap_or(UNRESPONSIVE_LIMIT / 2))
        .keepalives_interval(parameters.keepalives_interval.unwrap_or(UNRESPONSIVE_LIMIT / 6))
        .keepalives_retries(parameters.keepalives_count.unwrap_or(3))
        .tcp_user_timeout(parameters.tcp_user_timeout.unwrap_or(UNRESPONSIVE_LIMIT));
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
