//! Watching a run: blockers, lock waits, progress.

mod blocked_tables;
mod slow_links;
mod statement_progress;
