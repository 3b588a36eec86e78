//! A proxy that knows where one message of PostgreSQL's protocol ends and the next begins, and that cuts a
//! connection exactly between two of them. Without TLS.

use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::{Either, join, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::session::{runtime, wait_for};

/// Whose messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The client's. The packet that begins a connection is its first.
    Questions,
    /// The server's.
    Answers,
}

/// When a connection is cut. Messages are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When this message has come to the proxy, in place of passing it on: whoever sent it has done its part.
    Before(usize),
    /// As soon as this message was passed on: whoever gets it has hardly begun.
    After(usize),
}

/// What becomes of a connection that is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Both ends are told.
    Reset,
    /// Neither end is told: both stay open, everything is acknowledged, and nothing is passed on.
    Silence,
}

/// One cut of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Which connection, counted from 1. The others are spared.
    pub connection: usize,
    pub direction: Direction,
    pub moment: Moment,
    pub fate: Fate,
}

/// A running proxy on 127.0.0.1. It and its connections end when it is dropped.
pub struct CrashProxy {
    port: u16,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    is_cut: AtomicBool,
}

impl CrashProxy {
    /// A proxy for a port of 127.0.0.1.
    pub fn start(upstream: u16, cut: Cut) -> Self {
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let (port, task) = wait_for(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            (port, runtime().spawn(accept(listener, upstream, cut, shared)))
        });
        Self { port, counts, task }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// Whether the moment of the cut has come.
    pub fn has_cut(&self) -> bool {
        self.counts.is_cut.load(Ordering::SeqCst)
    }
}

impl Drop for CrashProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, upstream: u16, cut: Cut, counts: Arc<Counts>) {
    let mut connections = JoinSet::new(); // aborted with this task
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let number = counts.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let cut = (number == cut.connection).then_some(cut);
        let counts = Arc::clone(&counts);
        connections.spawn(async move {
            // A broken connection is what a test wants; the client tells of it.
            serve(client, upstream, cut, &counts).await.ok();
        });
    }
}

async fn serve(mut client: TcpStream, upstream: u16, cut: Option<Cut>, counts: &Counts) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await?;
    server.set_nodelay(true)?;
    let is_cut = {
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = server.split();
        let questions = pump(Direction::Questions, client_reads, server_writes, cut);
        let answers = pump(Direction::Answers, server_reads, client_writes, cut);
        match select(pin!(questions), pin!(answers)).await {
            Either::Left((outcome, _)) | Either::Right((outcome, _)) => outcome?,
        }
    };
    match cut {
        Some(cut) if is_cut => {
            counts.is_cut.store(true, Ordering::SeqCst);
            match cut.fate {
                Fate::Reset => {
                    client.set_zero_linger()?;
                    server.set_zero_linger()?;
                }
                Fate::Silence => {
                    let (mut of_client, mut of_server) = (sink(), sink());
                    join(
                        copy(&mut client, &mut of_client),
                        copy(&mut server, &mut of_server),
                    )
                    .await
                    .0?;
                    // That one end has given up is not for the other to know.
                    std::future::pending::<()>().await;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Passes on one message after the other until there are no more; true where the connection is to be cut.
async fn pump(
    direction: Direction,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    cut: Option<Cut>,
) -> io::Result<bool> {
    let moment = cut.filter(|cut| cut.direction == direction).map(|cut| cut.moment);
    let mut is_first = direction == Direction::Questions;
    let mut waiting = Vec::new();
    let mut number = 0;
    while from.read_buf(&mut waiting).await? > 0 {
        while let Some(length) = length_of_message(&waiting, is_first) {
            number += 1;
            if moment == Some(Moment::Before(number)) {
                return Ok(true);
            }
            to.write_all(&waiting[..length]).await?;
            waiting.drain(..length);
            is_first = false;
            if moment == Some(Moment::After(number)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// How long the message at the beginning is, if it is there whole: a byte that says what it is, which the first
/// message of a client lacks, and a length that counts itself.
fn length_of_message(bytes: &[u8], is_first: bool) -> Option<usize> {
    let header = usize::from(!is_first);
    let length = bytes.get(header..header + 4)?.first_chunk::<4>()?;
    let length = header + usize::try_from(u32::from_be_bytes(*length)).ok()?;
    (bytes.len() >= length).then_some(length)
}
