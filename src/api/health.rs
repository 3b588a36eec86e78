//! `GET /api/health`: whether requests can be served.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::App;
use super::error::ApiError;
use crate::catalog::{self, Snapshot};

/// Who asks after our health gives up soon, so that an answer must come sooner.
const LIMIT: Duration = Duration::from_secs(2);

/// 200 where the database has every migration that this program knows. One that has more is healthy too: that is a
/// deploy which is under way, or one that was rolled back.
pub(super) async fn get(State(app): State<Arc<App>>) -> Response {
    match timeout(LIMIT, look(&app)).await {
        Ok(Ok(snapshot)) => {
            let applied: Vec<i64> = snapshot.applied().iter().map(|row| row.version).collect();
            let known = app.versions.iter();
            let pending = known.filter(|version| !applied.contains(version)).count();
            let database = json!({
                "state": "up",
                "schema_version": applied.last(),
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
        Ok(Err(_)) | Err(_) => unhealthy(
            "database_unavailable",
            "The database does not answer.",
            &json!({ "state": "down" }),
        ),
    }
}

async fn look(app: &App) -> Result<Snapshot, ApiError> {
    let client = app.pool.get().await?;
    let reading = catalog::read(&client, &app.config.pool.database);
    client.attend(reading).await.map_err(|error| {
        tracing::warn!("the history of migrations cannot be read: {error}");
        ApiError::UNAVAILABLE
    })
}

fn unhealthy(code: &str, message: &str, database: &Value) -> Response {
    let body = json!({ "error": { "code": code, "message": message }, "database": database });
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    response
        .headers_mut()
        .extend(ApiError::UNAVAILABLE.retry_header());
    response
}
