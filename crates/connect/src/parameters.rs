//! The parameters of a database URL.
//!
//! There are four kinds: parameters that are applied; parameters of libpq, ORMs and pools that have no effect here, which
//! are ignored and logged at debug level; those that demand a protection which this program lacks; and unknown ones. The
//! last two are errors: a misspelt `sslmode` must not connect without TLS.

use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, TargetSessionAttrs};
use zerostarter_settings::Secret;

use crate::authentication::AuthMethods;
use crate::demands::demands_nothing;
use crate::host::parse_port;
use crate::tls_parameters::TlsParameters;
use crate::url_error::{UrlError, invalid};

/// The parameters of a URL that have an effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Those of TLS.
    pub tls: TlsParameters,
    /// `require_auth=`: the authentication methods that the server may ask for.
    pub require_auth: Option<AuthMethods>,
    /// `channel_binding=`.
    pub channel_binding: Option<ChannelBinding>,
    /// `options=`: command-line options of the server process, such as `-c search_path=app`.
    pub options: Option<String>,
    /// `application_name=`, or else `fallback_application_name=`.
    pub application_name: Option<String>,
    /// `connect_timeout=` in seconds.
    pub connect_timeout: Option<Duration>,
    /// `target_session_attrs=`.
    pub target_session_attrs: Option<TargetSessionAttrs>,
    /// `load_balance_hosts=random`.
    pub load_balance_hosts: Option<LoadBalanceHosts>,
    /// `keepalives=0` turns TCP keepalives off.
    pub keepalives: Option<bool>,
    /// `keepalives_idle=` in seconds.
    pub keepalives_idle: Option<Duration>,
    /// `keepalives_interval=` in seconds.
    pub keepalives_interval: Option<Duration>,
    /// `keepalives_count=`.
    pub keepalives_count: Option<u32>,
    /// `tcp_user_timeout=` in milliseconds, as in libpq.
    pub tcp_user_timeout: Option<Duration>,
    /// `schema=` (Prisma) or `currentSchema=` (JDBC): the schema of the tables and of the history table.
    pub schema: Option<String>,
    /// `pgbouncer=true` (Prisma, Supabase): the connection uses transaction pooling.
    pub pgbouncer: bool,
    /// `prepare=false` (postgres.js): no prepared statements on the server, because a pooler would lose them.
    pub no_prepare: bool,
    /// Parameters that have no effect here.
    pub ignored: Vec<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) hostaddrs: Vec<IpAddr>,
    pub(crate) ports: Vec<u16>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) database: Option<String>,
}

/// Parameters of libpq, ORMs and pools that have no effect here.
const IGNORED: &[&str] = &[
    // libpq
    "client_encoding",
    "gssdelegation",
    "gsslib",
    "krbsrvname",
    "max_protocol_version",
    "passfile",
    "sslcompression",
    // Prisma
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
    // node-postgres, postgres.js, Drizzle, Bun
    "connectiontimeoutmillis",
    "idle_timeout",
    "idletimeoutmillis",
    "keepalive",
    "max",
    "max_lifetime",
    "min",
    "query_timeout",
    "uselibpqcompat",
    // sqlx, JDBC, Npgsql, pgx, SQLAlchemy, Django, ActiveRecord
    "binary_parameters",
    "conn_max_age",
    "conn_max_lifetime",
    "default_query_exec_mode",
    "description_cache_capacity",
    "logintimeout",
    "max_overflow",
    "maximum pool size",
    "minimum pool size",
    "pool",
    "pool_max_conn_lifetime",
    "pool_max_conns",
    "pool_min_conns",
    "pool_mode",
    "pool_size",
    "pooling",
    "prefer_simple_protocol",
    "preferquerymode",
    "prepared_statements",
    "preparethreshold",
    "rewritebatchedinserts",
    "sockettimeout",
    "statement_cache_capacity",
    "statement_cache_mode",
    "stringtype",
    "tcpkeepalive",
    // Supabase, Vercel
    "supa",
    "workaround",
];

