//! The routes, and the layers around them.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};

use crate::api_error::ApiError;
use crate::app::App;
use crate::observe::{limit_client, limit_time, observe};
use crate::{health_route, page, waitlist};

/// The text format of Prometheus that its crate writes.
const METRICS_FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A path and its handlers.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The path.
    pub path: &'static str,
    /// Its methods, in lower case. A path with GET has HEAD too.
    pub methods: &'static [&'static str],
    /// Whether the rate limit applies.
    pub is_limited: bool,
    /// Whether it is for operators: at `API_HEALTH_LISTEN` only.
    pub is_internal: bool,
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
        is_internal: false,
        answer,
    }
}

const fn limited(route: Route) -> Route {
    Route {
        is_limited: true,
        ..route
    }
}

const fn internal(route: Route) -> Route {
    Route {
        is_internal: true,
        ..route
    }
}

/// All routes.
pub const ROUTES: &[Route] = &[
    route("/", &["get"], || get(page::root)),
    route(HEALTH, &["get"], || get(health_route::get)),
    limited(route("/api/waitlist", &["get", "post"], || {
        get(waitlist::get).post(waitlist::post)
    })),
    internal(route("/metrics", &["get"], || get(metrics_text))),
    limited(route(page::PAGE, &["get", "post"], || {
        get(page::get).post(page::post)
    })),
    route("/waitlist.css", &["get"], || get(page::style)),
    route("/waitlist.js", &["get"], || get(page::script)),
];

/// The path of the health check, at both listeners.
const HEALTH: &str = "/api/health";

/// What everybody may request.
pub(crate) fn public(app: &Arc<App>) -> Router {
    router(app, |route| !route.is_internal)
}

/// What operators request.
pub(crate) fn internal_routes(app: &Arc<App>) -> Router {
    router(app, |route| route.is_internal || route.path == HEALTH)
}

fn router(app: &Arc<App>, is_here: impl Fn(&Route) -> bool) -> Router {
    let mut router = Router::new();
    for route in ROUTES.iter().filter(|route| is_here(route)) {
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
