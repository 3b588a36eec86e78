//! A TCP proxy in front of a server: it counts how often a client had to wait, and misbehaves.

use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::distance::carry;
use super::poll::poll;
use super::session::{runtime, wait_for};
use super::trickle::trickle;

/// An answer is held back for so long. What a client still sends in that time it sends without
/// having seen the answer: one who sends three questions in a row has waited once, in every run.
const QUIET: Duration = Duration::from_millis(10);

const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a proxy does to connections. Each fault makes one way in which a network fails repeatable.
#[derive(Clone, Debug, Default)]
pub struct ProxyBuilder {
    refuse_first: usize,
    reset_after_bytes: Option<usize>,
    mute_after_bytes: Option<usize>,
    cut_question_after_bytes: Option<usize>,
    silent: bool,
    delay: Option<Duration>,
    distance: Option<Duration>,
    bytes_per_second: Option<usize>,
    only_first: Option<usize>,
}

impl ProxyBuilder {
    /// Resets the first connections before a byte is answered, as a server that is being started
    /// behind a published port does. (For ECONNREFUSED itself: `unused_port`, or a stopped server.)
    pub fn refuse_first(mut self, connections: usize) -> Self {
        self.refuse_first = connections;
        self
    }

    /// Lets exactly so many bytes of the server's answers through, and then resets the connection.
    pub fn reset_after_bytes(mut self, bytes: usize) -> Self {
        self.reset_after_bytes = Some(bytes);
        self
    }

    /// Lets exactly so many bytes of the server's answers through, and then none, with the connection open.
    pub fn mute_after_bytes(mut self, bytes: usize) -> Self {
        self.mute_after_bytes = Some(bytes);
        self
    }

    /// Lets exactly so many bytes of the client's questions through, and then resets the connection.
    pub fn cut_question_after_bytes(mut self, bytes: usize) -> Self {
        self.cut_question_after_bytes = Some(bytes);
        self
    }

    /// Accepts, reads, and never answers: a firewall that drops, a server that hangs.
    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Makes each answer late by so much: a slow server.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Puts the server so far away: every byte arrives so much later, in each direction. Waits are not counted.
    pub fn distance(mut self, one_way: Duration) -> Self {
        self.distance = Some(one_way);
        self
    }

    /// Makes what the client sends arrive this slowly, on each connection. Waits are not counted.
    pub fn bytes_per_second(mut self, bytes: usize) -> Self {
        self.bytes_per_second = Some(bytes);
        self
    }

    /// Applies the cuts, `mute_after_bytes`, `silent`, `delay` and `distance` to the first so many connections only, so
    /// that one who tries again succeeds.
    pub fn only_first(mut self, connections: usize) -> Self {
        self.only_first = Some(connections);
        self
    }

    /// Starts the proxy for a port of 127.0.0.1.
    pub fn start(self, upstream: u16) -> Proxy {
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let (port, task) = wait_for(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let task = runtime().spawn(accept(listener, upstream, self, shared));
            (port, task)
        });
        Proxy { port, counts, task }
    }
}

/// A running proxy on 127.0.0.1. It and its connections end when it is dropped.
pub struct Proxy {
    port: u16,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    open: AtomicUsize,
    round_trips: AtomicUsize,
}

impl Proxy {
    /// A faithful proxy for a port of 127.0.0.1.
    pub fn start(upstream: u16) -> Self {
        Self::builder().start(upstream)
    }

