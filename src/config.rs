//! The settings of a run, from its variables.
//!
//! [`Config::load`] is a function of its arguments alone: layers of variables, and how to read the files
//! that some of them name. It reports everything that is wrong at once.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config_reader::Reader;
use crate::connection::ATTEMPT_LIMIT;
use crate::log::{LogFormat, parse_filter};
use crate::postgres_url::PostgresUrl;
use crate::settings::Settings;
use crate::tls::{TlsMaterial, TlsPolicy, Verification};

/// `NODE_ENV`: which of the app's worlds this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeEnv {
    /// A developer's machine.
    Local,
    /// A shared development environment.
    Development,
    /// Automated tests.
    Test,
    /// The rehearsal of production.
    Staging,
    /// The real thing: TLS is verified in full.
    Production,
}

impl NodeEnv {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "local" => Self::Local,
            "development" => Self::Development,
            "test" => Self::Test,
            "staging" => Self::Staging,
            "production" => Self::Production,
            _ => return None,
        })
    }
}

/// `MIGRATE_AHEAD`: what to do when the database has newer migrations than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// Warn and succeed: a rollback or a rolling deploy must not stop the old version from starting.
    Allow,
    /// Treat it as a conflict.
    Refuse,
}

/// What is wrong with one variable. Names it, never shows its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable, with the place it came from.
    pub variable: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.message)
    }
}

/// What a connection is for, which decides by which of the two URLs it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Migrations, which a transaction pooler can be in the way of.
    Migration,
    /// The queries of an application.
    Application,
}

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// `NODE_ENV`.
    pub node_env: NodeEnv,
    /// The database: `POSTGRES_URL`, but to migrate it `POSTGRES_DIRECT_URL` where that is set.
    pub url: PostgresUrl,
    /// Which of the two it was.
    pub url_variable: &'static str,
    /// How connections are protected.
    pub tls_policy: TlsPolicy,
    /// The certificates that are trusted and shown.
    pub tls_material: TlsMaterial,
    /// `MIGRATE_WAIT`: how long to wait for the database.
    pub wait: Duration,
    /// `MIGRATE_LOCK_WAIT`: how long to wait for another migrator.
    pub lock_wait: Duration,
    /// `MIGRATE_LOCK_TIMEOUT`: how long one lock may be waited for; zero is for ever.
    pub lock_timeout: Duration,
    /// `MIGRATE_LOCK_BUDGET`: how long one try may wait for locks in all; zero is for ever.
    pub lock_budget: Duration,
    /// `MIGRATE_LOCK_RETRIES`: how often a migration that was blocked or beaten is tried.
    pub lock_retries: u32,
    /// `MIGRATE_STATEMENT_TIMEOUT`: how long one statement may run; zero is for ever.
    pub statement_timeout: Duration,
    /// `MIGRATE_AHEAD`.
    pub ahead: Ahead,
    /// `MIGRATE_ROLE`: the role that migrations run as and that owns what they make.
    pub role: Option<String>,
    /// `MIGRATIONS_DIR`: read migrations from here, not from this program.
    pub migrations_dir: Option<PathBuf>,
    /// `MIGRATE_TARGET`: the last version to apply.
    pub target: Option<i32>,
    /// `MIGRATE_CREATE_DATABASE`: make the database if the server has none of that name.
    pub create_database: bool,
    /// `MIGRATE_ATOMIC`: all pending migrations in one transaction.
    pub atomic: bool,
    /// `MIGRATE_REPORT`: write the verdict on the run to this file.
    pub report: Option<PathBuf>,
    /// `WAIT_TIMEOUT`: how long `wait` blocks; that of `MIGRATE_LOCK_WAIT` where it is not set.
    pub wait_timeout: Duration,
    /// `STATUS_JSON`.
    pub status_json: bool,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `RUST_LOG`.
    pub log_filter: tracing_subscriber::filter::Targets,
}

