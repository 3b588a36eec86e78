//! The command line: flags made from variables, and the answer to a command line that cannot be run.
//!
//! clap's answer repeats arguments and goes straight to the terminal. Ours goes through [`Output`](crate::Output), in the
//! format of the log, and repeats nothing that could be a secret.

use std::ffi::OsString;
use std::fmt;

use clap::{Arg, ArgAction, ArgMatches};
use zerostarter_settings::{Flag, Variable};

/// The answer to a command line that runs no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `--help`, `--version` or a completion script: a text, for which no settings are needed.
    Text(String),
    /// It is wrong.
    Misuse(Misuse),
}

/// What is wrong with a command line, in clap's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    message: String,
    /// What else clap says, such as the possible values.
    pub details: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Parses `arguments`, of which the first is the program's name.
///
/// # Errors
///
/// The answer to a command line that cannot be run.
pub fn parse(
    mut command: clap::Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<ArgMatches, Answer> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    command.try_get_matches_from_mut(&arguments).map_err(|error| {
        let text = error.to_string();
        if error.use_stderr() {
            Answer::Misuse(Misuse::new(command.get_name(), text, &arguments))
        } else {
            Answer::Text(text)
        }
    })
}

/// The flag of `variable`, if it has one. Its help shows the variable and the default.
#[must_use]
pub fn flag(variable: &Variable) -> Option<Arg> {
    let Flag { name, value } = variable.flag?;
    let environment = if value.is_some() {
        variable.name.to_owned()
    } else {
        format!("{}=yes", variable.name)
    };
    let mut help = format!("{} [env: {environment}]", variable.help);
    let default = variable.default.filter(|_| value.is_some());
    if let Some(default) = variable.default_in_words.or(default) {
        help = format!("{help} [default: {default}]");
    }
    let flag = Arg::new(variable.name).long(name).help(help);
    Some(match value {
        Some(value) => flag.value_name(value).action(ArgAction::Set),
        None => flag.action(ArgAction::SetTrue),
    })
}

/// The variables that the flags of `matches` set. A flag only sets its variable, so that one place decides what a value
/// may be, and all problems are reported together.
#[must_use]
pub fn variables_of<'v>(
    matches: &ArgMatches,
    variables: impl IntoIterator<Item = &'v Variable>,
) -> Vec<(&'static str, String)> {
    let value = |variable: &Variable| {
        if variable.flag?.value.is_some() {
            matches.try_get_one::<String>(variable.name).ok()?.cloned()
        } else {
            let is_given = matches.try_get_one::<bool>(variable.name).ok()?.copied();
            is_given?.then(|| "yes".to_owned())
        }
    };
    variables
        .into_iter()
        .filter_map(|variable| Some((variable.name, value(variable)?)))
        .collect()
}

impl Misuse {
    /// Splits clap's text into headline, details and hints. clap repeats arguments; if a user gave a URL or a connection
    /// string as one, it contains a password. So only plain words are repeated.
    fn new(program: &str, mut text: String, arguments: &[OsString]) -> Self {
        let mut hints = Vec::new();
        for argument in arguments.iter().skip(1) {
            let argument = argument.to_string_lossy();
            let is_plain = argument
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
            if !is_plain && text.contains(&*argument) {
                text = text.replace(&*argument, "***");
                hints.push("set the database's URL in POSTGRES_URL, or in a file that --url-file names: other users see the arguments of a process".to_owned());
            }
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first).to_owned();
        let mut details = Vec::new();
        for line in lines {
            if let Some(tip) = line.strip_prefix("tip: ") {
                hints.push(tip.to_owned());
            } else if line.starts_with("For more information") {
                hints.push(format!("run {program} --help for the commands and flags"));
            } else {
                details.push(line.to_owned());
            }
        }
        Self {
            message,
            details,
            hints,
        }
    }
}
