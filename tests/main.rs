//! The end-to-end tests, as one binary: a folder a room, a file a feature.

mod apply;
mod commands;
mod connect;
mod console;
mod drizzle;
mod ledger;
mod library;
mod project;
mod source;
mod watch;
