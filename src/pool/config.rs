//! The settings of a pool, from its variables.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::config::{Config, Problem, Purpose};
use crate::config_reader::Reader;
use crate::settings::{Settings, VARIABLES, Variable, with_default};
use crate::sql::identifier;
use crate::variables::{ENVIRONMENT, Layer, gather};

/// The variables of a pool, besides those that say how to reach the database.
pub const POOL_VARIABLES: &[Variable] = &[
    with_default("POSTGRES_POOL_SIZE", "10"),
    with_default("POSTGRES_POOL_WAIT", "10s"),
    with_default("POSTGRES_CONNECT_TIMEOUT", "10s"),
    with_default("POSTGRES_IDLE_TIMEOUT", "30s"),
    with_default("POSTGRES_MAX_LIFETIME", "none"),
];

/// Where the server keeps the statements that an application uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statements {
    /// Prepared once on each connection, and kept there: the fastest.
    Kept,
    /// Sent anew each time, still in one round trip. Nothing stays on a connection, which behind a transaction
    /// pooler may be another one for every transaction.
    Sent,
}

/// How a pool reaches its database, and how many connections it keeps for how long.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Which database, and how connections to it are protected.
    pub database: Config,
    /// `POSTGRES_POOL_SIZE`: the most connections at a time.
    pub size: usize,
    /// `POSTGRES_POOL_WAIT`: how long somebody waits while all of them are in use.
    pub wait_timeout: Duration,
    /// `POSTGRES_CONNECT_TIMEOUT`: how long opening one may take, all hosts of the URL together.
    pub connect_timeout: Duration,
    /// `POSTGRES_IDLE_TIMEOUT`: one that was not used for so long is closed; zero is never.
    pub idle_timeout: Duration,
    /// `POSTGRES_MAX_LIFETIME`: one that is older is closed when it is not in use; zero is never.
    pub max_lifetime: Duration,
    /// Where statements are kept: not on the server if the URL shows a transaction pooler or says `prepare=false`.
    pub statements: Statements,
}

impl PoolConfig {
    /// Reads the settings of a pool.
    ///
    /// # Errors
    ///
    /// Every problem with every variable.
    pub fn load(
        settings: &Settings,
        read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Vec<Problem>> {
        let database = Config::load_for(Purpose::Application, settings, read_file);
        let mut reader = Reader::new(settings, read_file);
        let size = reader.parse(
            "POSTGRES_POOL_SIZE",
            "is not a number of connections from 1 to 10000",
            |text| text.parse().ok().filter(|size| (1..=10_000).contains(size)),
        );
        let wait_timeout = reader.positive_duration("POSTGRES_POOL_WAIT");
        let connect_timeout = reader.positive_duration("POSTGRES_CONNECT_TIMEOUT");
        let idle_timeout = reader.server_duration("POSTGRES_IDLE_TIMEOUT");
        let max_lifetime = reader.server_duration("POSTGRES_MAX_LIFETIME");
        match (database, size) {
            (Ok(mut database), Some(size)) if reader.problems.is_empty() => {
                let pools_transactions = database.url.transaction_pooler_sign().is_some();
                let statements = if pools_transactions || database.url.parameters.no_prepare {
                    Statements::Sent
                } else {
                    Statements::Kept
                };
                lead_to_schema(&mut database);
                Ok(Self {
                    database,
                    size,
                    wait_timeout,
                    connect_timeout,
                    idle_timeout,
                    max_lifetime,
                    statements,
                })
            }
            (database, _) => {
                let mut problems = database.err().unwrap_or_default();
                problems.extend(reader.problems);
                Err(problems)
            }
        }
    }

    /// Reads them from the environment and the `.env` files of the working directory.
    ///
    /// # Errors
    ///
    /// Every problem with every variable, and `.env` files that cannot be read.
    pub fn from_environment() -> Result<Self, Vec<Problem>> {
        let no_flags = Layer::new(ENVIRONMENT, Vec::<(String, String)>::new());
        let layers = gather(no_flags, std::env::vars_os(), Path::new(".")).map_err(|error| {
            vec![Problem {
                variable: error.file,
                message: error.reason,
                hint: None,
            }]
        })?;
        let settings = Settings::with_defaults(&layers, VARIABLES.iter().chain(POOL_VARIABLES));
        Self::load(&settings, &|path| std::fs::read(path))
    }
}

/// Lets unqualified names lead to the schema of the URL, as they do in migrations.
fn lead_to_schema(database: &mut Config) {
    let parameters = &mut database.url.parameters;
    if let Some(schema) = &parameters.schema {
        // A space would end the option.
        let escaped = identifier(schema).replace('\\', "\\\\").replace(' ', "\\ ");
        let others = parameters.options.take().unwrap_or_default();
        parameters.options = Some(format!("{others} -c search_path={escaped}").trim().to_owned());
    }
}
