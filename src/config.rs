//! The settings of a run, from its variables.
//!
//! [`Config::load`] is a function of its arguments alone: layers of variables, and how to read the files
//! that some of them name. It reports everything that is wrong at once.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::Source as _;
use tokio_postgres::config::{ChannelBinding, SslNegotiation};

use crate::log::LogFormat;
use crate::postgres_url::{Address, PostgresUrl};
use crate::tls::{TlsMaterial, TlsPolicy, Verification};
use crate::url_parameters::{RootCertificate, SslMode};
use crate::variables::{ENVIRONMENT, Layer};

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
    fn parse(text: &str) -> Option<Self> {
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

/// One variable: its name, the flag that overrides it, its default, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The environment variable.
    pub name: &'static str,
    /// What holds where nobody sets it.
    pub default: Option<&'static str>,
    /// Whether its value may hold a password.
    pub secret: bool,
}

const fn plain(name: &'static str) -> Variable {
    Variable { name, default: None, secret: false }
}

const fn with_default(name: &'static str, default: &'static str) -> Variable {
    Variable { name, default: Some(default), secret: false }
}

const fn secret(name: &'static str) -> Variable {
    Variable { name, default: None, secret: true }
}

/// Every variable that is read, in the order in which `env` lists them.
pub const VARIABLES: &[Variable] = &[
    plain("NODE_ENV"),
    secret("POSTGRES_URL"),
    plain("POSTGRES_URL_FILE"),
    secret("POSTGRES_DIRECT_URL"),
    plain("POSTGRES_DIRECT_URL_FILE"),
    // Somebody else's URL: only whether it is set matters here.
    secret("INTERNAL_API_URL"),
    plain("POSTGRES_CA_FILE"),
    with_default("POSTGRES_PLAINTEXT_IN_PRODUCTION", "no"),
    plain("MIGRATIONS_DIR"),
    with_default("MIGRATE_WAIT", "60s"),
    with_default("MIGRATE_LOCK_WAIT", "10m"),
    with_default("MIGRATE_LOCK_TIMEOUT", "2s"),
    with_default("MIGRATE_LOCK_RETRIES", "10"),
    with_default("MIGRATE_STATEMENT_TIMEOUT", "none"),
    with_default("MIGRATE_AHEAD", "allow"),
    plain("MIGRATE_ROLE"),
    plain("MIGRATE_TARGET"),
    plain("WAIT_TIMEOUT"),
    with_default("STATUS_JSON", "no"),
    with_default("MIGRATE_CREATE_DATABASE", "no"),
    with_default("LOG_FORMAT", "text"),
    with_default("RUST_LOG", "info"),
];

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

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// `NODE_ENV`.
    pub node_env: NodeEnv,
    /// The database to migrate: `POSTGRES_DIRECT_URL` where set, else `POSTGRES_URL`.
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
    /// `WAIT_TIMEOUT`: how long `wait` blocks; that of `MIGRATE_LOCK_WAIT` where it is not set.
    pub wait_timeout: Duration,
    /// `STATUS_JSON`.
    pub status_json: bool,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `RUST_LOG`.
    pub log_filter: tracing_subscriber::filter::Targets,
}

/// A setting as it came in: its text and the place it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The text.
    pub value: String,
    /// The layer's name, or `default`.
    pub origin: String,
}

/// The variables of all layers and the defaults, the most important of each name.
pub struct Settings {
    layered: config::Map<String, config::Value>,
    /// Layer names, most important first.
    rank: Vec<String>,
}

const DEFAULT_ORIGIN: &str = "default";

impl Settings {
    /// Lays `layers`, most important first, over the defaults.
    ///
    /// # Panics
    ///
    /// Never: the crate `config` is given nothing but texts under plain names.
    #[must_use]
    pub fn from_layers(layers: &[Layer]) -> Self {
        let defaults = VARIABLES.iter().filter_map(|variable| Some((variable.name, variable.default?)));
        let mut builder = config::Config::builder().add_source(Layer::new(DEFAULT_ORIGIN, defaults));
        for layer in layers.iter().rev() {
            builder = builder.add_source(layer.clone());
        }
        let layered = builder.build().and_then(|layered| layered.collect()).expect("texts under plain names can always be layered");
        Self { layered, rank: layers.iter().map(|layer| layer.origin.clone()).collect() }
    }

