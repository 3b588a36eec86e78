//! One server of a URL: its address and its port.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::url_error::{ENCODE_HINT, UrlError};

/// PostgreSQL's registered port, used if the URL names none.
pub(crate) const DEFAULT_PORT: u16 = 5432;

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

impl Host {
    /// Whether another name is dialled than the one that was written.
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        matches!(&self.address, Address::Tcp(name) if *name != self.written)
    }
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

/// Splits `name:port` and `[v6]:port`; the name keeps no brackets.
pub(crate) fn split_port(text: &str) -> Result<(&str, Option<&str>), UrlError> {
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

/// A host at PostgreSQL's port.
pub(crate) fn host(name: &str) -> Result<Host, UrlError> {
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
        port: DEFAULT_PORT,
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
