//! How the stream of a connection is opened: the socket and the TLS handshake.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::config::SslNegotiation;
use tokio_rustls::TlsConnector;

use crate::attempt::AttemptError;
use crate::config::Config;
use crate::host::Host;
use crate::parameters::Parameters;
use crate::stream::Transport;
use crate::tls::{TlsPolicy, Verification};
use crate::tls_material::ALPN;

/// How long a server may send nothing before the connection counts as lost. Without this limit, a client whose server
/// disappeared would hang for the two hours of the operating system's defaults.
const UNRESPONSIVE_LIMIT: Duration = Duration::from_secs(30);

/// The request for TLS: its length and its code (manual, section 54.7).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// One place to connect to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Target {
    /// Whether nobody else can listen on the way.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

/// TLS as a policy demands it.
#[derive(Clone)]
struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
    is_required: bool,
    is_direct: bool,
}

/// How streams to one place are opened.
#[derive(Clone)]
pub(crate) struct Route {
    target: Target,
    keepalive: Option<TcpKeepalive>,
    user_timeout: Duration,
    tls: Option<Tls>,
}

impl Route {
    /// The route to `target`, which is one of `host`, under a policy.
    pub(crate) fn new(
        config: &Config,
        host: &Host,
        target: Target,
        policy: TlsPolicy,
    ) -> Result<Self, AttemptError> {
        let parameters = &config.url.parameters;
        let (verification, is_required) = match (policy, &target) {
            // PostgreSQL has no TLS on Unix-domain sockets.
            (TlsPolicy::Plaintext, _) | (_, Target::Unix(_)) => (None, false),
            (TlsPolicy::Opportunistic, _) => (Some(Verification::Nothing), false),
            (TlsPolicy::Required(verification), _) => (Some(verification), true),
        };
        let tls = verification.map(|verification| {
            let connector = config
                .tls_material
                .connector(verification, &parameters.tls)
                .map_err(AttemptError::ClientCertificate)?;
            let name = ServerName::try_from(host.written.clone()).map_err(|error| {
                AttemptError::handshake(io::Error::new(io::ErrorKind::InvalidInput, error))
            })?;
            Ok(Tls {
                connector,
                name,
                is_required,
                is_direct: parameters.tls.negotiation == Some(SslNegotiation::Direct),
            })
        });
        Ok(Self {
            target,
            keepalive: keepalive(parameters),
            user_timeout: parameters.tcp_user_timeout.unwrap_or(UNRESPONSIVE_LIMIT),
            tls: tls.transpose()?,
        })
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The same, with TLS exactly if `is_encrypted`.
    pub(crate) fn settled(mut self, is_encrypted: bool) -> Self {
        self.tls = self.tls.filter(|_| is_encrypted);
        if let Some(tls) = &mut self.tls {
            tls.is_required = true;
        }
        self
    }

    /// Opens a stream.
    pub(crate) async fn open(&self) -> Result<Transport, AttemptError> {
        match &self.target {
            Target::Tcp(address) => {
                let socket = TcpStream::connect(address).await;
                self.secure(socket.map_err(AttemptError::connecting)?).await
            }
            Target::Unix(path) => {
                let socket = UnixStream::connect(path).await;
                socket.map(Transport::Unix).map_err(AttemptError::connecting)
            }
        }
    }

    /// Sets the socket up, and makes the TLS handshake if the route has one.
    pub(crate) async fn secure(&self, mut socket: TcpStream) -> Result<Transport, AttemptError> {
        self.set_up(&socket).map_err(AttemptError::connecting)?;
        let Some(tls) = &self.tls else {
            return Ok(Transport::Tcp(socket));
        };
        if !tls.is_direct && !ask_for_tls(&mut socket).await.map_err(AttemptError::talking)? {
            return if tls.is_required {
                Err(AttemptError::handshake(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "server does not support TLS",
                )))
            } else {
                Ok(Transport::Tcp(socket))
            };
        }
        let handshake = tls.connector.connect(tls.name.clone(), socket).await;
        let stream = handshake.map_err(AttemptError::handshake)?;
        // Otherwise the other end may be a server of another protocol, which a third party has put into the way.
        if tls.is_direct && stream.get_ref().1.alpn_protocol() != Some(ALPN) {
            return Err(AttemptError::handshake(io::Error::new(
                io::ErrorKind::Unsupported,
                "the server does not confirm that it speaks PostgreSQL's protocol (ALPN)",
            )));
        }
        Ok(Transport::Tls(Box::new(stream)))
    }

    fn set_up(&self, socket: &TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let socket = SockRef::from(socket);
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(self.user_timeout))?;
        self.keepalive
            .as_ref()
            .map_or(Ok(()), |keepalive| socket.set_tcp_keepalive(keepalive))
    }
}

/// Whether the server has TLS. Exactly one byte is read: what follows belongs to the handshake.
async fn ask_for_tls(socket: &mut TcpStream) -> io::Result<bool> {
    socket.write_all(&SSL_REQUEST).await?;
    match socket.read_u8().await? {
        b'S' => Ok(true),
        b'N' => Ok(false),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the answer to the request for TLS is neither yes nor no",
        )),
    }
}

fn keepalive(parameters: &Parameters) -> Option<TcpKeepalive> {
    parameters.keepalives.unwrap_or(true).then(|| {
        TcpKeepalive::new()
            .with_time(parameters.keepalives_idle.unwrap_or(UNRESPONSIVE_LIMIT / 2))
            .with_interval(parameters.keepalives_interval.unwrap_or(UNRESPONSIVE_LIMIT / 6))
            .with_retries(parameters.keepalives_count.unwrap_or(3))
    })
}
