//! How a program speaks: data to stdout; the log, errors and the last line of a terminal to stderr; no secret to either.
//!
//! Only [`Output`] prints.

#![forbid(unsafe_code)]

mod clock;
pub mod command_line;
pub mod config;
mod error;
mod format;
pub mod log;
mod log_writer;
mod output;
mod question;
mod redaction;

pub use clock::now;
pub use config::Config;
pub use error::Error;
pub use format::LogFormat;
pub use output::Output;
