//! Name resolution. The driver would panic if the system starts no thread for it.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};

use zerostarter_diagnostic::threads;

use crate::host::{Address, Host};

/// The addresses of a host that has a name, in the order in which to try them; none for other hosts.
///
/// # Errors
///
/// The resolver's.
pub(crate) async fn resolve(host: &Host) -> io::Result<Vec<IpAddr>> {
    let name = match &host.address {
        Address::Tcp(name) if host.hostaddr.is_none() && name.parse::<IpAddr>().is_err() => name.clone(),
        Address::Tcp(_) | Address::Unix(_) => return Ok(Vec::new()),
    };
    let port = host.port;
    threads::elsewhere(move || {
        let addresses = (name.as_str(), port).to_socket_addrs()?;
        Ok(addresses.map(|address| address.ip()).collect())
    })
    .await
}
