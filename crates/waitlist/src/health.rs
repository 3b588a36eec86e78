//! The health of the database: is it there, and is it migrated?

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use zerostarter_migrate::ledger::{self, Ledger, Snapshot, SnapshotQuery};
use zerostarter_pool::{self as pool, Pool};

use crate::api_error::ApiError;

/// How long a look may take. Health checks have short timeouts.
const LIMIT: Duration = Duration::from_secs(2);

/// How long a finding is reused: the load on the database does not depend on the number of health checks.
const FRESH: Duration = Duration::from_millis(500);

/// Looks at the database on behalf of all health checks.
pub(crate) struct Health {
    /// A separate connection. In the pool of the requests a look would wait behind them, and a busy web app would be
    /// restarted as unhealthy.
    pool: Pool,
    /// The kind of history table.
    ledger: Ledger,
    /// The versions of the embedded migrations.
    versions: Vec<i64>,
    /// Locked during a look: other health checks wait for its finding.
    last: Mutex<Option<(Instant, Finding)>>,
}

/// What a look has found.
#[derive(Clone, Copy)]
pub(crate) enum Finding {
    /// The database does not answer.
    Unavailable,
    /// It answers.
    Available {
        /// The newest applied version.
        schema_version: Option<i64>,
        /// The number of embedded migrations that are not applied.
        pending: usize,
    },
}

impl Health {
    pub(crate) fn new(config: &pool::Config, ledger: Ledger, versions: Vec<i64>) -> Self {
        let config = pool::Config {
            size: 1,
            // So that a new connection can be opened within the limit if the old one does not answer.
            connect_timeout: config.connect_timeout.min(LIMIT * 3 / 5),
            ..config.clone()
        };
        Self {
            pool: Pool::new(config),
            ledger,
            versions,
            last: Mutex::default(),
        }
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// The finding of the last look, or of a new one.
    pub(crate) async fn find_out(&self) -> Finding {
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
                Finding::Available {
                    schema_version: applied.last().copied(),
                    pending: known.filter(|version| !applied.contains(version)).count(),
                }
            }
            Ok(Err(_)) => Finding::Unavailable,
            Err(_) => {
                tracing::warn!("the history table was not read within {LIMIT:?}");
                Finding::Unavailable
            }
        };
        *last = Some((Instant::now(), finding));
        finding
    }

    async fn look(&self) -> Result<Snapshot, ApiError> {
        let client = self.pool.get().await?;
        let query = SnapshotQuery {
            ledger: self.ledger,
            schema: self.pool.config().database.url.parameters.schema.as_deref(),
            role: None,
            lock_wait: LIMIT,
        };
        let reading = ledger::read(client.unchecked(), &query);
        client.attend(reading).await.map_err(|error| {
            tracing::warn!("the history table cannot be read: {error}");
            ApiError::UNAVAILABLE
        })
    }
}
