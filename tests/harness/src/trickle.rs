//! A slow link: what the client sends arrives at so many bytes per second, however much of it is under way.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{interval, timeout};

/// How often some bytes arrive.
const TICK: Duration = Duration::from_millis(50);

/// Carries a connection to a port of 127.0.0.1. When the client gives up, what is under way is lost.
pub(crate) async fn trickle(mut client: TcpStream, upstream: u16, bytes_per_second: usize) -> io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await?;
    server.set_nodelay(true)?;
    {
        let (client_reads, mut client_writes) = client.split();
        let (mut server_reads, server_writes) = server.split();
        let questions = pin!(send(client_reads, server_writes, bytes_per_second));
        let answers = pin!(copy(&mut server_reads, &mut client_writes));
        if let Either::Left((outcome, _)) = select(questions, answers).await {
            outcome?;
        }
    }
    server.set_zero_linger()
}

async fn send(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, bytes_per_second: usize) -> io::Result<()> {
    let share = bytes_per_second / usize::try_from(1000 / TICK.as_millis()).expect("few ticks");
    let mut buffer = vec![0; 65_536];
    let mut under_way = VecDeque::new();
    let mut ticks = interval(TICK);
    loop {
        ticks.tick().await;
        while let Ok(length) = timeout(Duration::from_millis(1), from.read(&mut buffer)).await {
            match length? {
                0 => return Ok(()),
                length => under_way.extend(&buffer[..length]),
            }
        }
        let arriving: Vec<u8> = under_way.drain(..share.min(under_way.len())).collect();
        to.write_all(&arriving).await?;
    }
}