    pub fn builder() -> ProxyBuilder {
        ProxyBuilder::default()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there have been, those included that a fault ended.
    pub fn connections(&self) -> usize {
        self.counts.accepted.load(Ordering::SeqCst)
    }

    /// The round trips over all connections: one for each answer (the server spoke after the client had), and one for each
    /// Terminate (the client closed, and the server had not closed before). Read it after the client has ended: it waits for
    /// the connections to be closed.
    pub fn round_trips(&self) -> usize {
        let closed = poll(CLOSE_TIMEOUT, || {
            (self.counts.open.load(Ordering::SeqCst) == 0).then_some(())
        });
        assert!(closed.is_some(), "a connection through the proxy is open");
        self.counts.round_trips.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, upstream: u16, faults: ProxyBuilder, counts: Arc<Counts>) {
    let mut connections = JoinSet::new(); // aborted with this task
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let number = counts.accepted.fetch_add(1, Ordering::SeqCst) + 1;
        if number <= faults.refuse_first {
            client.set_zero_linger().ok();
            continue;
        }
        counts.open.fetch_add(1, Ordering::SeqCst);
        let spared = faults.only_first.is_some_and(|first| number > first);
        let faults = if spared {
            ProxyBuilder::default()
        } else {
            faults.clone()
        };
        let counts = Arc::clone(&counts);
        connections.spawn(async move {
            // A broken connection is what a test may want; the client tells of it.
            serve(client, upstream, &faults, &counts).await.ok();
            counts.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn serve(
    mut client: TcpStream,
    upstream: u16,
    faults: &ProxyBuilder,
    counts: &Counts,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    if faults.silent {
        let mut buffer = vec![0; 8192];
        while client.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
        counts.round_trips.fetch_add(1, Ordering::SeqCst);
        return Ok(());
    }
    if let Some(one_way) = faults.distance {
        return carry(client, upstream, one_way).await;
    }
    if let Some(rate) = faults.bytes_per_second {
        return trickle(client, upstream, rate).await;
    }
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await?;
    server.set_nodelay(true)?;
    let cut = {
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = server.split();
        let relay = Relay {
            client_reads,
            client_writes,
            server_reads,
            server_writes,
            asked: false,
            answered: 0,
            questioned: 0,
        };
        relay.run(faults, counts).await?
    };
    if cut {
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    Ok(())
}

struct Relay<'a> {
    client_reads: ReadHalf<'a>,
    client_writes: WriteHalf<'a>,
    server_reads: ReadHalf<'a>,
    server_writes: WriteHalf<'a>,
    /// The client has sent something that was not answered.
    asked: bool,
    /// Bytes that went from the server to the client.
    answered: usize,
    /// Bytes that went from the client to the server.
    questioned: usize,
}

impl Relay<'_> {
    /// Relays until one side closes; true where the connection is to be reset.
    async fn run(mut self, faults: &ProxyBuilder, counts: &Counts) -> io::Result<bool> {
        let mut question = vec![0; 65_536];
        let mut answer = vec![0; 65_536];
        loop {
            let event = {
                let asks = pin!(self.client_reads.read(&mut question));
                let answers = pin!(self.server_reads.read(&mut answer));
                match select(asks, answers).await {
                    Either::Left((length, _)) => Either::Left(length),
                    Either::Right((length, _)) => Either::Right(length),
                }
            };
            match event {
                Either::Left(Ok(length @ 1..)) => {
                    if self
                        .ask(&question[..length], faults.cut_question_after_bytes)
                        .await?
                    {
                        return Ok(true);
                    }
                    self.asked = true;
                }
                Either::Left(_) => {
                    // The client has closed.
                    counts.round_trips.fetch_add(1, Ordering::SeqCst);
                    return Ok(false);
                }
                Either::Right(Ok(length @ 1..)) => {
                    if self.asked {
                        self.until_quiet(&mut question).await?;
                        if let Some(delay) = faults.delay {
                            sleep(delay).await;
                        }
                        counts.round_trips.fetch_add(1, Ordering::SeqCst);
                        self.asked = false;
                    }
                    let limit = faults.reset_after_bytes.or(faults.mute_after_bytes);
                    if self.answer(&answer[..length], limit).await? {
                        if faults.mute_after_bytes.is_some() {
                            while self.client_reads.read(&mut question).await? > 0 {}
                        }
                        return Ok(true);
                    }
                }
                Either::Right(_) => {
                    // The server has closed: because it was told goodbye, or of its own accord.
                    if self.asked {
                        counts.round_trips.fetch_add(1, Ordering::SeqCst);
                    }
                    return Ok(false);
                }
            }
        }
    }

    /// Passes on what the client sends before it has seen the answer that is held back.
    async fn until_quiet(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        while let Ok(length) = timeout(QUIET, self.client_reads.read(buffer)).await {
            match length? {
                0 => break, // seen again by the next read
                length => self.server_writes.write_all(&buffer[..length]).await?,
            }
        }
        Ok(())
    }

    async fn ask(&mut self, bytes: &[u8], limit: Option<usize>) -> io::Result<bool> {
        let allowed = limit.map_or(bytes.len(), |limit| bytes.len().min(limit - self.questioned));
        self.server_writes.write_all(&bytes[..allowed]).await?;
        self.questioned += allowed;
        Ok(limit == Some(self.questioned))
    }

    async fn answer(&mut self, bytes: &[u8], limit: Option<usize>) -> io::Result<bool> {
        let allowed = limit.map_or(bytes.len(), |limit| bytes.len().min(limit - self.answered));
        self.client_writes.write_all(&bytes[..allowed]).await?;
        self.answered += allowed;
        Ok(limit == Some(self.answered))
    }
}
