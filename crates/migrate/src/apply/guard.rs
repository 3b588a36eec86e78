//! The guard: the first connection, which holds the migrators' lock while the second one, the worker, works.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{sleep, timeout};
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::AttemptError;

use super::failure::Failure;
use super::pending::Pending;
use crate::config::Config;
use crate::ledger::Snapshot;
use crate::watch::Progress;

/// How often to check whether the guard is still connected.
const GUARD_INTERVAL: Duration = Duration::from_millis(100);

/// How long the server may take to cancel a statement whose guard is lost, or to report its leftovers.
pub(super) const RECOVERY_LIMIT: Duration = Duration::from_secs(5);

/// What the steps of one migration run with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) progress: &'a Progress,
    pub(crate) guard: &'a Connection,
    pub(crate) file: &'a Pending<'a>,
}

/// Does `work` on the worker. When the guard's connection is lost, it cancels what the worker does: without the lock, another
/// migrator may begin the same.
pub(super) async fn while_guarded<T>(
    guard: &Connection,
    worker: &Connection,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    let work = pin!(work);
    match select(work, pin!(lose_guard(guard))).await {
        Either::Left((outcome, _)) => Ok(outcome),
        Either::Right((lost, work)) => {
            worker.canceller().cancel().await;
            let _ = timeout(RECOVERY_LIMIT, work).await;
            Err(Failure::Lost(AttemptError::Postgres(lost)))
        }
    }
}

/// Ends when the guard's connection is closed, with the driver's error.
async fn lose_guard(guard: &Connection) -> tokio_postgres::Error {
    let client = guard.client();
    loop {
        if client.is_closed()
            && let Err(error) = client.batch_execute("").await
        {
            return error;
        }
        sleep(GUARD_INTERVAL).await;
    }
}
