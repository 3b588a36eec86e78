//! The settings of connections: `NODE_ENV`, the URL, TLS.

use zerostarter_settings::{Reader, Secret, Variable};

use crate::tls::{TlsMaterial, TlsPolicy, Verification};
use crate::tls_config;
use crate::url::PostgresUrl;

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

/// A pair of variables that hold the URL: one its text, the other the path of a file with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlVariable {
    name: &'static str,
    file_name: &'static str,
}

/// `POSTGRES_URL` and `POSTGRES_URL_FILE`.
pub const POSTGRES_URL: UrlVariable = UrlVariable {
    name: "POSTGRES_URL",
    file_name: "POSTGRES_URL_FILE",
};

/// `POSTGRES_DIRECT_URL` and `POSTGRES_DIRECT_URL_FILE`.
pub const POSTGRES_DIRECT_URL: UrlVariable = UrlVariable {
    name: "POSTGRES_DIRECT_URL",
    file_name: "POSTGRES_DIRECT_URL_FILE",
};

/// How to reach a database.
#[derive(Clone, Debug)]
pub struct Config {
    /// `NODE_ENV`.
    pub node_env: NodeEnv,
    /// The database.
    pub url: PostgresUrl,
    /// The variable that the URL came from.
    pub url_variable: &'static str,
    /// How connections are protected.
    pub tls_policy: TlsPolicy,
    /// The certificates that are trusted and shown.
    pub tls_material: TlsMaterial,
}

impl Config {
    /// Reads the settings. The first of `url_variables` that is set decides; every one that is set must be valid.
    ///
    /// `None` after a problem, which `reader` has noted.
    pub fn load(reader: &mut Reader<'_>, url_variables: &[UrlVariable]) -> Option<Self> {
        let node_env = read_node_env(reader);
        let url = read_url(reader, url_variables);
        let production = node_env == Some(NodeEnv::Production);
        if let Some((variable, url)) = url.as_ref().filter(|_| production) {
            refuse_local_password(reader, variable, url);
        }
        let plaintext = reader.yes_or_no("POSTGRES_PLAINTEXT_IN_PRODUCTION");
        let tls = tls_config::load(reader, url.as_ref(), production, plaintext);
        let (url_variable, url) = url?;
        let (tls_policy, tls_material) = tls?;
        Some(Self {
            node_env: node_env?,
            url,
            url_variable,
            tls_policy,
            tls_material,
        })
    }

    /// Logs the parameters of the URL that have no effect on migrations.
    pub fn log_ignored(&self) {
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

/// The URL to use, and the variable it came from.
fn read_url(reader: &mut Reader<'_>, url_variables: &[UrlVariable]) -> Option<(&'static str, PostgresUrl)> {
    let found: Vec<_> = url_variables
        .iter()
        .filter_map(|variable| read_one_url(reader, *variable))
        .collect();
    let is_set = |variable: &UrlVariable| {
        reader.setting(variable.name).is_some() || reader.setting(variable.file_name).is_some()
    };
    if !url_variables.iter().any(is_set) {
        reader.problem(
            "POSTGRES_URL",
            "is not set",
            Some("set POSTGRES_URL to postgres://user:password@host:5432/database, or POSTGRES_URL_FILE to a file that holds it"),
        );
    }
    let (name, mut url) = found.into_iter().next()?;
    if reader.setting("INTERNAL_API_URL").is_some() {
        url.rewrite_localhost();
    }
    Some((name, url))
}

fn read_one_url(
    reader: &mut Reader<'_>,
    UrlVariable { name, file_name }: UrlVariable,
) -> Option<(&'static str, PostgresUrl)> {
    let (variable, text) = match (reader.setting(name), reader.setting(file_name)) {
        (None, None) => return None,
        (Some(value), Some(file)) if value.origin == file.origin => {
            reader.problem(
                value.label(name),
                format!("and {file_name} are both set"),
                Some("keep one of the two"),
            );
            return None;
        }
        (Some(value), file) if file.as_ref().is_none_or(|file| reader.outranks(&value, file)) => {
            (value.label(name), value.value)
        }
        (_, Some(file)) => {
            let variable = file.label(file_name);
            let path = reader.path(file_name)?;
            let bytes = reader.file(&variable, &path)?;
            let Ok(text) = String::from_utf8(bytes) else {
                reader.problem(variable, "names a file that is not UTF-8", None);
                return None;
            };
            (variable, text.trim().to_owned())
        }
        (Some(_), None) => unreachable!("a value alone outranks a file that is not set"),
    };
    match text.parse::<PostgresUrl>() {
        Ok(url) => Some((name, url)),
        Err(error) => {
            reader.problem(variable, error.to_string(), error.hint());
            None
        }
    }
}

/// The default password of compose.yaml is public.
fn refuse_local_password(reader: &mut Reader<'_>, variable: &str, url: &PostgresUrl) {
    if url.password.as_ref().map(Secret::expose) == Some(LOCAL_PASSWORD) {
        reader.problem(
            variable,
            "has the default password of compose.yaml, which is public, and this is production",
            Some("set POSTGRES_PASSWORD to another password"),
        );
    }
}
