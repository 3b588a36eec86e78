//! What happens around every request: its time is limited, and it is counted and logged.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use super::App;
use super::error::ApiError;
use super::metrics;
use super::page::{self, PAGE};
use super::rate_limit::{Peer, client_of};

/// Answers a request in time, and writes it down. The query string and the body are nobody's business.
pub(super) async fn observe(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let client = client_of(peer.ip(), request.headers(), app.config.trusted_proxies);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answer = timeout(app.config.request_timeout, next.run(request)).await;
    let response = answer.unwrap_or_else(|_| refuse(&path, ApiError::TIMEOUT));
    let duration = started.elapsed();
    let status = response.status().as_u16();
    let seen = metrics::Request {
        method: name_of(&method),
        route: route.as_ref().map_or("none", MatchedPath::as_str).to_owned(),
        status,
    };
    app.metrics.count(&seen, duration);
    let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(
        target: "access",
        method = seen.method,
        path,
        status,
        us,
        %client,
        "{} {path} {status} in {us} µs for {client}",
        seen.method
    );
    response
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
