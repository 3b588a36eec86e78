//! Name resolution on this thread, if the system starts no other.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};

use zerostarter_diagnostic::threads;

use crate::host::{Address, Host};

/// The addresses of a host whose name the driver cannot resolve, because the system starts no thread for that; otherwise
/// none. Signals wait meanwhile.
///
/// # Errors
///
/// The resolver's.
pub(crate) fn addresses_without_thread(host: &Host) -> io::Result<Vec<IpAddr>> {
    let name = match &host.address {
        Address::Tcp(name) if host.hostaddr.is_none() && name.parse::<IpAddr>().is_err() => name,
        Address::Tcp(_) | Address::Unix(_) => return Ok(Vec::new()),
    };
    if threads::are_available(1) {
        return Ok(Vec::new());
    }
    let addresses = (name.as_str(), host.port).to_socket_addrs()?;
    Ok(addresses.map(|address| address.ip()).collect())
}
