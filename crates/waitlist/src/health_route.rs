//! `GET /api/health`: whether requests can be served.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::app::App;
use crate::health::Finding;

/// 200 if every embedded migration is applied. A database that is ahead is healthy too: during a rolling deploy, or after a
/// rollback.
pub(crate) async fn get(State(app): State<Arc<App>>) -> Response {
    // In a task: if this client gives up, the next one still gets the finding.
    let finding = tokio::spawn(async move { app.health.find_out().await }).await;
    match finding.unwrap_or(Finding::Unavailable) {
        Finding::Available {
            schema_version,
            pending,
        } => {
            let database = json!({
                "state": "up",
                "schema_version": schema_version,
                "pending_migrations": pending,
            });
            if pending == 0 {
                Json(json!({ "status": "ok", "database": database })).into_response()
            } else {
                unhealthy(
                    "migrations_pending",
                    "The database is not migrated yet.",
                    &database,
                )
            }
        }
        Finding::Unavailable => unhealthy(
            "database_unavailable",
            "The database does not answer.",
            &json!({ "state": "down" }),
        ),
    }
}

fn unhealthy(code: &str, message: &str, database: &Value) -> Response {
    let body = json!({ "error": { "code": code, "message": message }, "database": database });
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    response
        .headers_mut()
        .extend(ApiError::UNAVAILABLE.retry_header());
    response
}
