//! The web app: a waitlist as JSON and as a page, on the database that was migrated before it starts.
//!
//! ```text
//! command line → program → server → observe (metrics, access log) → limit_client → limit_time → waitlist, page, health → pool
//! ```

mod check;
pub mod cli;
mod config;
mod email;
mod error;
mod health;
mod metrics;
mod observe;
mod page;
pub mod program;
mod rate_limit;
mod server;
mod waitlist;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use tokio::net::TcpListener;
use tokio::time::interval;

pub use self::config::{API_VARIABLES, ApiConfig, RateLimit};
pub use self::error::ApiError;
use self::health::Health;
use self::metrics::Metrics;
use self::observe::{limit_client, limit_time, observe};
use self::rate_limit::Limiter;
use crate::duration::in_seconds;
use crate::error::Error;
use crate::pool::Pool;
use crate::source::{self, SourceFile};

/// The text format of Prometheus that its crate writes.
const METRICS_FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What every request needs.
pub(crate) struct App {
    config: ApiConfig,
    pool: Pool,
    health: Health,
    metrics: Metrics,
    limiter: Option<Limiter>,
}

/// A path, and what answers there.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The path.
    pub path: &'static str,
    /// The methods that are answered, in small letters. Whatever answers GET answers HEAD.
    pub methods: &'static [&'static str],
    /// Whether the requests of a client are counted and limited.
    pub is_limited: bool,
    answer: fn() -> MethodRouter<Arc<App>>,
}

const fn route(
    path: &'static str,
    methods: &'static [&'static str],
    answer: fn() -> MethodRouter<Arc<App>>,
) -> Route {
    Route {
        path,
        methods,
        is_limited: false,
        answer,
    }
}

const fn limited(route: Route) -> Route {
    Route {
        is_limited: true,
        ..route
    }
}

/// All routes.
pub const ROUTES: &[Route] = &[
    route("/", &["get"], || get(page::root)),
    route("/api/health", &["get"], || get(health::get)),
    limited(route("/api/waitlist", &["get", "post"], || {
        get(waitlist::get).post(waitlist::post)
    })),
    route("/metrics", &["get"], || get(metrics_text)),
    limited(route(page::PAGE, &["get", "post"], || {
        get(page::get).post(page::post)
    })),
    route("/waitlist.css", &["get"], || get(page::style)),
    route("/waitlist.js", &["get"], || get(page::script)),
];

fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let mut answer = (route.answer)().layer(from_fn_with_state(app.clone(), limit_time));
        if route.is_limited {
            answer = answer.layer(from_fn_with_state(app.clone(), limit_client));
        }
        router = router.route(route.path, answer);
    }
    router
        .fallback(async || ApiError::NOT_FOUND)
        .method_not_allowed_fallback(async || ApiError::METHOD_NOT_ALLOWED)
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app.clone())
}

/// `GET /metrics`
async fn metrics_text(State(app): State<Arc<App>>) -> Response {
    match app.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, METRICS_FORMAT)], text).into_response(),
        Err(_) => ApiError::INTERNAL.into_response(),
    }
}

/// Serves until `stop`, and until what is under way then is answered.
///
/// # Errors
///
/// [`Error::Listen`] where the address cannot be listened at, and what is wrong with the migrations embedded here.
pub async fn run(config: ApiConfig, stop: impl Future<Output = ()>) -> Result<(), Error> {
    let files = source::load(None)?;
    let pool = Pool::new(config.pool.clone());
    let app = Arc::new(App {
        metrics: Metrics::new(pool.clone()),
        health: Health::new(&config.pool, files.iter().map(SourceFile::version).collect()),
        limiter: config.rate_limit.and_then(Limiter::new),
        pool,
        config,
    });
    let address = app.config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "listening at http://{address}");
    let sweeping = tokio::spawn(forget_quiet_clients(app.clone()));
    let grace = app.config.shutdown_timeout;
    let is_complete = server::serve(listener, router(&app), stop, grace).await;
    sweeping.abort();
    app.pool.close();
    app.health.close();
    if is_complete {
        tracing::info!("stopped; every request was answered");
    } else {
        tracing::warn!(
            "stopped; some requests were not answered within {}",
            in_seconds(grace)
        );
    }
    Ok(())
}

/// The memory of clients must not grow with their number for ever.
async fn forget_quiet_clients(app: Arc<App>) {
    let (Some(limiter), Some(limit)) = (&app.limiter, app.config.rate_limit) else {
        return;
    };
    let mut ticks = interval(limit.window);
    loop {
        ticks.tick().await;
        limiter.forget_the_quiet();
    }
}
