//! The command line of the web app.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::command_line::{Answer, parse};

const AFTER_HELP: &str = "\
Settings come from the environment, then .env.$NODE_ENV, then .env.
NODE_ENV and POSTGRES_URL (or POSTGRES_URL_FILE) have to be set.

  API_LISTEN             address and port [default: 0.0.0.0:4000]
  API_RATE_LIMIT         requests of one client in a window, 0 for any number [default: 60]
  API_RATE_LIMIT_WINDOW  the window [default: 60s]
  API_TRUSTED_PROXIES    reverse proxies in front that add to X-Forwarded-For [default: 0]
  API_REQUEST_TIMEOUT    for one answer [default: 10s]
  API_SHUTDOWN_TIMEOUT   for requests under way when it is stopped [default: 10s]
  POSTGRES_POOL_SIZE, POSTGRES_POOL_WAIT, POSTGRES_CONNECT_TIMEOUT, POSTGRES_IDLE_TIMEOUT,
  POSTGRES_MAX_LIFETIME  the connections to the database [default: 10, 10s, 10s, 30s, none]
  LOG_FORMAT, RUST_LOG   text or json; a level [default: text, info]

Exit status:
  0  stopped by SIGTERM or SIGINT; for check: healthy
  1  for check: not healthy
  2  the command line or a variable cannot be used";

/// Serves the waitlist, as JSON and as a page, until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "zerostarter-api", version, after_help = AFTER_HELP)]
pub struct ApiCli {
    /// What to do: serve where nothing is given.
    #[command(subcommand)]
    pub command: Option<ApiCommand>,
}

/// The commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum ApiCommand {
    /// Serve (the default)
    Serve,
    /// Ask the one that serves in this container whether it is healthy
    Check,
}

impl ApiCli {
    /// Reads a command line; its first argument is the program's name.
    ///
    /// # Errors
    ///
    /// The answer to one that cannot be run.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Answer> {
        parse(arguments)
    }
}
