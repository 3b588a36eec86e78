//! Output: log, streams, secrets.

mod logs;
mod secrets;
mod streams;
