//! Watching a run: blockers, progress, liveness of the connection.

pub(crate) mod blocker;
pub(crate) mod catalog_query;
mod liveness;
mod lock_wait;
mod locked_relations;
#[cfg(test)]
mod locked_relations_tests;
mod long_running;
mod progress;
mod statement_progress;
mod watcher;

pub use blocker::Blocker;
pub(crate) use blocker::{find_history_locker, find_holder, join, migrators_lock, steps_lock};
pub use lock_wait::LockWait;
pub(crate) use long_running::{LONG_RUNNING_TRANSACTION, find_long_running, raise_if_long_running};
pub use progress::{Activity, Done, Progress, Sent, State};
pub(crate) use watcher::Watcher;
