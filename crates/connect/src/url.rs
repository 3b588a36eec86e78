//! The database's URL: parsing it, rewriting its host for Docker, and showing it without its secrets.
//!
//! tokio-postgres knows neither `verify-full` nor what libpq and the ORMs write into these URLs, and its own messages
//! may quote them. So this crate parses the URL itself. No error here repeats a value.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use zerostarter_settings::{IN_QUOTES, QUOTES_HINT, Secret};

use crate::host::{Address, DEFAULT_PORT, Host, host, parse_port, split_port};
use crate::parameters::Parameters;
use crate::url_error::{ENCODE_HINT, UrlError};

/// The host name under which a container reaches the machine it runs on.
const DOCKER_HOST: &str = "host.docker.internal";

/// A parsed `postgres://` URL. `Display` and `Debug` show no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresUrl {
    /// The role to log in as; without one, the operating system's user name.
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

const DATABASE_HINT: &str = "end the address with /NAME, as in postgres://user@host:5432/NAME";

impl FromStr for PostgresUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        if url.starts_with(['"', '\'']) {
            return Err(UrlError::with_hint(IN_QUOTES, QUOTES_HINT));
        }
        if url.contains(char::is_control) {
            return Err(UrlError::with_hint(
                "contains a line break, a tab or another control character",
                "write the URL in one line; in a password, percent-encode such a character",
            ));
        }
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
        if path.contains('/') {
            return Err(UrlError::with_hint(
                "has more than one / after the host",
                ENCODE_HINT,
            ));
        }
        // As in libpq, what is a parameter wins over the same in front of the question mark.
        let database = parameters
            .database
            .take()
            .map_or_else(|| decode_nonempty(path, "database"), |name| Ok(Some(name)))?
            .ok_or_else(|| UrlError::with_hint("names no database", DATABASE_HINT))?;
        let hosts = read_hosts(hosts, &mut parameters)?;
        let url = Self {
            user: parameters.user.take().or(user),
            password: parameters.password.take().or(password.map(Secret::new)),
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
    let mut ports = Vec::new();
    for text in authority.split(',').filter(|_| !authority.is_empty()) {
        let (name, port) = split_port(text)?;
        ports.push(port.filter(|port| !port.is_empty()).map(parse_port).transpose()?);
        // As in libpq, the parameter wins over what is in front of the database.
        if parameters.hosts.is_empty() {
            hosts.push(host(&decode(name, "host")?)?);
        }
    }
    if !parameters.ports.is_empty() {
        ports = std::mem::take(&mut parameters.ports)
            .into_iter()
            .map(Some)
            .collect();
    } else if ports.iter().all(Option::is_none) {
        ports.clear();
    }
    for name in std::mem::take(&mut parameters.hosts) {
        hosts.push(host(&name)?);
    }
    if hosts.is_empty() {
        for address in &parameters.hostaddrs {
            hosts.push(host(&address.to_string())?);
        }
    }
    if hosts.is_empty() {
        return Err(UrlError::with_hint(
            "names no host",
            "write postgres://user@HOST:5432/name",
        ));
    }
    if !matches!(ports.len(), 0 | 1) && ports.len() != hosts.len() {
        return Err(UrlError::new("has another number of ports than of hosts"));
    }
    for (index, host) in hosts.iter_mut().enumerate() {
        let port = ports.get(index).or(ports.first()).copied().flatten();
        host.port = port.unwrap_or(DEFAULT_PORT);
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

impl PostgresUrl {
    /// Dials the Docker host in place of every host that is written `localhost`.
    ///
    /// Inside a container, `localhost` is the container. Only that name is rewritten: 127.0.0.1 and `::1`
    /// mean the container.
    pub fn rewrite_localhost(&mut self) {
        for host in &mut self.hosts {
            if host.written.eq_ignore_ascii_case("localhost") && host.hostaddr.is_none() {
                host.address = Address::Tcp(DOCKER_HOST.to_owned());
            }
        }
    }

    /// The password, unless it is also the name of the user or the database: hiding such a word would make the log
    /// unreadable and hide nothing.
    #[must_use]
    pub fn redacted_password(&self) -> Option<&Secret> {
        let is_name = |password: &&Secret| {
            self.user.as_deref() == Some(password.expose()) || self.database == password.expose()
        };
        self.password.as_ref().filter(|password| !is_name(password))
    }

    /// What in this URL points at a transaction pooler; `None` if nothing does.
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
