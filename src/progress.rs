//! How far a run has come: known outside of it, so that it can be stopped, and said when it was.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::catalog::Snapshot;
use crate::connection::Brake;

/// A migration that the server has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The migration.
    pub stem: String,
    /// Its version.
    pub version: i64,
    /// From sending it to its confirmation, the last time.
    pub took: Duration,
    /// How often it was tried; more than once where it lost against the locks of others.
    pub tries: u32,
}

/// How far a run has come.
#[derive(Debug, Default)]
pub struct Progress(Mutex<State>);

/// What is known of a run at one moment.
#[derive(Debug, Default)]
pub struct State {
    /// What the run has applied, in order.
    pub applied: Vec<Done>,
    /// The schema of the history.
    pub(crate) schema: Option<String>,
    /// How many migrations were pending when the run first looked.
    pub(crate) pending: Option<usize>,
    /// The position in the write-ahead log and the time before the first change.
    pub(crate) recovery_point: Option<(String, String)>,
    /// How often the migration that is up next has lost against the locks of others.
    pub(crate) tries: u32,
    /// Who was last seen in the way.
    pub(crate) blocked_by: Option<String>,
    /// The migration that has been sent and not been answered.
    pub(crate) under_way: Option<String>,
    /// What remains of a migration that ran outside a transaction and was not recorded.
    pub(crate) remains: Option<String>,
    /// A signal has come: nothing more is begun.
    pub(crate) is_stopping: bool,
    /// What stops the connection that the run works on.
    pub(crate) brake: Option<Arc<Brake>>,
}

impl Progress {
    /// The state, for as long as what is returned lives. Nothing that waits may be done meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A try has lost against the locks of others, and was rolled back.
    pub(crate) fn lose(&mut self, blocked_by: Option<String>) {
        self.under_way = None;
        self.remains = None;
        self.tries += 1;
        self.blocked_by = blocked_by.or(self.blocked_by.take());
    }

    /// Remembers what was found before the first change of the run.
    pub(crate) fn note(&mut self, snapshot: &Snapshot, pending: usize) {
        self.schema.get_or_insert_with(|| snapshot.schema.clone());
        self.pending.get_or_insert(pending);
        if self.recovery_point.is_none() {
            let time = snapshot.server_time.clone();
            self.recovery_point = snapshot.wal_position.clone().map(|position| (position, time));
        }
    }

    /// The names of what was applied.
    pub(crate) fn applied_names(&self) -> Vec<String> {
        self.applied.iter().map(|done| done.stem.clone()).collect()
    }
}
