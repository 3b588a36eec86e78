//! Connections: accepting them, limiting idle ones, and closing them in order.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use crate::places::Places;
use crate::rate_limit::Peer;

/// How long a client may take to send the head of a request, to send the next request, and to read an answer.
const CLIENT_LIMIT: Duration = Duration::from_secs(15);

/// The longest head of a request, in bytes, and the buffer of answers that a client has not read. Hyper's default is 25 times
/// as much, too much for every connection of a container.
const LONGEST_HEAD: usize = 16 * 1024;

/// How long to wait when the system has too many open files.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Serves until `stop`, then until the running requests are answered, at most for `grace`. Returns whether all were answered.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    places: Places,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> bool {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepting = async {
            let permit = places.free().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) if is_of_the_client(&error) => continue,
            Err(error) => {
                tracing::error!("no connection can be accepted: {error}");
                sleep(EXHAUSTED).await;
                continue;
            }
        };
        // One client must not take the places of all others with requests that it never completes.
        let Some(place) = places.take(permit, peer.ip()) else {
            tracing::debug!("{peer} has too many connections; another one was closed");
            continue;
        };
        // An answer is one small write; it must not wait for the acknowledgement of the previous one.
        let _ = stream.set_nodelay(true);
        // A client that never reads its answer would keep its connection forever.
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(CLIENT_LIMIT));
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            let answer = router.clone().oneshot(request.map(Body::new));
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(CLIENT_LIMIT)
            .max_buf_size(LONGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that closes its connection or does not speak HTTP does not concern the operator.
            if let Err(error) = connection.await {
                tracing::debug!("the connection of {peer} ended: {error}");
            }
            drop(place);
        });
    }
    drop(listener);
    timeout(grace, graceful.shutdown()).await.is_ok()
}

/// The client closed the connection before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
