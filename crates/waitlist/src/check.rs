//! `check`: the health check of a container. A scratch image has no other program that sends requests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zerostarter_console::Output;

use crate::error::Error;

/// How long the answer may take; the server has a shorter limit.
const LIMIT: Duration = Duration::from_secs(5);

/// Requests the health of the web app that listens at `listen`, and prints its answer.
///
/// # Errors
///
/// [`Error::Unhealthy`] if it does not answer, or not with 200.
pub(crate) async fn check(listen: SocketAddr, output: &Output) -> Result<(), Error> {
    let server = reachable(listen);
    let unhealthy = |reason: String| Error::Unhealthy { server, reason };
    let answer = timeout(LIMIT, ask(server))
        .await
        .map_err(|_| unhealthy(format!("no answer within {LIMIT:?}")))?
        .map_err(|error| unhealthy(error.to_string()))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        Ok(output.data(&format!("{body}\n")).await?)
    } else {
        Err(unhealthy(body.to_owned()))
    }
}

async fn ask(server: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server).await?;
    let request = format!("GET /api/health HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A server that listens at all addresses is reachable at the loopback address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(address, listen.port())
}
