//! The waitlist, as JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;
use zerostarter_pool::queries::waitlist;

use crate::api_error::ApiError;
use crate::app::App;
use crate::email::normalize;

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
        count: app.count.shown(&app.pool, app.config.count_age).await?,
    }))
}

/// Adds an address to the list. Neither the answer nor its time says whether it was there already: a row that is written takes
/// longer than one that is found, so the answer waits for the next multiple of `API_JOIN_TIME`.
pub(crate) async fn join(app: &App, joining: &Joining) -> Result<(), ApiError> {
    let email = normalize(&joining.email).ok_or(ApiError::INVALID_EMAIL)?;
    let started = Instant::now();
    if joining.subject.as_deref().is_none_or(str::is_empty) {
        add(app, &email).await?;
    }
    sleep_until(started + next_multiple(app.config.join_time, started.elapsed())).await;
    Ok(())
}

/// The connection is returned to the pool before the answer waits.
async fn add(app: &App, email: &str) -> Result<(), ApiError> {
    let id = Uuid::new_v4().to_string();
    let client = app.pool.get().await?;
    waitlist::join().bind(&client, &id, &email).await?;
    Ok(())
}

fn next_multiple(step: Duration, elapsed: Duration) -> Duration {
    if step.is_zero() {
        return elapsed;
    }
    let steps = elapsed.as_nanos() / step.as_nanos() + 1;
    step * u32::try_from(steps).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::next_multiple;

    #[test]
    fn the_time_of_an_answer_is_that_of_the_next_step() {
        let at = |ms| next_multiple(Duration::from_millis(100), Duration::from_millis(ms)).as_millis();
        assert_eq!([0, 1, 30, 99].map(at), [100; 4]);
        assert_eq!([100, 101, 250].map(at), [200, 200, 300]);
        assert_eq!(
            next_multiple(Duration::ZERO, Duration::from_millis(7)).as_millis(),
            7
        );
    }
}
