//! The settings of connections: `NODE_ENV`, the URL, TLS.

use zerostarter_settings::{Reader, Secret, Variable};

use crate::tls::{TlsPolicy, Verification};
use crate::tls_config;
use crate::tls_material::TlsMaterial;
use crate::url::PostgresUrl;
pub use crate::url_variable::{DATABASE_URL, POSTGRES_DIRECT_URL, POSTGRES_URL, UrlVariable};
use crate::url_variable::{FoundUrl, read_url};

/// The environment and the URL.
const URL_VARIABLES: &[Variable] = &[
    Variable::new("NODE_ENV", "local, development, test, staging or production").flag("node-env", "NAME"),
    Variable::new(
        "POSTGRES_URL",
        "The database: postgres://user:password@host:5432/database",
    )
    .secret(),
    Variable::new(
        "POSTGRES_URL_FILE",
        "File that holds the database's URL, in place of POSTGRES_URL",
    )
    .flag("url-file", "PATH"),
];

/// The variables of a direct connection, which bypasses a connection pooler.
const DIRECT_URL_VARIABLES: &[Variable] = &[
    Variable::new(
        "POSTGRES_DIRECT_URL",
        "URL of a direct connection that bypasses a connection pooler, for migrations",
    )
    .secret(),
    Variable::new(
        "POSTGRES_DIRECT_URL_FILE",
        "File that holds the URL of a direct connection, in place of POSTGRES_DIRECT_URL",
    )
    .flag("direct-url-file", "PATH"),
    Variable::new(
        "DATABASE_URL",
        "The database's URL, if no other variable of this program holds it",
    )
    .secret(),
    Variable::new(
        "DATABASE_URL_FILE",
        "File that holds the database's URL, in place of DATABASE_URL",
    ),
];

/// What else concerns connections.
const CONNECTION_VARIABLES: &[Variable] = &[
    // A URL of another service: this program only looks whether it is set.
    Variable::new(
        "INTERNAL_API_URL",
        "If set, the host localhost in the URL becomes host.docker.internal",
    )
    .secret(),
    Variable::new(
        "POSTGRES_CA_FILE",
        "PEM file of the CA to trust in place of Mozilla's list",
    )
    .flag("ca-file", "PATH"),
    Variable::new(
        "POSTGRES_PLAINTEXT_IN_PRODUCTION",
        "yes allows sslmode=disable in production, for a private network",
    )
    .default("no"),
];

/// The variables of connections.
pub fn variables() -> impl Iterator<Item = &'static Variable> {
    URL_VARIABLES.iter().chain(CONNECTION_VARIABLES)
}

/// The same for a program that prefers a direct connection.
pub fn variables_with_direct_url() -> impl Iterator<Item = &'static Variable> {
    let urls = URL_VARIABLES.iter().chain(DIRECT_URL_VARIABLES);
    urls.chain(CONNECTION_VARIABLES)
}

/// The password in compose.yaml if nobody has chosen another one.
const LOCAL_PASSWORD: &str = "local-development-only";

/// `NODE_ENV`: the environment that the app runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeEnv {
    /// A developer's machine.
    Local,
    /// A shared development environment.
    Development,
    /// Automated tests.
    Test,
    /// The last environment before production.
    Staging,
    /// Production: the server's certificate is verified in full.
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

/// How to reach a database.
#[derive(Clone, Debug)]
pub struct Config {
    /// `NODE_ENV`.
    pub node_env: NodeEnv,
    /// The database.
    pub url: PostgresUrl,
    /// The variable that the URL came from: `POSTGRES_URL` or `POSTGRES_DIRECT_URL`, also for their file forms.
    pub url_variable: &'static str,
    /// The variable that was set, and its place: `POSTGRES_URL_FILE, environment`.
    pub url_source: String,
    /// Variables of a URL that are not used, because a more important place has another one.
    pub overruled: Vec<String>,
    /// Lines of `.env` files that could not be read and are ignored.
    pub unreadable_lines: Vec<String>,
    /// How connections are protected.
    pub tls_policy: TlsPolicy,
    /// The certificates that are trusted and shown.
    pub tls_material: TlsMaterial,
}

