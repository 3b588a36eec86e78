//! The addresses of a name, and which of them answers first.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::select_all;
use tokio::net::TcpStream;
use tokio::time::timeout;
use zerostarter_diagnostic::threads;

/// How long an attempt at one address goes on before one at the next address starts beside it (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// The addresses of a name in the order of the resolver, each once.
///
/// # Errors
///
/// The resolver's.
pub(crate) async fn resolve(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![(address, port).into()]);
    }
    let name = name.to_owned();
    let found = threads::elsewhere(move || (name.as_str(), port).to_socket_addrs()).await?;
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// Connects to the first of `addresses` that accepts. An address that is silent delays the next one by 250 ms; one that
/// refuses does not delay it.
///
/// # Errors
///
/// Of the addresses that refuse, the last one's.
pub async fn dial(addresses: &[SocketAddr]) -> io::Result<(TcpStream, SocketAddr)> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no addresses");
    let mut next = addresses.iter();
    let mut connecting = Vec::new();
    loop {
        if let Some(&address) = next.next() {
            let socket = TcpStream::connect(address);
            connecting.push(Box::pin(
                socket.map(move |socket| socket.map(|socket| (socket, address))),
            ));
        }
        if connecting.is_empty() {
            return Err(failure);
        }
        let first = select_all(connecting.iter_mut());
        let finished = if next.len() == 0 {
            Ok(first.await)
        } else {
            timeout(STAGGER, first).await
        };
        if let Ok((outcome, index, _)) = finished {
            match outcome {
                Ok(found) => return Ok(found),
                Err(error) => failure = error,
            }
            drop(connecting.swap_remove(index));
        }
    }
}
