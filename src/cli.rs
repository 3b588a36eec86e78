//! The command line. Every flag sets the variable of the same meaning; its help comes from the table of variables.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, value_parser};
use clap_complete::{Shell, generate};
use zerostarter_console::command_line::{Answer, flag, parse, variables_of};
use zerostarter_migrate::config::{APPLY_VARIABLES, TARGET};
use zerostarter_migrate::{Adoption, Resolution};
use zerostarter_settings::Variable;

use crate::variables::{REPORT, STATUS_JSON, WAIT_TIMEOUT, global};

const PROGRAM: &str = "zerostarter-db";

const ABOUT: &str = "Applies the pending migrations to a PostgreSQL database, and exits";

const LONG_ABOUT: &str = "\
Applies the pending migrations to a PostgreSQL database, and exits.

Start your app when it has exited with 0. It waits for the database. Several instances can start at the same time. If \
nothing is pending, it changes nothing.";

const AFTER_HELP: &str = "\
Settings come from flags, then the environment, then .env.$NODE_ENV, then .env.
Set NODE_ENV and POSTGRES_URL (or POSTGRES_URL_FILE); `zerostarter-db env` shows the settings in force.
Logs go to stderr, data goes to stdout.

Exit status:
  0  done; for check and wait: nothing is pending
  1  a migration failed, or the database answered with an unexpected error
  2  the command line, a variable or a migration file cannot be used
  3  the database could not be reached within MIGRATE_WAIT
  4  the database refused: password, TLS, privilege, missing database, standby
  5  migrations are pending (check; wait when its timeout is over)
  6  the history table and the migrations disagree
  7  blocked by another migrator or a table lock until the limit
  129, 130, 143  SIGHUP, SIGINT, SIGTERM: the running migration was cancelled and rolled back";

/// The commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make the migrations of another tool into V files.
    #[cfg(feature = "dev")]
    Import(zerostarter_import::Request),
    /// Apply what is pending.
    Migrate,
    /// Show every migration and its state.
    Status,
    /// Exit with 5 if migrations are pending.
    Check,
    /// Wait until nothing is pending.
    Wait,
    /// Show what `migrate` would run.
    Plan,
    /// Record a migration as applied, or make it pending.
    Resolve {
        /// The version of the migration.
        version: i64,
        /// What it becomes.
        resolution: Resolution,
        /// Whether to do it without a question.
        is_confirmed: bool,
    },
    /// Record migrations of a folder of drizzle-kit without running them.
    Adopt {
        /// Which migrations.
        adoption: Adoption,
        /// Whether to skip the look at the database.
        is_unchecked: bool,
    },
    /// Show the settings in force.
    Env,
}

/// The name, the help and the variables of a command, beside those of all commands.
struct Declaration {
    command: Command,
    name: &'static str,
    about: &'static str,
    variables: fn() -> Vec<&'static Variable>,
}

const COMMANDS: &[Declaration] = &[
    Declaration {
        command: Command::Migrate,
        name: "migrate",
        about: "Apply what is pending (the default)",
        variables: || {
            [&TARGET]
                .into_iter()
                .chain(APPLY_VARIABLES)
                .chain([&REPORT])
                .collect()
        },
    },
    Declaration {
        command: Command::Status,
        name: "status",
        about: "Show every migration and its state",
        variables: || vec![&STATUS_JSON],
    },
    Declaration {
        command: Command::Check,
        name: "check",
        about: "Exit with 0 if nothing is pending, else with 5; changes nothing",
        variables: || vec![&TARGET],
    },
    Declaration {
        command: Command::Wait,
        name: "wait",
        about: "Wait until nothing is pending: for replicas that start beside the migrator",
        variables: || vec![&WAIT_TIMEOUT, &TARGET],
    },
    Declaration {
        command: Command::Plan,
        name: "plan",
        about: "Show what migrate would run, with its SQL; changes nothing",
        variables: || vec![&TARGET],
    },
    Declaration {
        command: Command::Env,
        name: "env",
        about: "Show the settings in force and where each comes from, without secrets",
        variables: Vec::new,
    },
];

const COMPLETIONS: &str = "completions";

/// Its arguments are no variables: a decision about one migration must not stay in an environment.
const RESOLVE: &str = "resolve";

/// Nor are its arguments.
const ADOPT: &str = "adopt";

#[cfg(feature = "dev")]
const IMPORT: &str = "import";

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cli {
    /// The command; `migrate` if none is given.
    pub command: Command,
    /// The variables that the flags set.
    pub variables: Vec<(&'static str, String)>,
}

impl Cli {
    /// Reads a command line; its first argument is the program's name.
    ///
    /// # Errors
    ///
    /// The answer to a command line that runs no command.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Answer> {
        let matches = parse(command(), arguments)?;
        let subcommand = matches.subcommand();
        if let Some((COMPLETIONS, matches)) = subcommand {
            let shell = matches.get_one("shell").copied().unwrap_or(Shell::Bash);
            return Err(Answer::Text(completions(shell)));
        }
        if let Some((RESOLVE, matches)) = subcommand {
            return Ok(Self {
                command: resolve_command(matches),
                variables: variables_of(matches, global()),
            });
        }
        if let Some((ADOPT, matches)) = subcommand {
            return Ok(Self {
                command: adopt_command(matches),
                variables: variables_of(matches, global()),
            });
        }
        #[cfg(feature = "dev")]
        if let Some((IMPORT, matches)) = subcommand {
            return Ok(Self {
                command: import_command(matches),
                variables: variables_of(matches, global()),
            });
        }
        let declaration = |name| COMMANDS.iter().find(|declaration| declaration.name == name);
        let found = subcommand.and_then(|(name, matches)| Some((declaration(name)?, matches)));
        let mut variables = variables_of(&matches, global());
        if let Some((declaration, matches)) = found {
            variables.extend(variables_of(matches, (declaration.variables)()));
        }
        Ok(Self {
            command: found.map_or(Command::Migrate, |(declaration, _)| declaration.command.clone()),
            variables,
        })
    }
}

