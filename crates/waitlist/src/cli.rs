//! The command line of the web app.

use std::ffi::OsString;
use std::fmt::Write as _;

use zerostarter_console::command_line::{Answer, parse};

use crate::config::variables;

const PROGRAM: &str = "zerostarter-api";

const ABOUT: &str = "Serves the waitlist, as JSON and as a page, until it is stopped";

const EXIT_STATUS: &str = "\
Exit status:
  0  stopped by SIGTERM, SIGINT or SIGHUP; for check: healthy
  1  for check: not healthy
  2  the command line or a variable cannot be used";

/// The commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve.
    Serve,
    /// Request the health of the web app in this container.
    Check,
}

/// Reads a command line; its first argument is the program's name.
///
/// # Errors
///
/// The answer to a command line that runs no command.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Answer> {
    let matches = parse(command(), arguments)?;
    Ok(match matches.subcommand_name() {
        Some("check") => Command::Check,
        _ => Command::Serve,
    })
}

fn command() -> clap::Command {
    clap::Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(after_help())
        .subcommand(clap::Command::new("serve").about("Serve (the default)"))
        .subcommand(clap::Command::new("check").about("Request the health of the web app in this container"))
}

/// The table of variables: the web app has no flags.
fn after_help() -> String {
    let mut help = "\
Settings come from the environment, then .env.$NODE_ENV, then .env.
Set NODE_ENV and POSTGRES_URL (or POSTGRES_URL_FILE).

"
    .to_owned();
    for variable in variables() {
        let default = variable.default.map(|default| format!(" [default: {default}]"));
        let default = default.unwrap_or_default();
        let _ = writeln!(help, "  {}{default}\n      {}", variable.name, variable.help);
    }
    help.push('\n');
    help.push_str(EXIT_STATUS);
    help
}
