//! The settings of the web app.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use zerostarter_console as console;
use zerostarter_diagnostic::regular_file;
use zerostarter_pool as pool;
use zerostarter_settings::{Error, Reader, Settings, Variable};

/// The variables of the web app alone.
pub const VARIABLES: &[Variable] = &[
    Variable::new("API_LISTEN", "Address and port").default("0.0.0.0:4000"),
    Variable::new(
        "API_HEALTH_LISTEN",
        "Address and port of the health check and the metrics",
    )
    .default("127.0.0.1:4001"),
    Variable::new(
        "API_CLIENT_CONNECTIONS",
        "Connections of one client at a time, 0 for no limit",
    )
    .default("200"),
    Variable::new(
        "API_RATE_LIMIT",
        "Requests of one client in a window, 0 for no limit",
    )
    .default("60"),
    Variable::new("API_RATE_LIMIT_WINDOW", "The window").default("60s"),
    Variable::new(
        "API_TRUSTED_PROXIES",
        "Reverse proxies in front that add to X-Forwarded-For",
    )
    .default("0"),
    Variable::new(
        "API_JOIN_TIME",
        "Joining takes a multiple of this, so that its time does not tell who is on the list",
    )
    .default("100ms"),
    Variable::new("API_COUNT_AGE", "How long a count is shown").default("1h"),
    Variable::new("API_REQUEST_TIMEOUT", "How long one answer may take").default("10s"),
    Variable::new(
        "API_SHUTDOWN_TIMEOUT",
        "How long running requests may take after a signal",
    )
    .default("10s"),
];

/// Every variable that the web app reads.
pub fn variables() -> impl Iterator<Item = &'static Variable> {
    zerostarter_connect::config::variables()
        .chain(pool::config::VARIABLES)
        .chain(VARIABLES)
        .chain(console::config::VARIABLES)
}

/// How many requests one client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// `API_RATE_LIMIT`.
    pub requests: NonZeroU32,
    /// `API_RATE_LIMIT_WINDOW`: in this time.
    pub window: Duration,
}

/// The settings of the web app.
#[derive(Clone, Debug)]
pub struct Config {
    /// The database and its connections.
    pub pool: pool::Config,
    /// The log.
    pub console: console::Config,
    /// `API_LISTEN`: address and port.
    pub listen: SocketAddr,
    /// `API_HEALTH_LISTEN`: where the health check and the metrics are.
    pub health_listen: SocketAddr,
    /// `API_CLIENT_CONNECTIONS`: `None` if it is 0.
    pub client_connections: Option<usize>,
    /// `API_RATE_LIMIT`: `None` if it is 0.
    pub rate_limit: Option<RateLimit>,
    /// `API_TRUSTED_PROXIES`: how many reverse proxies in front add to `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// `API_JOIN_TIME`: what the time of joining is a multiple of.
    pub join_time: Duration,
    /// `API_COUNT_AGE`: how long a count is shown.
    pub count_age: Duration,
    /// `API_REQUEST_TIMEOUT`: how long answering one request may take.
    pub request_timeout: Duration,
    /// `API_SHUTDOWN_TIMEOUT`: how long running requests may take after a signal.
    pub shutdown_timeout: Duration,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// Every problem with every variable.
    pub fn load(settings: &Settings) -> Result<Self, Error> {
        let mut reader = Reader::new(settings, &regular_file::read);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let pool = pool::Config::load(reader);
        let listen = reader.parse(
            "API_LISTEN",
            "is not an address and a port such as 0.0.0.0:4000 or [::]:4000",
            |text| text.parse().ok(),
        );
        let health_listen = reader.parse(
            "API_HEALTH_LISTEN",
            "is not an address and a port such as 127.0.0.1:4001 or [::1]:4001",
            |text| text.parse().ok(),
        );
        let client_connections = reader.parse(
            "API_CLIENT_CONNECTIONS",
            "is not a number of connections, or 0 for no limit",
            |text| text.parse::<usize>().ok(),
        );
        let requests = reader.parse(
            "API_RATE_LIMIT",
            "is not a number of requests, or 0 for no limit",
            |text| text.parse::<u32>().ok(),
        );
        let window = reader.positive_duration("API_RATE_LIMIT_WINDOW");
        let trusted_proxies = reader.parse(
            "API_TRUSTED_PROXIES",
            "is not a number of reverse proxies from 0 to 10",
            |text| text.parse().ok().filter(|count| *count <= 10),
        );
        let join_time = reader.duration("API_JOIN_TIME");
        let count_age = reader.duration("API_COUNT_AGE");
        let request_timeout = reader.positive_duration("API_REQUEST_TIMEOUT");
        let shutdown_timeout = reader.positive_duration("API_SHUTDOWN_TIMEOUT");
        let console = console::Config::load(reader);
        let mut pool = pool?;
        let parameters = &mut pool.database.url.parameters;
        parameters
            .application_name
            .get_or_insert_with(|| "zerostarter-api".to_owned());
        Some(Self {
            pool,
            console: console?,
            listen: listen?,
            health_listen: health_listen?,
            client_connections: Some(client_connections?).filter(|most| *most > 0),
            rate_limit: NonZeroU32::new(requests?).map(|requests| RateLimit { requests, window }),
            trusted_proxies: trusted_proxies?,
            join_time,
            count_age,
            request_timeout,
            shutdown_timeout,
        })
    }
}
