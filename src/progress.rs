//! How far a run has come: known outside of it, so that it can be stopped, and said when it was.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::connection::Brake;

/// A migration that the server has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The migration.
    pub stem: String,
    /// Its version.
    pub version: i64,
    /// From sending it to its confirmation.
    pub took: Duration,
}

/// How far a run has come.
#[derive(Debug, Default)]
pub struct Progress(Mutex<State>);

/// What is known of a run at one moment.
#[derive(Debug, Default)]
pub struct State {
    /// What the run has applied, in order.
    pub applied: Vec<Done>,
    /// The migration that has been sent and not been answered.
    pub(crate) under_way: Option<String>,
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
    /// The names of what was applied.
    pub(crate) fn applied_names(&self) -> Vec<String> {
        self.applied.iter().map(|done| done.stem.clone()).collect()
    }
}
