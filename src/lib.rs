//! The start-up migrator of ZeroStarter's database, as a library; with the feature `pool` also the shared client of
//! applications, and with `api` the web app.
//!
//! The data flows in one direction, and the modules are its stations:
//!
//! ```text
//! variables → config (postgres_url, url_parameters, tls) → source → connect
//!   → migrator: catalog → history → preflight → session (lock) → report → output, exit_status
//! ```
//!
//! [`commands`] has one module a command, [`outside`] the statements that run outside a transaction. Only [`output`]
//! prints; only [`connect`], [`catalog`], [`session`], [`blocker`] and what works for them talk to the server.

#![forbid(unsafe_code)]

mod alone;
#[cfg(feature = "api")]
pub mod api;
pub mod attempt;
mod backoff;
mod bar;
pub mod blocker;
pub mod catalog;
pub mod cli;
pub mod command_line;
pub mod commands;
pub mod config;
mod config_reader;
pub mod connect;
pub mod connection;
mod details;
mod duration;
mod envelope;
pub mod error;
pub mod exit_status;
mod hint;
pub mod history;
pub mod interrupt;
mod interruption;
pub mod lock;
pub mod log;
#[cfg(feature = "api")]
mod log_writer;
pub mod message;
pub mod migrator;
pub mod output;
pub mod outside;
mod patience;
mod phase;
#[cfg(feature = "pool")]
pub mod pool;
pub mod postgres_url;
pub mod preflight;
pub mod progress;
pub mod queue;
mod remains;
mod report;
pub mod session;
pub mod settings;
mod silence;
pub mod source;
mod sql;
pub mod statement;
pub mod tls;
pub mod url_parameters;
pub mod variables;
mod watcher;
mod words;

#[cfg(feature = "pool")]
pub use zerostarter_queries::queries;
