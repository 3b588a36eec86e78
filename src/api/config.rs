//! The settings of the web app, from its variables.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use crate::config::Problem;
use crate::config_reader::Reader;
use crate::pool::PoolConfig;
use crate::settings::{Settings, Variable, with_default};

/// The variables of the web app, besides those of its database.
pub const API_VARIABLES: &[Variable] = &[
    with_default("API_LISTEN", "0.0.0.0:4000"),
    with_default("API_RATE_LIMIT", "60"),
    with_default("API_RATE_LIMIT_WINDOW", "60s"),
    with_default("API_TRUSTED_PROXIES", "0"),
    with_default("API_REQUEST_TIMEOUT", "10s"),
    with_default("API_SHUTDOWN_TIMEOUT", "10s"),
];

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
pub struct ApiConfig {
    /// Its database, and the connections to it.
    pub pool: PoolConfig,
    /// `API_LISTEN`: address and port.
    pub listen: SocketAddr,
    /// `API_RATE_LIMIT`: none where that is 0.
    pub rate_limit: Option<RateLimit>,
    /// `API_TRUSTED_PROXIES`: how many reverse proxies stand in front, each of which adds to `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// `API_REQUEST_TIMEOUT`: how long answering one request may take.
    pub request_timeout: Duration,
    /// `API_SHUTDOWN_TIMEOUT`: how long requests that are under way may take after a signal.
    pub shutdown_timeout: Duration,
}

impl ApiConfig {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// Every problem with every variable.
    pub fn load(
        settings: &Settings,
        read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Vec<Problem>> {
        let pool = PoolConfig::load(settings, read_file);
        let mut reader = Reader::new(settings, read_file);
        let listen = reader.parse(
            "API_LISTEN",
            "is not an address and a port such as 0.0.0.0:4000 or [::]:4000",
            |text| text.parse().ok(),
        );
        let requests = reader.parse(
            "API_RATE_LIMIT",
            "is not a number of requests, or 0 for any number",
            |text| text.parse::<u32>().ok(),
        );
        let window = reader.positive_duration("API_RATE_LIMIT_WINDOW");
        let trusted_proxies = reader.parse(
            "API_TRUSTED_PROXIES",
            "is not a number of reverse proxies from 0 to 10",
            |text| text.parse().ok().filter(|count| *count <= 10),
        );
        let request_timeout = reader.positive_duration("API_REQUEST_TIMEOUT");
        let shutdown_timeout = reader.positive_duration("API_SHUTDOWN_TIMEOUT");
        match (pool, listen, requests, trusted_proxies) {
            (Ok(mut pool), Some(listen), Some(requests), Some(trusted_proxies))
                if reader.problems.is_empty() =>
            {
                let parameters = &mut pool.database.url.parameters;
                parameters
                    .application_name
                    .get_or_insert_with(|| "zerostarter-api".to_owned());
                let rate_limit = NonZeroU32::new(requests).map(|requests| RateLimit { requests, window });
                Ok(Self {
                    pool,
                    listen,
                    rate_limit,
                    trusted_proxies,
                    request_timeout,
                    shutdown_timeout,
                })
            }
            (pool, ..) => {
                let mut problems = pool.err().unwrap_or_default();
                problems.extend(reader.problems);
                Err(problems)
            }
        }
    }
}