impl Parameters {
    /// Sets one parameter.
    ///
    /// # Errors
    ///
    /// An unknown name, or a value that the parameter does not have. The value is not repeated.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        let invalid = |allowed: &str| invalid(name, allowed);
        match name {
            "require_auth" if value.is_empty() => self.require_auth = None,
            "require_auth" => {
                let methods = AuthMethods::parse(value).filter(|methods| methods.is_possible());
                self.require_auth = Some(methods.ok_or_else(|| {
                    invalid(
                        "a list of password, md5, scram-sha-256 and none, or of exclusions such as !password",
                    )
                })?);
            }
            "channel_binding" => {
                self.channel_binding = Some(match value {
                    "disable" => ChannelBinding::Disable,
                    "prefer" => ChannelBinding::Prefer,
                    "require" => ChannelBinding::Require,
                    _ => return Err(invalid("disable, prefer or require")),
                });
            }
            "options" => self.options = Some(value.to_owned()),
            "application_name" => self.application_name = Some(value.to_owned()),
            "fallback_application_name" => {
                self.application_name.get_or_insert_with(|| value.to_owned());
            }
            "target_session_attrs" => {
                self.target_session_attrs = Some(match value {
                    "any" | "prefer-standby" => TargetSessionAttrs::Any,
                    "read-write" | "primary" => TargetSessionAttrs::ReadWrite,
                    "read-only" | "standby" => TargetSessionAttrs::ReadOnly,
                    _ => {
                        return Err(invalid(
                            "any, read-write, read-only, primary, standby or prefer-standby",
                        ));
                    }
                });
            }
            "load_balance_hosts" => {
                self.load_balance_hosts = Some(match value {
                    "disable" => LoadBalanceHosts::Disable,
                    "random" => LoadBalanceHosts::Random,
                    _ => return Err(invalid("disable or random")),
                });
            }
            "schema" | "currentSchema" => {
                if value.is_empty() || value.contains([',', '"', '\0']) {
                    return Err(invalid("the name of one schema"));
                }
                self.schema = Some(value.to_owned());
            }
            "pgbouncer" => self.pgbouncer = matches!(value, "true" | "1" | "yes"),
            "prepare" => self.no_prepare = matches!(value, "false" | "0"),
            "host" => self.hosts = list(value),
            "hostaddr" => {
                self.hostaddrs = list(value)
                    .iter()
                    .map(|text| text.parse().map_err(|_| invalid("an IP address")))
                    .collect::<Result<_, _>>()?;
            }
            "port" => {
                self.ports = list(value)
                    .iter()
                    .map(|text| parse_port(text))
                    .collect::<Result<_, _>>()?;
            }
            "user" => self.user = (!value.is_empty()).then(|| value.to_owned()),
            "password" => self.password = (!value.is_empty()).then(|| Secret::new(value)),
            "dbname" => self.database = (!value.is_empty()).then(|| value.to_owned()),
            "connect_timeout"
            | "keepalives"
            | "keepalives_idle"
            | "keepalives_interval"
            | "keepalives_count"
            | "keepalives_retries"
            | "tcp_user_timeout" => self.set_timing(name, value)?,
            _ if self.tls.set(name, value)? => {}
            _ if demands_nothing(name, value)? || IGNORED.contains(&name.to_ascii_lowercase().as_str()) => {
                self.ignored.push(name.to_owned());
            }
            _ => return Err(unknown(name, self.password.is_some())),
        }
        Ok(())
    }

    /// Whole numbers, of which 0 stands for "as the system does it".
    fn set_timing(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        let number = value.parse::<u32>().map_err(|_| {
            UrlError::new(format!(
                "has a value in its parameter {name} that is not a whole number"
            ))
        })?;
        let limit = match name {
            "keepalives_idle" | "keepalives_interval" => 32_767,
            "keepalives_count" | "keepalives_retries" => 127,
            "tcp_user_timeout" => i32::MAX.unsigned_abs(),
            _ => u32::MAX,
        };
        if number > limit {
            return Err(UrlError::new(format!(
                "has a value in its parameter {name} that is above {limit}, which is all that a socket takes"
            )));
        }
        let positive = Some(number).filter(|number| *number > 0);
        let seconds = positive.map(|number| Duration::from_secs(number.into()));
        let milliseconds = positive.map(|number| Duration::from_millis(number.into()));
        match name {
            "connect_timeout" => self.connect_timeout = seconds,
            "keepalives" => self.keepalives = Some(number != 0),
            "keepalives_idle" => self.keepalives_idle = seconds,
            "keepalives_interval" => self.keepalives_interval = seconds,
            "tcp_user_timeout" => self.tcp_user_timeout = milliseconds,
            _ => self.keepalives_count = positive,
        }
        Ok(())
    }
}

fn list(value: &str) -> Vec<String> {
    if value.is_empty() {
        Vec::new()
    } else {
        value.split(',').map(str::to_owned).collect()
    }
}

/// The error for an unknown parameter. It names the parameter only if the name cannot be a part of a secret: lower case
/// letters and underscores, like every known parameter, and not after a `password=` that an unescaped `&` may have ended.
fn unknown(name: &str, follows_password: bool) -> UrlError {
    const HINT: &str = "remove it, or correct its spelling; https://www.postgresql.org/docs/current/libpq-connect.html lists the common ones";
    let is_word =
        !name.is_empty() && name.len() <= 40 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if follows_password {
        UrlError::with_hint(
            "has an unknown parameter after its parameter password",
            "in a password, write & as %26; otherwise remove the parameter, or correct its spelling",
        )
    } else if is_word {
        UrlError::with_hint(format!("has an unknown parameter {name}"), HINT)
    } else {
        UrlError::with_hint(
            "has an unknown parameter whose name is not only a to z and _",
            HINT,
        )
    }
}
