//! How a PostgreSQL database is reached.
//!
//! ```text
//! settings → Config (url, parameters, tls) → connect: every host in turn, until one answers or the time is over
//!   → connection: one attempt; every parameter reaches the wire there
//! ```

#![forbid(unsafe_code)]

pub mod attempt;
pub mod backoff;
mod canceller;
pub mod config;
pub mod connect;
pub mod connection;
pub mod create_database;
mod error;
pub mod host;
pub mod parameters;
pub mod quote;
pub mod search_path;
pub mod tls;
mod tls_config;
pub mod url;
mod url_error;
mod url_variable;

pub use canceller::Canceller;
pub use config::Config;
pub use connection::Connection;
pub use error::{Error, server_details};
pub use url_error::UrlError;
