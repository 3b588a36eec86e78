//! The settings of a pool.

use std::time::Duration;

use zerostarter_connect as connect;
use zerostarter_connect::config::POSTGRES_URL;
use zerostarter_connect::quote::identifier;
use zerostarter_diagnostic::regular_file;
use zerostarter_settings::{Error, Reader, Settings, Variable};

/// The variables of a pool, besides those of connections.
pub const VARIABLES: &[Variable] = &[
    Variable::new("POSTGRES_POOL_SIZE", "Connections that may be open at a time").default("10"),
    Variable::new(
        "POSTGRES_POOL_WAIT",
        "How long to wait for a connection while all are in use",
    )
    .default("10s"),
    Variable::new(
        "POSTGRES_CONNECT_TIMEOUT",
        "How long opening a connection may take, all hosts of the URL together",
    )
    .default("10s"),
    Variable::new("POSTGRES_IDLE_TIMEOUT", "How long an idle connection stays open").default("30s"),
    Variable::new(
        "POSTGRES_MAX_LIFETIME",
        "How long a connection stays open at most",
    )
    .default("none"),
];

/// How the statements of an application reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statements {
    /// Prepared once on each connection and kept there: the fastest.
    Kept,
    /// Sent with every query, still in one round trip. Nothing stays on a connection: with transaction pooling every
    /// transaction may have another one.
    Sent,
}

/// How a pool reaches its database, and how many connections it keeps for how long.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which database, and how connections to it are protected.
    pub database: connect::Config,
    /// `POSTGRES_POOL_SIZE`: how many connections may be open at a time.
    pub size: usize,
    /// `POSTGRES_POOL_WAIT`: how long to wait for a connection while all are in use.
    pub wait_timeout: Duration,
    /// `POSTGRES_CONNECT_TIMEOUT`: how long opening one may take, all hosts of the URL together.
    pub connect_timeout: Duration,
    /// `POSTGRES_IDLE_TIMEOUT`: an idle connection is closed after this time; zero is no limit.
    pub idle_timeout: Duration,
    /// `POSTGRES_MAX_LIFETIME`: a connection that is older is closed when it is idle; zero is no limit.
    pub max_lifetime: Duration,
    /// How statements reach the server: `Sent` if the URL shows transaction pooling or has `prepare=false`.
    pub statements: Statements,
}

impl Config {
    /// Reads the settings. `None` after a problem, which `reader` has noted.
    pub fn load(reader: &mut Reader<'_>) -> Option<Self> {
        let database = connect::Config::load(reader, &[POSTGRES_URL]);
        let size = reader.parse(
            "POSTGRES_POOL_SIZE",
            "is not a number of connections from 1 to 10000",
            |text| text.parse().ok().filter(|size| (1..=10_000).contains(size)),
        );
        let wait_timeout = reader.positive_duration("POSTGRES_POOL_WAIT");
        let connect_timeout = reader.positive_duration("POSTGRES_CONNECT_TIMEOUT");
        let idle_timeout = reader.server_duration("POSTGRES_IDLE_TIMEOUT");
        let max_lifetime = reader.server_duration("POSTGRES_MAX_LIFETIME");
        let mut database = database?;
        let pools_transactions = database.url.transaction_pooler_sign().is_some();
        let statements = if pools_transactions || database.url.parameters.no_prepare {
            Statements::Sent
        } else {
            Statements::Kept
        };
        set_search_path(&mut database);
        Some(Self {
            database,
            size: size?,
            wait_timeout,
            connect_timeout,
            idle_timeout,
            max_lifetime,
            statements,
        })
    }

    /// Reads the settings from the environment and the `.env` files of the working directory.
    ///
    /// # Errors
    ///
    /// Every problem with every variable, and `.env` files that cannot be read.
    pub fn from_environment() -> Result<Self, Error> {
        let settings = Settings::of_process(connect::config::variables().chain(VARIABLES))?;
        let mut reader = Reader::new(&settings, &regular_file::read);
        let config = Self::load(&mut reader);
        let config = reader.finish(config)?;
        config.database.log_url();
        Ok(config)
    }
}

/// Unqualified names refer to the schema of the URL, as in migrations.
fn set_search_path(database: &mut connect::Config) {
    let parameters = &mut database.url.parameters;
    if let Some(schema) = &parameters.schema {
        // A space would end the option.
        let escaped = identifier(schema).replace('\\', "\\\\").replace(' ', "\\ ");
        let others = parameters.options.take().unwrap_or_default();
        parameters.options = Some(format!("{others} -c search_path={escaped}").trim().to_owned());
    }
}
