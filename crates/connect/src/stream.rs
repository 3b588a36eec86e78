//! The bytes of a connection: over TCP or a Unix-domain socket, with TLS or without.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::{Ready, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::client;

use crate::authentication::Guard;
use crate::channel_binding::channel_binding;
use crate::frames::Frames;
use crate::large_query::LargeQuery;

/// What the bytes go through.
pub(crate) enum Transport {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<client::TlsStream<TcpStream>>),
}

/// A stream whose handshakes are done, for tokio-postgres. Its guard looks at what it sends, its frames at what it receives; a
/// large query takes the place of an empty one.
pub(crate) struct Stream {
    pub(crate) transport: Transport,
    pub(crate) guard: Guard,
    pub(crate) large_query: LargeQuery,
    pub(crate) frames: Frames,
}

macro_rules! on_transport {
    ($stream:expr, $inner:ident => $call:expr) => {
        match &mut $stream.transport {
            Transport::Tcp($inner) => $call,
            Transport::Unix($inner) => $call,
            Transport::Tls($inner) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let before = buffer.filled().len();
        let outcome = on_transport!(stream, inner => Pin::new(inner).poll_read(context, buffer));
        if let Poll::Ready(Ok(())) = outcome {
            stream
                .frames
                .inspect(&buffer.filled()[before..], stream.guard.is_open())?;
        }
        outcome
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.guard.inspect(bytes)?;
        let stream = self.get_mut();
        let large_query = stream.large_query.clone();
        let mut write =
            |bytes: &[u8]| on_transport!(stream, inner => Pin::new(inner).poll_write(context, bytes));
        large_query
            .poll_write(bytes, &mut write)
            .unwrap_or_else(|| write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_transport!(self.get_mut(), inner => Pin::new(inner).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_transport!(self.get_mut(), inner => Pin::new(inner).poll_shutdown(context))
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.transport {
            Transport::Tls(tls) => channel_binding(tls.get_ref().1.peer_certificates()),
            Transport::Tcp(_) | Transport::Unix(_) => ChannelBinding::none(),
        }
    }
}

/// Stands for the TLS handshake that tokio-postgres would make: it is done already.
pub(crate) struct Done;

impl TlsConnect<Stream> for Done {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Ready<io::Result<Stream>>;

    fn connect(self, stream: Stream) -> Self::Future {
        ready(Ok(stream))
    }
}
