//! The database's address: reading it, rewriting its host for Docker, and showing it without its secrets.
//!
//! tokio-postgres knows neither `verify-full` nor what libpq and the ORMs write into these URLs, and its
//! own messages may quote them. So the URL is read here, and nothing in this file ever repeats a value.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::url_parameters::Parameters;

/// PostgreSQL's registered port, used where the URL names none.
pub const DEFAULT_PORT: u16 = 5432;

/// The host name under which a container reaches the machine it runs on.
pub const DOCKER_HOST: &str = "host.docker.internal";

/// A value that no formatter shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `value`.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the wire and for the redaction of output.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host name or an IP address, without the brackets of an IPv6 literal.
    Tcp(String),
    /// The directory of a Unix-domain socket.
    Unix(PathBuf),
}

/// One server of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// What is dialled: after the Docker rewrite, not what was written.
    pub address: Address,
    /// What was written. A certificate is verified against this name.
    pub written: String,
    /// `hostaddr=`: dial this address and skip the name's resolution.
    pub hostaddr: Option<IpAddr>,
    /// The port to dial.
    pub port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Address::Tcp(name) => write!(f, "{name}:{}", self.port),
            Address::Unix(directory) => write!(f, "{}:{}", directory.display(), self.port),
        }
    }
}

/// A `postgres://` URL, understood. `Display` and `Debug` show no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresUrl {
    /// The role to log in as; the operating system's user name where there is none.
    pub user: Option<String>,
    /// The password, decoded.
    pub password: Option<Secret>,
    /// One or more servers, tried in this order.
    pub hosts: Vec<Host>,
    /// The database.
    pub database: String,
    /// What followed the question mark.
    pub parameters: Parameters,
}

/// Why a URL cannot be used. Names parts of the URL, never their values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UrlError {
    message: String,
    hint: Option<&'static str>,
}

const ENCODE_HINT: &str =
    "in a user name or password, write @ as %40, / as %2F, ? as %3F, # as %23, % as %25";

const DATABASE_HINT: &str = "end the address with /NAME, as in postgres://user@host:5432/NAME";

impl UrlError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(message: impl Into<String>, hint: &'static str) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint),
        }
    }

    /// What to do about it, where more can be said than the message does.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }
}

impl FromStr for PostgresUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or_else(|| UrlError::new("does not begin with postgres:// or postgresql://"))?;
        if rest.contains('#') {
            return Err(UrlError::with_hint("contains a bare #", ENCODE_HINT));
        }
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before_query.split_once('/').unwrap_or((before_query, ""));
        // A password with a bare / or ? ends the authority early, and pieces of it would be taken for a
        // host, a database or a parameter, whose names are shown. A stray @ betrays that.
        if path.contains('@') || query.contains('@') {
            return Err(UrlError::with_hint(
                "contains a bare @ after the host",
                ENCODE_HINT,
            ));
        }
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let (user, password) = match credentials.map(|text| text.split_once(':').unwrap_or((text, ""))) {
            Some((user, password)) => (
                decode_nonempty(user, "user")?,
                decode_nonempty(password, "password")?,
            ),
            None => (None, None),
        };
        // The same for one that has lost its @ too: what is no host or leads to no database is said first.
        for text in hosts.split(',').filter(|text| !text.is_empty()) {
            split_port(text)?
                .1
                .filter(|port| !port.is_empty())
                .map(parse_port)
                .transpose()?;
        }
        if path.is_empty() && !query.contains("dbname=") {
            return Err(UrlError::with_hint("names no database", DATABASE_HINT));
        }
        let mut parameters = Parameters::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // Without a value it is no parameter, and may be the rest of a password with a bare `?`.
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| UrlError::with_hint("has a parameter without a value", ENCODE_HINT))?;
            parameters.set(&decode(name, "parameter names")?, &decode(value, "parameters")?)?;
        }
        let database = decode_nonempty(path, "database")?
            .or_else(|| parameters.database.take())
            .ok_or_else(|| UrlError::with_hint("names no database", DATABASE_HINT))?;
        if database.contains('/') && !path.contains("%2F") && !path.contains("%2f") {
            return Err(UrlError::with_hint(
                "has more than one / after the host",
                ENCODE_HINT,
            ));
        }
        let hosts = read_hosts(hosts, &mut parameters)?;
        let url = Self {
            user: user.or_else(|| parameters.user.take()),
            password: password.map(Secret::new).or_else(|| parameters.password.take()),
            hosts,
            database,
            parameters,
        };
        for (value, part) in [
            (url.user.as_deref(), "user"),
            (url.password.as_ref().map(Secret::expose), "password"),
            (Some(url.database.as_str()), "database"),
            (url.parameters.options.as_deref(), "parameter options"),
        ] {
            if value.is_some_and(|value| value.contains('\0')) {
                return Err(UrlError::new(format!("has a NUL byte in its {part}")));
            }
        }
        Ok(url)
    }
}

fn decode(text: &str, part: &str) -> Result<String, UrlError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_escape = |byte: Option<u8>| byte.is_some_and(|digit| digit.is_ascii_hexdigit());
        if byte == b'%' && !(is_escape(bytes.next()) && is_escape(bytes.next())) {
            return Err(UrlError::with_hint(
                format!("has a % in its {part} that starts no two-digit code"),
                ENCODE_HINT,
            ));
        }
    }
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| UrlError::new(format!("has percent codes in its {part} that are not UTF-8")))
}

