//! Connections: taking them in, limiting how long they may dawdle, and ending them in order.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
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
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use super::rate_limit::Peer;

/// Connections at a time; who comes later waits. A container's memory has an end.
const MOST_CONNECTIONS: usize = 2_000;

/// How long a client may take to send the head of a request, be silent between two, and leave an answer unread.
const CLIENT_LIMIT: Duration = Duration::from_secs(15);

/// The longest head of a request, in bytes, and what is kept of answers that a client does not read yet. Hyper's own
/// limit is 25 times as much, which no container has for every connection.
const LONGEST_HEAD: usize = 16 * 1024;

/// How long the system may have too many files open before we look again.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Serves until `stop`, and then until what is under way is answered, but no longer than `grace`.
/// Whether everything was answered.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> bool {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepting = async {
            let place = places.clone().acquire_owned().await.expect("it is never closed");
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) if is_of_the_client(&error) => continue,
            Err(error) => {
                tracing::error!("no connection can be taken in: {error}");
                sleep(EXHAUSTED).await;
                continue;
            }
        };
        // An answer is one small write; it must not wait for the acknowledgement of the last.
        let _ = stream.set_nodelay(true);
        // Who asks and never reads would keep its place for ever.
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
            // A client that goes away or does not speak HTTP is no concern of the operator's.
            if let Err(error) = connection.await {
                tracing::debug!("the connection of {peer} ended: {error}");
            }
            drop(place);
        });
    }
    drop(listener);
    timeout(grace, graceful.shutdown()).await.is_ok()
}

/// It had gone before it was taken in.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
