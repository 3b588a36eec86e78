//! Watching a run: blockers, lock waits, progress.

mod blocked_tables;
mod statement_progress;
