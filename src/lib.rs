//! The start-up migrator of ZeroStarter's database, as a library for its program and its tests.
//!
//! ```text
//! main → cli, variables → config → commands → zerostarter_migrate::Migrator → report → exit status
//! ```
//!
//! The engine is the crate `zerostarter_migrate`; docs/architecture.md has the map.

#![forbid(unsafe_code)]

pub mod cli;
pub mod commands;
pub mod config;
pub mod error;
mod progress_line;
mod report;
pub mod variables;
