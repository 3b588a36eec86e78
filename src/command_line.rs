//! Reading the command line, and answering one that cannot be run.
//!
//! clap's own answer repeats arguments and goes straight to the terminal; ours goes through [`crate::output`],
//! in the log's format, and repeats nothing that could be a secret.

use std::ffi::OsString;
use std::fmt;

use clap::{CommandFactory as _, Parser};
use clap_complete::{Shell, generate};

use crate::cli::{Cli, Command};

/// What a command line that cannot be run is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `--help`, `--version` or `completions`: a text that was asked for, which needs no settings.
    Text(String),
    /// Something is wrong with it.
    Misuse(Misuse),
}

/// What is wrong with a command line, in clap's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    message: String,
    /// What else clap says, such as the values that would be possible.
    pub details: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Cli {
    /// Reads a command line; its first argument is the program's name.
    ///
    /// # Errors
    ///
    /// The answer to one that cannot be run.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Answer> {
        let cli: Self = parse(arguments)?;
        match cli.command {
            Some(Command::Completions { shell }) => Err(Answer::Text(completions(shell))),
            _ => Ok(cli),
        }
    }
}

/// Reads the command line of any of our programs.
///
/// # Errors
///
/// The answer to one that cannot be run.
pub(crate) fn parse<T: Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<T, Answer> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    T::try_parse_from(&arguments).map_err(|error| {
        let text = error.to_string();
        if error.use_stderr() {
            Answer::Misuse(Misuse::new(T::command().get_name(), text, &arguments))
        } else {
            Answer::Text(text)
        }
    })
}

/// A script that teaches a shell our commands and flags.
fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

impl Misuse {
    /// Takes clap's text apart. It repeats arguments, and where somebody has tried to give a URL or a
    /// connection string as one, that is a password: only plain words are repeated.
    fn new(program: &str, mut text: String, arguments: &[OsString]) -> Self {
        let mut hints = Vec::new();
        for argument in arguments.iter().skip(1) {
            let argument = argument.to_string_lossy();
            let is_plain = argument
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
            if !is_plain && text.contains(&*argument) {
                text = text.replace(&*argument, "***");
                hints.push("the database's URL is set in POSTGRES_URL, or in a file that --url-file names: other users see the arguments of a process".to_owned());
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
                hints.push(format!("{program} --help shows the commands and flags"));
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
