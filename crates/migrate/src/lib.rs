//! The engine of a start-up migrator for PostgreSQL: it applies the pending migrations of a [`Source`] under a lock, one
//! transaction and one round trip each, and records them in refinery's history table.
//!
//! ```text
//! source: where migrations come from       sql: what a migration file contains, decided on tokens
//! ledger: the history table, the lock      watch: blockers, progress, liveness      apply: the checklist
//! ```
//!
//! [`Migrator`] is the entry. The rooms use only rooms before them in the order `sql`, `source`, `ledger`, `config`, `watch`,
//! `apply`.

#![forbid(unsafe_code)]

pub mod apply;
pub mod config;
pub mod ledger;
pub mod source;
pub mod sql;
pub mod watch;

pub use apply::{Adoption, Error, Migrator, Resolution};
pub use config::Config;
pub use source::Source;
pub use watch::Progress;
pub use zerostarter_diagnostic::signal::{Interrupt, Signal};
pub use zerostarter_diagnostic::{Diagnostic, explain};
