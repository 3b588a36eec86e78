//! The web app: a waitlist as JSON and as a page, on the database that was migrated before it starts.
//!
//! ```text
//! cli → program → server → routes: observe (metrics, access log) → limit_client → limit_time → waitlist, page, health → pool
//! ```

#![forbid(unsafe_code)]

mod api_error;
mod app;
mod check;
pub mod cli;
pub mod config;
mod count;
mod email;
mod error;
mod health;
mod health_route;
mod metrics;
mod observe;
mod page;
mod places;
pub mod program;
mod rate_limit;
pub mod routes;
mod server;
mod waitlist;

pub use api_error::ApiError;
pub use config::Config;
pub use error::Error;
