//! What every integration test stands on: throwaway PostgreSQL servers, a database a test,
//! the program under test as a builder, a proxy that counts and misbehaves, and certificates.
//!
//! ```no_run
//! use zerostarter_test_harness::{Server, zerostarter_db};
//! let database = Server::shared().database();
//! println!("{}", zerostarter_db(&database).arg("status").snapshot());
//! ```

#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "it is for the tests of this workspace, and panics are how it fails"
)]

mod command;
mod crash_proxy;
mod database;
mod distance;
mod filters;
mod installation;
mod left_out;
mod pgbench;
mod poll;
mod pooler;
mod program;
mod proxy;
mod rounds;
mod running;
mod server;
mod session;
mod supervisor;
pub mod tls;
mod trickle;
mod web;

pub use command::{Command, Run, zerostarter_db};
pub use crash_proxy::{CrashProxy, Cut, Direction, Fate, Moment};
pub use database::Database;
pub use installation::client_program;
pub use left_out::left_out;
pub use pgbench::{Account, Pgbench};
pub use poll::poll;
pub use pooler::Pooler;
pub use program::{example, program, workspace};
pub use proxy::Proxy;
pub use rounds::rounds;
pub use running::Running;
pub use server::{Server, ServerOptions, Shutdown, unused_port};
pub use session::Session;
pub use web::{Answer, Api, zerostarter_api};
