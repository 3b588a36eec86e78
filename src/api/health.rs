//! `GET /api/health`: whether requests can be served.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::App;
use super::error::ApiError;
use crate::catalog::{self, Snapshot};
use crate::pool::{Pool, PoolConfig};

/// Who asks after our health gives up soon, so that an answer must come sooner.
const LIMIT: Duration = Duration::from_secs(2);

/// What was found out so recently is told again: however many ask, the database has no more to do.
const FRESH: Duration = Duration::from_millis(500);

/// Looks after the database for all who ask.
pub(super) struct Health {
    /// One connection of its own. With the pool of the requests it would wait behind them, and a program that has much
    /// to do would be ended as if it were ill.
    pool: Pool,
    /// The migrations that this program knows.
    versions: Vec<i64>,
    /// Held while one looks: the others take over what it finds.
    last: Mutex<Option<(Instant, Finding)>>,
}

/// What there was to see.
#[derive(Clone, Copy)]
enum Finding {
    Silent,
    Migrated {
        schema_version: Option<i64>,
        pending: usize,
    },
}

impl Health {
    pub(super) fn new(config: &PoolConfig, versions: Vec<i64>) -> Self {
        let config = PoolConfig {
            size: 1,
            // So that there is time for a new connection before the answer is due where the old one is silent.
            connect_timeout: config.connect_timeout.min(LIMIT * 3 / 5),
            ..config.clone()
        };
        Self {
            pool: Pool::new(config),
            versions,
            last: Mutex::default(),
        }
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }

    async fn find_out(&self) -> Finding {
        let mut last = self.last.lock().await;
        if let Some((at, finding)) = *last
            && at.elapsed() < FRESH
        {
            return finding;
        }
        let finding = match timeout(LIMIT, self.look()).await {
            Ok(Ok(snapshot)) => {
                let applied: Vec<i64> = snapshot.applied().iter().map(|row| row.version).collect();
                let known = self.versions.iter();
                Finding::Migrated {
                    schema_version: applied.last().copied(),
                    pending: known.filter(|version| !applied.contains(version)).count(),
                }
            }
            Ok(Err(_)) => Finding::Silent,
            Err(_) => {
                tracing::warn!("the history of migrations was not read within {LIMIT:?}");
                Finding::Silent
            }
        };
        *last = Some((Instant::now(), finding));
        finding
    }

    async fn look(&self) -> Result<Snapshot, ApiError> {
        let client = self.pool.get().await?;
        let reading = catalog::read(client.wire(), &self.pool.config().database);
        client.attend(reading).await.map_err(|error| {
            tracing::warn!("the history of migrations cannot be read: {error}");
            ApiError::UNAVAILABLE
        })
    }
}

/// 200 where the database has every migration that this program knows. One that has more is healthy too: that is a
/// deploy which is under way, or one that was rolled back.
pub(super) async fn get(State(app): State<Arc<App>>) -> Response {
    // Who asks may be less patient than the look takes, which the next would have to begin anew.
    let finding = tokio::spawn(async move { app.health.find_out().await }).await;
    match finding.unwrap_or(Finding::Silent) {
        Finding::Migrated {
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
        Finding::Silent => unhealthy(
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
