//! What happens around every request: its size and its time are limited, and it is counted and logged.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::App;
use super::error::ApiError;
use super::metrics;
use super::page::{self, PAGE};
use super::rate_limit::{Peer, client_of};

/// The longest body of a request, in bytes: an address has 254.
const LONGEST_BODY: usize = 4096;

/// The status under which nginx writes down that a client did not wait for the answer.
const CLIENT_GAVE_UP: u16 = 499;

/// Answers a request in time, and writes it down.
pub(super) async fn observe(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let mut record = Record {
        started: Instant::now(),
        method: name_of(request.method()),
        path: request.uri().path().to_owned(),
        route: request.extensions().get::<MatchedPath>().cloned(),
        client: client_of(peer.ip(), request.headers(), app.config.trusted_proxies),
        status: CLIENT_GAVE_UP,
        app: app.clone(),
    };
    let limit = app.config.request_timeout;
    let answer = async {
        let request = timeout(limit, receive(request))
            .await
            .unwrap_or(Err(ApiError::BODY_TIMEOUT))?;
        // A body that is slow to arrive must not use up the time of the answer.
        let answer = timeout(limit, next.run(request)).await;
        answer.map_err(|_| ApiError::TIMEOUT)
    };
    let response = answer.await.unwrap_or_else(|why| refuse(&record.path, why));
    record.status = response.status().as_u16();
    response
}

/// The request with the whole of its body.
async fn receive(request: Request) -> Result<Request, ApiError> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            ApiError::TOO_LARGE
        } else {
            ApiError::INCOMPLETE_BODY
        }
    })?;
    Ok(Request::from_parts(head, Body::from(body.to_bytes())))
}

/// Counts a request and writes it down when it is over, also where that is because its client has gone. The query string
/// and the body are nobody's business.
struct Record {
    app: Arc<App>,
    started: Instant,
    method: &'static str,
    path: String,
    route: Option<MatchedPath>,
    client: IpAddr,
    status: u16,
}

impl Drop for Record {
    fn drop(&mut self) {
        let duration = self.started.elapsed();
        let (method, path, status, client) = (self.method, &self.path, self.status, self.client);
        let seen = metrics::Request {
            method,
            route: self.route.as_ref().map_or("none", MatchedPath::as_str).to_owned(),
            status,
        };
        self.app.metrics.count(&seen, duration);
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "access",
            method,
            path,
            status,
            us,
            %client,
            "{method} {path} {status} in {us} µs for {client}"
        );
    }
}

/// Anybody can think up methods; those we know are told apart.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// Refuses a client that sends too many requests.
pub(super) async fn limit_rate(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let client = client_of(peer.ip(), request.headers(), app.config.trusted_proxies);
    let admitted = app
        .limiter
        .as_ref()
        .map_or(Ok(()), |limiter| limiter.admit(client));
    match admitted {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(request.uri().path(), refusal),
    }
}

/// Who asks for a page is answered with one.
fn refuse(path: &str, why: ApiError) -> Response {
    if path == PAGE {
        page::refuse(why, "")
    } else {
        why.into_response()
    }
}
