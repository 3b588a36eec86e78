//! How a PostgreSQL database is reached.
//!
//! ```text
//! settings → Config (url, parameters, tls) → connect: every host in turn, until one answers or the time is over
//!   → connection: one attempt → dial, route: the socket and TLS; every parameter reaches the wire there
//! ```

#![forbid(unsafe_code)]

pub mod attempt;
mod authentication;
pub mod backoff;
mod canceller;
mod channel_binding;
pub mod config;
pub mod connect;
pub mod connection;
pub mod create_database;
mod demands;
pub mod dial;
mod error;
mod frames;
pub mod host;
mod large_query;
pub mod parameters;
pub mod quote;
mod route;
pub mod search_path;
mod stream;
pub mod tls;
mod tls_config;
pub mod tls_material;
pub mod tls_parameters;
pub mod url;
mod url_error;
mod url_variable;
mod verifier;

pub use authentication::AuthMethods;
pub use canceller::Canceller;
pub use config::Config;
pub use connection::Connection;
pub use error::{Error, server_details};
pub use url_error::UrlError;
