//! The start-up migrator of ZeroStarter's database, as a library.
//!
//! The data flows in one direction, and the modules are its stations:
//!
//! ```text
//! variables → config (postgres_url, url_parameters, tls) → source → connect
//!   → migrator: catalog → history → preflight → session (lock) → report → output, exit_status
//! ```
//!
//! [`commands`] has one module a command. Only [`output`] prints; only [`connect`], [`catalog`] and
//! [`session`] talk to the server.

#![forbid(unsafe_code)]

mod backoff;
pub mod catalog;
pub mod cli;
pub mod commands;
pub mod config;
pub mod connect;
pub mod error;
pub mod exit_status;
pub mod history;
pub mod lock;
pub mod log;
pub mod migrator;
pub mod output;
pub mod postgres_url;
pub mod preflight;
pub mod session;
pub mod source;
mod sql;
pub mod statement;
pub mod tls;
pub mod url_parameters;
pub mod variables;
