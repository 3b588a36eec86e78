//! The variables that are read, and the layers they are read from laid over each other.

use std::fmt;
use std::path::PathBuf;

use config::Source as _;

use crate::log::LogFormat;
use crate::variables::{ENVIRONMENT, Layer};

/// One variable: its name, the flag that overrides it, its default, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The environment variable.
    pub name: &'static str,
    /// What holds where nobody sets it.
    pub default: Option<&'static str>,
    /// Whether its value may hold a password.
    pub secret: bool,
    /// Whether it is of no concern to an application.
    pub is_of_migrations: bool,
}

pub(crate) const fn plain(name: &'static str) -> Variable {
    Variable {
        name,
        default: None,
        secret: false,
        is_of_migrations: false,
    }
}

pub(crate) const fn with_default(name: &'static str, default: &'static str) -> Variable {
    Variable {
        name,
        default: Some(default),
        secret: false,
        is_of_migrations: false,
    }
}

const fn secret(name: &'static str) -> Variable {
    Variable {
        name,
        default: None,
        secret: true,
        is_of_migrations: false,
    }
}

const fn of_migrations(variable: Variable) -> Variable {
    Variable {
        is_of_migrations: true,
        ..variable
    }
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
    of_migrations(plain("MIGRATIONS_DIR")),
    of_migrations(with_default("MIGRATE_WAIT", "60s")),
    of_migrations(with_default("MIGRATE_LOCK_WAIT", "10m")),
    of_migrations(with_default("MIGRATE_LOCK_TIMEOUT", "2s")),
    of_migrations(with_default("MIGRATE_LOCK_BUDGET", "4s")),
    of_migrations(with_default("MIGRATE_LOCK_RETRIES", "10")),
    of_migrations(with_default("MIGRATE_STATEMENT_TIMEOUT", "none")),
    of_migrations(with_default("MIGRATE_AHEAD", "allow")),
    of_migrations(plain("MIGRATE_ROLE")),
    of_migrations(plain("MIGRATE_TARGET")),
    of_migrations(plain("WAIT_TIMEOUT")),
    of_migrations(with_default("STATUS_JSON", "no")),
    of_migrations(with_default("MIGRATE_CREATE_DATABASE", "no")),
    of_migrations(with_default("MIGRATE_ATOMIC", "no")),
    of_migrations(plain("MIGRATE_REPORT")),
    of_migrations(with_default("TERMINATION_LOG", TERMINATION_LOG)),
    with_default("LOG_FORMAT", "text"),
    with_default("RUST_LOG", "info"),
];

/// Where Kubernetes looks for the last words of a container, unless its pod says otherwise.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Where the last words go if the settings cannot be read.
#[must_use]
pub fn default_last_words() -> PathBuf {
    TERMINATION_LOG.into()
}

/// A setting as it came in: its text and the place it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// The text.
    pub value: String,
    /// The layer's name, or `default`.
    pub origin: String,
}

impl fmt::Debug for Setting {
    /// The origin alone: a value may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// The variables of all layers and the defaults, the most important of each name.
pub struct Settings {
    layered: config::Map<String, config::Value>,
    /// Layer names, most important first.
    rank: Vec<String>,
}

const DEFAULT_ORIGIN: &str = "default";

impl Settings {
    /// Lays `layers`, most important first, over the defaults of a run that migrates.
    #[must_use]
    pub fn from_layers(layers: &[Layer]) -> Self {
        Self::with_defaults(layers, VARIABLES)
    }

    /// Lays `layers`, most important first, over the defaults of `variables`.
    ///
    /// # Panics
    ///
    /// Never: the crate `config` is given nothing but texts under plain names.
    #[must_use]
    pub fn with_defaults<'a>(layers: &[Layer], variables: impl IntoIterator<Item = &'a Variable>) -> Self {
        let defaults = variables
            .into_iter()
            .filter_map(|variable| Some((variable.name, variable.default?)));
        let mut builder = config::Config::builder().add_source(Layer::new(DEFAULT_ORIGIN, defaults));
        for layer in layers.iter().rev() {
            builder = builder.add_source(layer.clone());
        }
        let layered = builder
            .build()
            .and_then(|layered| layered.collect())
            .expect("texts under plain names can always be layered");
        Self {
            layered,
            rank: layers.iter().map(|layer| layer.origin.clone()).collect(),
        }
    }

    /// The same for an application: what was set for migrations is as if nobody had set it.
    pub(crate) fn of_application(&self) -> Self {
        let mut layered = self.layered.clone();
        let origin = DEFAULT_ORIGIN.to_owned();
        for variable in VARIABLES.iter().filter(|variable| variable.is_of_migrations) {
            match variable.default {
                Some(text) => {
                    let value = config::Value::new(Some(&origin), text);
                    layered.insert(variable.name.to_owned(), value);
                }
                None => {
                    layered.remove(variable.name);
                }
            }
        }
        Self {
            layered,
            rank: self.rank.clone(),
        }
    }

    /// The setting of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Setting> {
        let value = self.layered.get(name)?;
        let origin = value.origin().unwrap_or(DEFAULT_ORIGIN).to_owned();
        Some(Setting {
            value: value.clone().into_string().ok()?,
            origin,
        })
    }

    /// `LOG_FORMAT`, for errors that come before the configuration is known to be good.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        self.get("LOG_FORMAT")
            .and_then(|setting| LogFormat::parse(&setting.value))
            .unwrap_or_default()
    }

    /// `TERMINATION_LOG`, which matters above all where the rest cannot be used.
    #[must_use]
    pub fn last_words(&self) -> PathBuf {
        self.get("TERMINATION_LOG")
            .map_or_else(default_last_words, |setting| setting.value.into())
    }

    /// Whether `one` was set in a more important place than `other`.
    pub(crate) fn outranks(&self, one: &Setting, other: &Setting) -> bool {
        let rank = |setting: &Setting| self.rank.iter().position(|origin| *origin == setting.origin);
        rank(one) < rank(other)
    }
}

/// A variable as messages name it: with its place, where that is not the environment itself.
pub(crate) fn named(name: &str, setting: &Setting) -> String {
    if setting.origin == ENVIRONMENT {
        name.to_owned()
    } else {
        format!("{name} (from {})", setting.origin)
    }
}
