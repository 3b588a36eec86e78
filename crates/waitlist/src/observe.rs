//! Around every request: metrics, access log, and the limits of clients, sizes and times.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::api_error::ApiError;
use crate::app::App;
use crate::metrics;
use crate::page::{self, PAGE};
use crate::rate_limit::{Peer, client_of};

/// The longest body of a request, in bytes: an address has 254.
const LONGEST_BODY: usize = 4096;

/// The status with which nginx logs that a client closed the connection before the answer.
const CLIENT_GAVE_UP: u16 = 499;

/// Counts and logs a request.
pub(crate) async fn observe(
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
    let response = next.run(request).await;
    record.status = response.status().as_u16();
    response
}

/// Counts and logs a request when it is over, also if its client has closed the connection. The log has neither the query
/// string nor the body.
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

/// The name of a known method: clients can invent any number of methods.
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

/// Limits the time of an answer.
pub(crate) async fn limit_time(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_page = is_page(&request);
    let answer = timeout(app.config.request_timeout, next.run(request)).await;
    answer.unwrap_or_else(|_| refuse(is_page, ApiError::TIMEOUT))
}

/// Refuses a client that sends too many requests, and receives the body of a request. A body that arrives slowly must not use
/// up the time of the answer.
pub(crate) async fn limit_client(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let is_page = is_page(&request);
    let client = client_of(peer.ip(), request.headers(), app.config.trusted_proxies);
    let admitted = app
        .limiter
        .as_ref()
        .map_or(Ok(()), |limiter| limiter.admit(client));
    if let Err(refusal) = admitted {
        return refuse(is_page, refusal);
    }
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let received = timeout(app.config.request_timeout, receive(request)).await;
    match received.unwrap_or(Err(ApiError::BODY_TIMEOUT)) {
        Ok(request) => next.run(request).await,
        Err(why) => {
            let mut response = refuse(is_page, why);
            // The rest of the body is not read, so no other request can follow it.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
            response
        }
    }
}

/// The request with its complete body in one buffer: separately, each byte that arrives alone would keep its own.
async fn receive(request: Request) -> Result<Request, ApiError> {
    let (head, mut body) = request.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::INCOMPLETE_BODY)?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > LONGEST_BODY {
                return Err(ApiError::TOO_LARGE);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Request::from_parts(head, Body::from(bytes)))
}

fn is_page(request: &Request) -> bool {
    request.uri().path() == PAGE
}

/// A request for a page is answered with a page.
fn refuse(is_page: bool, why: ApiError) -> Response {
    if is_page {
        page::refuse(why, "")
    } else {
        why.into_response()
    }
}
