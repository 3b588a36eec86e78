//! The integration tests, as one binary: one module a feature, and the harness they share.

mod harness;
mod harness_itself;
