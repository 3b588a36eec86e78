//! The way to a server that is far away: whatever is sent arrives later, however much of it is under way.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select, try_join};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep, sleep_until};

/// Carries a connection to a port of 127.0.0.1 and back, `one_way` late in each direction. The kernel has
/// answered the client's SYN at once, so the round trip which that takes is added before its first byte.
pub(crate) async fn carry(mut client: TcpStream, upstream: u16, one_way: Duration) -> io::Result<()> {
    sleep(one_way * 2).await;
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await?;
    server.set_nodelay(true)?;
    let (client_reads, client_writes) = client.split();
    let (server_reads, server_writes) = server.split();
    try_join(
        send(client_reads, server_writes, one_way),
        send(server_reads, client_writes, one_way),
    )
    .await?;
    Ok(())
}

async fn send(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, one_way: Duration) -> io::Result<()> {
    let mut buffer = vec![0; 65_536];
    // Each with the moment of its arrival; nothing at all stands for the end.
    let mut under_way: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut ended = false;
    loop {
        let due = under_way.front().map(|(due, _)| *due);
        let event = {
            let departs = pin!(async {
                if ended {
                    pending().await
                } else {
                    from.read(&mut buffer).await
                }
            });
            let arrives = pin!(async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => pending().await,
                }
            });
            match select(departs, arrives).await {
                Either::Left((length, _)) => Some(length?),
                Either::Right(_) => None,
            }
        };
        if let Some(length) = event {
            ended = length == 0;
            under_way.push_back((Instant::now() + one_way, buffer[..length].to_vec()));
        } else if let Some((_, bytes)) = under_way.pop_front() {
            if bytes.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&bytes).await?;
        }
    }
}