impl Config {
    /// Reads the settings of a run that migrates.
    ///
    /// # Errors
    ///
    /// Every problem with every variable.
    pub fn load(
        settings: &Settings,
        read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Vec<Problem>> {
        Self::load_for(Purpose::Migration, settings, read_file)
    }

    /// Reads the settings for connections of one purpose.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn load_for(
        purpose: Purpose,
        settings: &Settings,
        read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Vec<Problem>> {
        let of_application;
        let settings = match purpose {
            Purpose::Migration => settings,
            // Where both share an environment, a variable of migrations must not stop the application, nor let it ask in
            // a role that only the migrator can take.
            Purpose::Application => {
                of_application = settings.of_application();
                &of_application
            }
        };
        let mut reader = Reader::new(settings, read_file);
        let node_env = reader.node_env();
        let url = reader.url(purpose);
        let production = node_env == Some(NodeEnv::Production);
        if let Some((variable, url)) = url.as_ref().filter(|_| production) {
            reader.refuse_local_password(variable, url);
        }
        let plaintext = reader.yes_or_no("POSTGRES_PLAINTEXT_IN_PRODUCTION");
        let (tls_policy, tls_material) = reader.tls(url.as_ref(), production, plaintext);
        let wait = reader.duration("MIGRATE_WAIT");
        let lock_wait = reader.duration("MIGRATE_LOCK_WAIT");
        let lock_timeout = reader.server_duration("MIGRATE_LOCK_TIMEOUT");
        let lock_budget = reader.server_duration("MIGRATE_LOCK_BUDGET");
        let lock_retries = reader.parse(
            "MIGRATE_LOCK_RETRIES",
            "is not a whole number of tries, 1 or more",
            |text| text.parse().ok().filter(|tries| *tries > 0),
        );
        let statement_timeout = reader.server_duration("MIGRATE_STATEMENT_TIMEOUT");
        let ahead = reader.parse("MIGRATE_AHEAD", "is not allow or refuse", |text| match text {
            "allow" => Some(Ahead::Allow),
            "refuse" => Some(Ahead::Refuse),
            _ => None,
        });
        let role = reader.text("MIGRATE_ROLE");
        let migrations_dir = reader.path("MIGRATIONS_DIR");
        let target = reader.parse(
            "MIGRATE_TARGET",
            "is not the version of a migration, such as 1",
            |text| text.trim_start_matches('V').parse().ok(),
        );
        let atomic = reader.yes_or_no("MIGRATE_ATOMIC");
        let report = reader.path("MIGRATE_REPORT");
        let create_database = reader.yes_or_no("MIGRATE_CREATE_DATABASE");
        let wait_timeout = if settings.get("WAIT_TIMEOUT").is_some() {
            reader.duration("WAIT_TIMEOUT")
        } else {
            lock_wait
        };
        let status_json = reader.yes_or_no("STATUS_JSON");
        let log_format = reader.parse("LOG_FORMAT", "is not text or json", LogFormat::parse);
        let log_filter = reader.parse(
            "RUST_LOG",
            "is not a level (error, warn, info, debug, trace, off) or a list of target=level",
            parse_filter,
        );
        match (node_env, url, lock_retries, ahead, log_format, log_filter) {
            (
                Some(node_env),
                Some((url_variable, url)),
                Some(lock_retries),
                Some(ahead),
                Some(log_format),
                Some(log_filter),
            ) if reader.problems.is_empty() => Ok(Self {
                node_env,
                url,
                url_variable,
                tls_policy,
                tls_material,
                wait,
                lock_wait,
                lock_timeout,
                lock_budget,
                lock_retries,
                statement_timeout,
                ahead,
                role,
                migrations_dir,
                target,
                create_database,
                atomic,
                report,
                wait_timeout,
                status_json,
                log_format,
                log_filter,
            }),
            _ => Err(reader.problems),
        }
    }
}

impl Config {
    /// How long one lock may be waited for: the budget of all covers it too. Zero is for ever.
    pub(crate) fn longest_lock_wait(&self) -> Duration {
        match (self.lock_timeout, self.lock_budget) {
            (timeout, Duration::ZERO) => timeout,
            (Duration::ZERO, budget) => budget,
            (timeout, budget) => timeout.min(budget),
        }
    }

    /// How long a question of ours waits for a lock. Never for ever, whatever is allowed to migrations: that could not
    /// be told from a server that has fallen silent.
    pub(crate) fn question_lock_wait(&self) -> Duration {
        [self.lock_timeout, self.lock_budget]
            .into_iter()
            .find(|limit| !limit.is_zero())
            .unwrap_or(self.lock_wait)
    }

    /// How long the answer to a question may take that is given at once, unless it waits for a lock.
    pub(crate) fn question_limit(&self) -> Duration {
        self.question_lock_wait() + ATTEMPT_LIMIT
    }

    /// Logs what somebody who migrates should know about the settings, once.
    pub fn tell(&self) {
        for name in &self.url.parameters.ignored {
            tracing::debug!(
                "the parameter {name} of {} means nothing to a migrator",
                self.url_variable
            );
        }
        self.tell_protection();
        if let (Some(sign), "POSTGRES_URL") = (self.url.transaction_pooler_sign(), self.url_variable) {
            tracing::warn!(
                "POSTGRES_URL looks like a transaction pooler ({sign}); set POSTGRES_DIRECT_URL to the database itself for migrations"
            );
        }
    }

    /// Logs where production is less protected than it is by default.
    pub(crate) fn tell_protection(&self) {
        if self.node_env == NodeEnv::Production && self.tls_policy == TlsPolicy::Plaintext {
            tracing::warn!("connections are not encrypted (POSTGRES_PLAINTEXT_IN_PRODUCTION=yes)");
        }
        if self.node_env == NodeEnv::Production && self.tls_policy == TlsPolicy::Required(Verification::Chain)
        {
            tracing::warn!(
                "the server's host name is not verified (sslmode=verify-ca with a CA of your own)"
            );
        }
    }
}
