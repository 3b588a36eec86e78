//! The waitlist, as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zerostarter_pool::queries::waitlist;

use crate::api_error::ApiError;
use crate::app::App;
use crate::email::normalize;

/// A smaller count is not shown: it would say too much about single people.
const SHOWN_FROM: i64 = 10;

/// The count is rounded down to a multiple, so that it does not show who joins.
const SHOWN_STEP: i64 = 5;

/// A request to join the list.
#[derive(Deserialize)]
pub(crate) struct Joining {
    pub(crate) email: String,
    /// A field that people do not see and bots fill in.
    #[serde(default)]
    subject: Option<String>,
}

/// The answer to it, also if the address was on the list already, or a bot sent it.
#[derive(Serialize)]
pub(crate) struct Joined {
    status: &'static str,
}

/// About how many people are on the list.
#[derive(Serialize)]
pub(crate) struct Count {
    count: i64,
}

/// `POST /api/waitlist`
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    body: Result<Json<Joining>, JsonRejection>,
) -> Result<Json<Joined>, ApiError> {
    let Json(joining) = body?;
    join(&app, &joining).await?;
    Ok(Json(Joined { status: "joined" }))
}

/// `GET /api/waitlist`
pub(crate) async fn get(State(app): State<Arc<App>>) -> Result<Json<Count>, ApiError> {
    Ok(Json(Count {
        count: count(&app).await?,
    }))
}

/// Adds an address to the list. The answer does not say whether it was there already.
pub(crate) async fn join(app: &App, joining: &Joining) -> Result<(), ApiError> {
    let email = normalize(&joining.email).ok_or(ApiError::INVALID_EMAIL)?;
    if joining.subject.as_deref().is_some_and(|text| !text.is_empty()) {
        return Ok(());
    }
    let id = Uuid::new_v4().to_string();
    let client = app.pool.get().await?;
    waitlist::join().bind(&client, &id, &email).await?;
    Ok(())
}

/// The count as it is shown: 0 if it is too small.
pub(crate) async fn count(app: &App) -> Result<i64, ApiError> {
    let client = app.pool.get().await?;
    Ok(shown(waitlist::count().bind(&client).one().await?))
}

const fn shown(count: i64) -> i64 {
    if count < SHOWN_FROM {
        0
    } else {
        count - count % SHOWN_STEP
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn small_counts_are_not_shown_and_others_are_rounded_down() {
        let counts = [0, 1, 9, 10, 11, 14, 15, 19, 20, 1_234].map(shown);
        assert_eq!(counts, [0, 0, 0, 10, 10, 10, 15, 15, 20, 1_230]);
    }
}