    /// The setting of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Setting> {
        let value = self.layered.get(name)?;
        let origin = value.origin().unwrap_or(DEFAULT_ORIGIN).to_owned();
        Some(Setting { value: value.clone().into_string().ok()?, origin })
    }

    /// `LOG_FORMAT`, for errors that come before the configuration is known to be good.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        self.get("LOG_FORMAT").and_then(|setting| LogFormat::parse(&setting.value)).unwrap_or_default()
    }

    /// Whether `one` was set in a more important place than `other`.
    fn outranks(&self, one: &Setting, other: &Setting) -> bool {
        let rank = |setting: &Setting| self.rank.iter().position(|origin| *origin == setting.origin);
        rank(one) < rank(other)
    }
}

/// Collects problems while settings are read one by one.
struct Reader<'a> {
    settings: &'a Settings,
    read_file: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    problems: Vec<Problem>,
}

impl Config {
    /// Reads the settings of a run.
    ///
    /// # Errors
    ///
    /// Every problem with every variable.
    pub fn load(
        settings: &Settings,
        read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { settings, read_file, problems: Vec::new() };
        let node_env = reader.node_env();
        let url = reader.url();
        let production = node_env == Some(NodeEnv::Production);
        let plaintext = reader.yes_or_no("POSTGRES_PLAINTEXT_IN_PRODUCTION");
        let (tls_policy, tls_material) = reader.tls(url.as_ref(), production, plaintext);
        let wait = reader.duration("MIGRATE_WAIT");
        let lock_wait = reader.duration("MIGRATE_LOCK_WAIT");
        let lock_timeout = reader.server_duration("MIGRATE_LOCK_TIMEOUT");
        let lock_retries = reader.parse("MIGRATE_LOCK_RETRIES", "is not a whole number of tries, 1 or more", |text| {
            text.parse().ok().filter(|tries| *tries > 0)
        });
        let statement_timeout = reader.server_duration("MIGRATE_STATEMENT_TIMEOUT");
        let ahead = reader.parse("MIGRATE_AHEAD", "is not allow or refuse", |text| match text {
            "allow" => Some(Ahead::Allow),
            "refuse" => Some(Ahead::Refuse),
            _ => None,
        });
        let role = reader.text("MIGRATE_ROLE");
        let migrations_dir = reader.text("MIGRATIONS_DIR").map(PathBuf::from);
        let target = reader.parse("MIGRATE_TARGET", "is not the version of a migration, such as 1", |text| {
            text.trim_start_matches('V').parse().ok()
        });
        let create_database = reader.yes_or_no("MIGRATE_CREATE_DATABASE");
        let wait_timeout = if settings.get("WAIT_TIMEOUT").is_some() { reader.duration("WAIT_TIMEOUT") } else { lock_wait };
        let status_json = reader.yes_or_no("STATUS_JSON");
        let log_format = reader.parse("LOG_FORMAT", "is not text or json", LogFormat::parse);
        let log_filter = reader.parse("RUST_LOG", "is not a level (error, warn, info, debug, trace, off) or a list of target=level", |text| text.parse().ok());
        match (node_env, url, lock_retries, ahead, log_format, log_filter) {
            (Some(node_env), Some((url_variable, url)), Some(lock_retries), Some(ahead), Some(log_format), Some(log_filter))
                if reader.problems.is_empty() =>
            {
                Ok(Self {
                    node_env,
                    url,
                    url_variable,
                    tls_policy,
                    tls_material,
                    wait,
                    lock_wait,
                    lock_timeout,
                    lock_retries,
                    statement_timeout,
                    ahead,
                    role,
                    migrations_dir,
                    target,
                    create_database,
                    wait_timeout,
                    status_json,
                    log_format,
                    log_filter,
                })
            }
            _ => Err(reader.problems),
        }
    }
}

impl Config {
    /// Logs what the operator should know about the settings, once.
    pub fn tell(&self) {
        for name in &self.url.parameters.ignored {
            tracing::debug!("the parameter {name} of {} means nothing to a migrator", self.url_variable);
        }
        if self.node_env == NodeEnv::Production && self.tls_policy == TlsPolicy::Plaintext {
            tracing::warn!("connections are not encrypted (POSTGRES_PLAINTEXT_IN_PRODUCTION=yes)");
        }
        if self.node_env == NodeEnv::Production && self.tls_policy == TlsPolicy::Required(Verification::Chain) {
            tracing::warn!("the server's host name is not verified (sslmode=verify-ca with a CA of your own)");
        }
        if let (Some(sign), "POSTGRES_URL") = (self.url.transaction_pooler_sign(), self.url_variable) {
            tracing::warn!("POSTGRES_URL looks like a transaction pooler ({sign}); set POSTGRES_DIRECT_URL to the database itself for migrations");
        }
    }
}

