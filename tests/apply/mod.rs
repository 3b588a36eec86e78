//! Applying migrations: order, locks, recovery, what a run costs.

mod atomic;
mod concurrency;
mod crash_points;
mod crashes;
mod declared;
mod foreign_operators;
mod hostile_defaults;
mod non_transactional;
mod noop;
mod poolers;
mod refinery;
mod session_state;
mod signals;
mod sql_errors;
mod transaction_modes;