impl Config {
    /// Reads the settings. The most important place that has any of `url_variables` decides, and there the first of them.
    ///
    /// `None` after a problem, which `reader` has noted.
    pub fn load(reader: &mut Reader<'_>, url_variables: &[UrlVariable]) -> Option<Self> {
        let node_env = read_node_env(reader);
        let mut found = read_url(reader, url_variables);
        if let Some(found) = found
            .as_mut()
            .filter(|_| reader.setting("INTERNAL_API_URL").is_some())
        {
            found.url.rewrite_localhost();
        }
        let production = node_env == Some(NodeEnv::Production);
        if let Some(found) = found.as_ref().filter(|_| production) {
            refuse_local_password(reader, found);
        }
        if let Some(found) = found.as_ref().filter(|found| found.url.user.is_none()) {
            refuse_nameless_user(reader, found);
        }
        let plaintext = reader.yes_or_no("POSTGRES_PLAINTEXT_IN_PRODUCTION");
        let tls = tls_config::load(reader, found.as_ref(), production, plaintext);
        let found = found?;
        let (tls_policy, tls_material) = tls?;
        Some(Self {
            node_env: node_env?,
            url_variable: found.variable,
            url_source: found.source(),
            overruled: found.overruled,
            unreadable_lines: reader.warnings(),
            url: found.url,
            tls_policy,
            tls_material,
        })
    }

    /// Logs which lines of `.env` files are ignored, where the URL comes from, which variables it overrules, and
    /// which of its parameters have no effect.
    pub fn log_url(&self) {
        for line in &self.unreadable_lines {
            tracing::warn!("{line}");
        }
        let source = &self.url_source;
        tracing::debug!("the database's URL comes from {source}");
        for variable in &self.overruled {
            tracing::info!("{variable} is not used: the URL comes from {source}");
        }
        for name in &self.url.parameters.ignored {
            tracing::debug!("the parameter {name} of {} has no effect", self.url_variable);
        }
    }

    /// Logs a protection in production that is weaker than the default.
    pub fn log_protection(&self) {
        if self.node_env != NodeEnv::Production {
            return;
        }
        if self.tls_policy == TlsPolicy::Plaintext {
            tracing::warn!("connections are not encrypted (POSTGRES_PLAINTEXT_IN_PRODUCTION=yes)");
        }
        if self.tls_policy == TlsPolicy::Required(Verification::Chain) {
            tracing::warn!("the server's host name is not verified (sslmode=verify-ca with your own CA)");
        }
    }
}

fn read_node_env(reader: &mut Reader<'_>) -> Option<NodeEnv> {
    const ALLOWED: &str = "is not local, development, test, staging or production";
    if reader.setting("NODE_ENV").is_none() {
        reader.problem(
            "NODE_ENV",
            "is not set",
            Some("set NODE_ENV to local, development, test, staging or production"),
        );
    }
    reader.parse("NODE_ENV", ALLOWED, NodeEnv::parse)
}

/// The default password of compose.yaml is public.
fn refuse_local_password(reader: &mut Reader<'_>, found: &FoundUrl) {
    if found.url.password.as_ref().map(Secret::expose) == Some(LOCAL_PASSWORD) {
        reader.problem(
            found.variable,
            "has the default password of compose.yaml, which is public, and this is production",
            Some("set POSTGRES_PASSWORD to another password"),
        );
    }
}

/// Without a user in the URL it is that of the process. A container may run with a number that has no name.
fn refuse_nameless_user(reader: &mut Reader<'_>, found: &FoundUrl) {
    if whoami::username().is_err() {
        reader.problem(
            found.label(),
            "names no user, and the user of this process has no name in /etc/passwd",
            Some("put the user into the URL: postgres://USER@host:5432/database"),
        );
    }
}