fn decode_nonempty(text: &str, part: &str) -> Result<Option<String>, UrlError> {
    if text.is_empty() {
        Ok(None)
    } else {
        decode(text, part).map(Some)
    }
}

fn read_hosts(authority: &str, parameters: &mut Parameters) -> Result<Vec<Host>, UrlError> {
    let mut hosts = Vec::new();
    let listed: Vec<&str> = if authority.is_empty() {
        Vec::new()
    } else {
        authority.split(',').collect()
    };
    for text in listed {
        let (name, port) = split_port(text)?;
        hosts.push(host(&decode(name, "host")?, port)?);
    }
    if hosts.is_empty() {
        for name in std::mem::take(&mut parameters.hosts) {
            hosts.push(host(&name, None)?);
        }
        for address in parameters.hostaddrs.iter().skip(hosts.len()) {
            hosts.push(host(&address.to_string(), None)?);
        }
    } else if !parameters.hosts.is_empty() {
        return Err(UrlError::new(
            "names a host both before the database and as the parameter host",
        ));
    }
    if hosts.is_empty() {
        return Err(UrlError::with_hint(
            "names no host",
            "write postgres://user@HOST:5432/name",
        ));
    }
    let ports = std::mem::take(&mut parameters.ports);
    if !matches!(ports.len(), 0 | 1) && ports.len() != hosts.len() {
        return Err(UrlError::new("has another number of ports than of hosts"));
    }
    for (index, host) in hosts.iter_mut().enumerate() {
        if host.port == 0 {
            host.port = ports
                .get(index)
                .or(ports.first())
                .copied()
                .unwrap_or(DEFAULT_PORT);
        }
    }
    let addresses = std::mem::take(&mut parameters.hostaddrs);
    if !addresses.is_empty() && addresses.len() != hosts.len() {
        return Err(UrlError::new(
            "has another number of values in hostaddr than of hosts",
        ));
    }
    for (host, address) in hosts.iter_mut().zip(addresses) {
        host.hostaddr = Some(address);
    }
    Ok(hosts)
}

/// Splits `name:port` and `[v6]:port`; the name keeps no brackets.
fn split_port(text: &str) -> Result<(&str, Option<&str>), UrlError> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (name, rest) = bracketed
            .split_once(']')
            .ok_or_else(|| UrlError::new("has a [ without its ]"))?;
        if name.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(UrlError::new("has no IPv6 address between [ and ]"));
        }
        return match rest.strip_prefix(':') {
            Some(port) => Ok((name, Some(port))),
            None if rest.is_empty() => Ok((name, None)),
            None => Err(UrlError::new("has text between ] and the port")),
        };
    }
    match text.split_once(':') {
        Some((name, port)) => Ok((name, Some(port))),
        None => Ok((text, None)),
    }
}

/// Port 0 stands for "not written" until the parameters have been looked at: nothing listens on it.
fn host(name: &str, port: Option<&str>) -> Result<Host, UrlError> {
    let port = match port {
        None | Some("") => 0,
        Some(text) => parse_port(text)?,
    };
    if name.is_empty() {
        return Err(UrlError::new("has an empty host name"));
    }
    let address = if name.starts_with('/') {
        Address::Unix(PathBuf::from(name))
    } else if name.contains(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | '@' | '[' | ']' | '%')
    }) {
        return Err(UrlError::with_hint(
            "has a character in its host name that no host name has",
            ENCODE_HINT,
        ));
    } else {
        Address::Tcp(name.to_owned())
    };
    Ok(Host {
        address,
        written: name.to_owned(),
        hostaddr: None,
        port,
    })
}

pub(crate) fn parse_port(text: &str) -> Result<u16, UrlError> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(UrlError::with_hint(
            "has a port that is not a number from 1 to 65535",
            ENCODE_HINT,
        )),
    }
}

impl PostgresUrl {
    /// Dials the Docker host in place of every host that is written `localhost`.
    ///
    /// Inside a container, `localhost` is the container. Only that name is rewritten: 127.0.0.1 and `::1`
    /// were written by somebody who meant the container.
    pub fn rewrite_localhost(&mut self) {
        for host in &mut self.hosts {
            if host.written.eq_ignore_ascii_case("localhost") && host.hostaddr.is_none() {
                host.address = Address::Tcp(DOCKER_HOST.to_owned());
            }
        }
    }

    /// What in this URL points at a transaction pooler, for a hint; `None` where nothing does.
    #[must_use]
    pub fn transaction_pooler_sign(&self) -> Option<&'static str> {
        if self.parameters.pgbouncer {
            return Some("pgbouncer=true");
        }
        self.hosts.iter().find_map(|host| match &host.address {
            Address::Tcp(name) if name.contains("-pooler.") => Some("a host with -pooler in its name"),
            _ if host.port == 6543 => Some("port 6543"),
            _ => None,
        })
    }

    /// The servers as the log names them: `host:port` with commas between.
    #[must_use]
    pub fn servers(&self) -> String {
        self.hosts
            .iter()
            .map(Host::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}{}@", if self.password.is_some() { ":***" } else { "" })?;
        }
        let hosts = self
            .hosts
            .iter()
            .map(Host::to_string)
            .collect::<Vec<_>>()
            .join(",");
        write!(f, "{hosts}/{}", self.database)
    }
}
