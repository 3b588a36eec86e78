//! What every integration test stands on: throwaway PostgreSQL servers, a database a test,
//! the program under test as a builder, a proxy that counts and misbehaves, and certificates.
//!
//! ```ignore
//! let database = Server::shared().database();
//! assert_snapshot!(zerostarter_db(&database).arg("status").snapshot(), @"…");
//! ```

#![allow(
    dead_code,
    unused_imports,
    reason = "a harness offers more than the tests of today use"
)]

mod command;
mod crash_proxy;
mod database;
mod distance;
mod filters;
mod installation;
mod pgbench;
mod poll;
mod pooler;
mod proxy;
mod rounds;
mod running;
mod server;
mod session;
mod supervisor;
pub(crate) mod tls;
#[cfg(feature = "api")]
mod web;

pub(crate) use command::{Command, Run, zerostarter_db};
pub(crate) use crash_proxy::{CrashProxy, Cut, Direction, Fate, Moment};
pub(crate) use database::Database;
pub(crate) use pgbench::{Account, Pgbench};
pub(crate) use poll::poll;
pub(crate) use pooler::Pooler;
pub(crate) use proxy::Proxy;
pub(crate) use rounds::rounds;
pub(crate) use running::Running;
pub(crate) use server::{Server, ServerOptions, Shutdown, unused_port};
pub(crate) use session::Session;
#[cfg(feature = "api")]
pub(crate) use web::{Answer, Api, zerostarter_api};
