//! The integration tests, as one binary: one module a feature, and the harness they share.

mod harness;
mod harness_itself;
mod noop;
mod schema;
mod history;
mod hostile_defaults;