fn resolve_command(matches: &ArgMatches) -> Command {
    Command::Resolve {
        version: matches.get_one("version").copied().unwrap_or_default(),
        resolution: if matches.get_flag("applied") {
            Resolution::Applied
        } else {
            Resolution::Pending
        },
        is_confirmed: matches.get_flag("yes"),
    }
}

#[cfg(feature = "dev")]
fn import_command(matches: &ArgMatches) -> Command {
    let path = |name| {
        let path = matches.get_one::<std::path::PathBuf>(name);
        path.cloned().unwrap_or_default()
    };
    let name = matches.get_one::<String>("from").map_or("", String::as_str);
    let mut tools = zerostarter_import::Tool::ALL.into_iter();
    let tool = tools.find(|(tool, _)| *tool == name);
    Command::Import(zerostarter_import::Request {
        tool: tool.expect("clap accepts the names of tools only").1,
        folder: path("folder"),
        to: path("to"),
    })
}

#[cfg(feature = "dev")]
fn import_arguments() -> clap::Command {
    let path = |name, help| {
        Arg::new(name)
            .help(help)
            .value_parser(value_parser!(std::path::PathBuf))
    };
    clap::Command::new(IMPORT)
        .about("Make the migrations of another tool into V files, and record what it has applied")
        .arg(
            Arg::new("from")
                .long("from")
                .help("The tool")
                .value_name("TOOL")
                .required(true)
                .value_parser(zerostarter_import::Tool::ALL.map(|(name, _)| name)),
        )
        .arg(
            path("folder", "The folder of its migrations")
                .value_name("FOLDER")
                .required(true),
        )
        .arg(
            path(
                "to",
                "The directory for the V files; existing ones stay as they are",
            )
            .long("to")
            .value_name("DIRECTORY")
            .default_value("migrations"),
        )
}

fn resolve_arguments() -> clap::Command {
    let switch = |name, help| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    clap::Command::new(RESOLVE)
        .about("Decide whether an interrupted migration is applied or pending")
        .arg(
            Arg::new("version")
                .help("Its version")
                .value_name("VERSION")
                .required(true)
                .value_parser(value_parser!(i64)),
        )
        .arg(switch("applied", "Record it as applied, without running it"))
        .arg(switch("pending", "Make it pending: the next run applies it"))
        .group(
            ArgGroup::new("resolution")
                .args(["applied", "pending"])
                .required(true),
        )
        .arg(switch("yes", "Do it without a question"))
}

fn adopt_command(matches: &ArgMatches) -> Command {
    let label = |name| matches.get_one::<String>(name).cloned();
    Command::Adopt {
        adoption: match (label("to"), label("only")) {
            (Some(label), _) => Adoption::To(label),
            (None, Some(label)) => Adoption::Only(label),
            (None, None) => Adoption::Existing,
        },
        is_unchecked: matches.get_flag("unchecked"),
    }
}

fn adopt_arguments() -> clap::Command {
    let label = |name, help| Arg::new(name).long(name).help(help).value_name("TAG");
    clap::Command::new(ADOPT)
        .about("Record migrations of a Drizzle folder without running them; without arguments, show which")
        .arg(label("to", "All up to this one"))
        .arg(label("only", "This one").conflicts_with("to"))
        .arg(
            Arg::new("unchecked")
                .long("unchecked")
                .help("Do not look whether the database has what they create")
                .action(ArgAction::SetTrue),
        )
}

/// The commands and flags, for clap.
#[must_use]
pub fn command() -> clap::Command {
    let subcommands = COMMANDS.iter().map(|declaration| {
        clap::Command::new(declaration.name)
            .about(declaration.about)
            .args((declaration.variables)().into_iter().filter_map(flag))
    });
    let shell = Arg::new("shell")
        .help("The shell")
        .value_name("SHELL")
        .required(true)
        .value_parser(value_parser!(Shell));
    let command = clap::Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_help(AFTER_HELP)
        .args(global().filter_map(flag).map(|flag| flag.global(true)))
        .subcommands(subcommands)
        .subcommand(resolve_arguments())
        .subcommand(adopt_arguments())
        .subcommand(
            clap::Command::new(COMPLETIONS)
                .about("Print a completion script for a shell")
                .arg(shell),
        );
    #[cfg(feature = "dev")]
    let command = command.subcommand(import_arguments());
    command
}

/// A script for the completion of commands and flags in a shell.
fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    generate(shell, &mut command(), PROGRAM, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, command};
    use crate::variables::{all, global};

    #[test]
    fn every_variable_with_a_flag_has_it_on_the_command_line() {
        command().debug_assert();
        let offered: Vec<_> = COMMANDS
            .iter()
            .flat_map(|declaration| (declaration.variables)())
            .chain(global())
            .map(|variable| variable.name)
            .collect();
        for variable in all() {
            assert!(offered.contains(&variable.name), "{}", variable.name);
        }
    }
}