impl Reader<'_> {
    fn problem(&mut self, variable: impl Into<String>, message: impl Into<String>, hint: Option<&str>) {
        self.problems.push(Problem { variable: variable.into(), message: message.into(), hint: hint.map(str::to_owned) });
    }

    fn text(&self, name: &str) -> Option<String> {
        self.settings.get(name).map(|setting| setting.value)
    }

    fn parse<T>(&mut self, name: &str, complaint: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let setting = self.settings.get(name)?;
        let parsed = parse(&setting.value);
        if parsed.is_none() {
            self.problem(named(name, &setting), complaint, None);
        }
        parsed
    }

    fn yes_or_no(&mut self, name: &str) -> bool {
        let answer = self.parse(name, "is not yes or no", |text| match text {
            "yes" | "true" | "1" => Some(true),
            "no" | "false" | "0" => Some(false),
            _ => None,
        });
        answer.unwrap_or_default()
    }

    fn duration(&mut self, name: &str) -> Duration {
        let parsed = self.parse(name, "is not a duration such as 250ms, 30s or 10m", |text| {
            if text == "0" { Some(Duration::ZERO) } else { humantime::parse_duration(text).ok() }
        });
        parsed.unwrap_or_default()
    }

    /// A timeout of the server's: milliseconds in a 32-bit number, of which 0 means none.
    fn server_duration(&mut self, name: &str) -> Duration {
        if self.settings.get(name).is_some_and(|setting| setting.value == "none") {
            return Duration::ZERO;
        }
        let duration = self.duration(name);
        if i32::try_from(duration.as_millis()).is_err() {
            self.problem(name, "is longer than the 24 days that PostgreSQL can count", None);
        }
        duration
    }

    fn node_env(&mut self) -> Option<NodeEnv> {
        const ALLOWED: &str = "is not local, development, test, staging or production";
        if self.settings.get("NODE_ENV").is_none() {
            self.problem("NODE_ENV", "is not set", Some("set NODE_ENV to local, development, test, staging or production"));
        }
        self.parse("NODE_ENV", ALLOWED, NodeEnv::parse)
    }

    /// The URL to use, and the variable it came from.
    fn url(&mut self) -> Option<(&'static str, PostgresUrl)> {
        let direct = self.one_url("POSTGRES_DIRECT_URL", "POSTGRES_DIRECT_URL_FILE");
        let problems_before = self.problems.len();
        let pooled = self.one_url("POSTGRES_URL", "POSTGRES_URL_FILE");
        let nothing_was_set = direct.is_none() && pooled.is_none() && self.problems.len() == problems_before;
        if nothing_was_set && self.settings.get("POSTGRES_DIRECT_URL").is_none() && self.settings.get("POSTGRES_DIRECT_URL_FILE").is_none() {
            self.problem(
                "POSTGRES_URL",
                "is not set",
                Some("set POSTGRES_URL to postgres://user:password@host:5432/database, or POSTGRES_URL_FILE to a file that holds it"),
            );
        }
        let mut url = direct.or(pooled)?;
        if self.settings.get("INTERNAL_API_URL").is_some() {
            url.1.rewrite_localhost();
        }
        Some(url)
    }

    fn one_url(&mut self, name: &'static str, file_name: &'static str) -> Option<(&'static str, PostgresUrl)> {
        let (variable, text) = match (self.settings.get(name), self.settings.get(file_name)) {
            (None, None) => return None,
            (Some(value), Some(file)) if value.origin == file.origin => {
                self.problem(named(name, &value), format!("and {file_name} are both set"), Some("keep one of the two"));
                return None;
            }
            (Some(value), file) if file.as_ref().is_none_or(|file| self.settings.outranks(&value, file)) => {
                (named(name, &value), value.value)
            }
            (_, Some(file)) => {
                let variable = named(file_name, &file);
                let bytes = self.file(&variable, Path::new(&file.value))?;
                let Ok(text) = String::from_utf8(bytes) else {
                    self.problem(variable, "names a file that is not UTF-8", None);
                    return None;
                };
                (variable, text.trim().to_owned())
            }
            (Some(_), None) => unreachable!("a value alone outranks a file that is not set"),
        };
        match text.parse::<PostgresUrl>() {
            Ok(url) => Some((name, url)),
            Err(error) => {
                self.problem(variable, error.to_string(), error.hint());
                None
            }
        }
    }

    fn file(&mut self, variable: &str, path: &Path) -> Option<Vec<u8>> {
        match (self.read_file)(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.problem(variable, format!("names a file that cannot be read: {}: {error}", path.display()), None);
                None
            }
        }
    }

    fn tls(&mut self, url: Option<&(&'static str, PostgresUrl)>, production: bool, plaintext: bool) -> (TlsPolicy, TlsMaterial) {
        let mut material = TlsMaterial::default();
        let ca_variable = self.settings.get("POSTGRES_CA_FILE");
        let fallback = || (TlsPolicy::Plaintext, TlsMaterial::default());
        let Some((variable, url)) = url else {
            if let Some(setting) = ca_variable {
                self.trust_only(&mut material, &named("POSTGRES_CA_FILE", &setting), Path::new(&setting.value));
            }
            return fallback();
        };
        let parameters = &url.parameters;
        let mut mode = parameters.ssl_mode;
        let own_ca = match (&ca_variable, &parameters.ssl_root_cert) {
            (Some(setting), _) => {
                self.trust_only(&mut material, &named("POSTGRES_CA_FILE", setting), Path::new(&setting.value));
                true
            }
            (None, Some(RootCertificate::File(path))) => {
                self.trust_only(&mut material, &format!("{variable}, parameter sslrootcert,"), path);
                true
            }
            (None, Some(RootCertificate::System)) => {
                // As libpq: anybody can get a certificate from a public authority, so only the name tells.
                if *mode.get_or_insert(SslMode::VerifyFull) != SslMode::VerifyFull && !production {
                    self.problem(*variable, "has sslrootcert=system with a weaker sslmode than verify-full", Some("use sslmode=verify-full"));
                }
                false
            }
            (None, None) => false,
        };
        match (&parameters.ssl_cert, &parameters.ssl_key) {
            (None, None) => {}
            (Some(certificate), Some(key)) => {
                let label = format!("{variable}, parameters sslcert and sslkey,");
                if let (Some(certificate), Some(key)) = (self.file(&label, certificate), self.file(&label, key))
                    && let Err(complaint) = material.present(&certificate, &key)
                {
                    self.problem(label, format!("name a file that {complaint}"), None);
                }
            }
            _ => self.problem(*variable, "has one of sslcert and sslkey without the other", None),
        }
        let only_sockets = url.hosts.iter().all(|host| matches!(host.address, Address::Unix(_)));
        let Ok(policy) = TlsPolicy::decide(production, mode, own_ca, plaintext || only_sockets) else {
            self.problem(
                *variable,
                "has sslmode=disable, which is refused with NODE_ENV=production",
                Some("remove sslmode=disable, or set POSTGRES_PLAINTEXT_IN_PRODUCTION=yes if the network to the database is private"),
            );
            return fallback();
        };
        let required = matches!(policy, TlsPolicy::Required(_));
        if parameters.ssl_negotiation == Some(SslNegotiation::Direct) && !required {
            self.problem(*variable, "has sslnegotiation=direct with an sslmode that allows plaintext", Some("add sslmode=require or stronger"));
        }
        if parameters.channel_binding == Some(ChannelBinding::Require) && policy == TlsPolicy::Plaintext {
            self.problem(*variable, "has channel_binding=require without TLS", Some("add sslmode=require or stronger"));
        }
        (policy, material)
    }

    fn trust_only(&mut self, material: &mut TlsMaterial, variable: &str, path: &Path) {
        if let Some(pem) = self.file(variable, path)
            && let Err(complaint) = material.trust_only(&pem)
        {
            self.problem(variable, format!("names a file that {complaint}: {}", path.display()), Some("it has to be the PEM file of the CA that signed the server's certificate"));
        }
    }
}

/// A variable as messages name it: with its place, where that is not the environment itself.
fn named(name: &str, setting: &Setting) -> String {
    if setting.origin == ENVIRONMENT { name.to_owned() } else { format!("{name} (from {})", setting.origin) }
}
