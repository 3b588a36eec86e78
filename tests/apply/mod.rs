//! Applying migrations: order, locks, recovery, what a run costs.

mod atomic;
mod concurrency;
mod crash_points;
mod crashes;
mod declared;
mod exit_on_error;
mod foreign_operators;
mod hostile_defaults;
mod lost_migrations;
mod non_transactional;
mod noop;
mod poolers;
mod refinery;
mod session_state;
mod signals;
mod sql_errors;
mod steps;
mod transaction_modes;
