//! The shared client of applications: a pool of connections, and the schema as typed queries.
//!
//! The pool reads the variables that migrations read ([`zerostarter_connect::config`]), so an application reaches the database
//! that was migrated, with the same protection. With transaction pooling, which the URL shows or says, nothing stays on a
//! connection.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use zerostarter_pool::{Pool, queries::user};
//! let client = Pool::shared()?.get().await?;
//! let user = user::get_by_email().bind(&client, &"ada@example.com").opt().await?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod client;
pub mod config;
mod error;
mod in_transaction;
mod manager;
mod pool;
mod statements;

pub use client::{Client, Rows, Transaction};
pub use config::{Config, Statements};
pub use error::Error;
pub use pool::{Pool, PoolStatus};
/// [`explain`] shows an error with its details and hints: `{}` is its headline.
pub use zerostarter_diagnostic::{Diagnostic, explain};
/// What typed queries run on, and how their parameters are bound from a struct with named fields.
pub use zerostarter_queries::client::{GenericClient, Params};
/// The schema as typed queries.
pub use zerostarter_queries::queries;
