//! The start-up migrator: parse, run, report, exit.

use std::process::ExitCode;
use std::time::Duration;

use zerostarter_console::command_line::Answer;
use zerostarter_console::config::early_format;
use zerostarter_console::{self as console, LogFormat, Output};
use zerostarter_db::cli::Cli;
use zerostarter_db::commands;
use zerostarter_db::config::termination_log;
use zerostarter_db::error::Error;
use zerostarter_db::variables;
use zerostarter_diagnostic::{Diagnostic, ExitStatus};
use zerostarter_settings::Settings;

fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os());
    let flags = cli
        .as_ref()
        .map_or_else(|_| Vec::new(), |cli| cli.variables.clone());
    let settings = Settings::with_flags(flags, variables::all());
    let output = Output::new(settings.as_ref().map_or(LogFormat::Text, early_format));
    // If the system starts no thread, this one writes.
    let output = match output.clone().in_background(Duration::ZERO) {
        Ok(in_background) => in_background,
        Err(_) => output,
    };
    output.report_panics();
    let termination_log = termination_log(settings.as_ref().ok());
    let outcome = match (cli, settings) {
        (Err(Answer::Text(text)), _) => output.print(&text).map_err(Error::Console),
        (Err(Answer::Misuse(misuse)), _) => Err(console::Error::CommandLine(misuse).into()),
        (Ok(_), Err(error)) => Err(Error::Settings(error)),
        (Ok(cli), Ok(settings)) => run(&cli, &settings, &output),
    };
    let error = outcome.as_ref().err().map(|error| error as &dyn Diagnostic);
    output.termination_log(error, &termination_log);
    let status = error.map_or(ExitStatus::Success, |error| {
        output.error(error);
        error.exit_status()
    });
    output.flush();
    status.into()
}

fn run(cli: &Cli, settings: &Settings, output: &Output) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Start)?;
    let outcome = runtime.block_on(commands::run(cli.command.clone(), settings, output));
    // A name that is still being resolved must not delay the exit.
    runtime.shutdown_background();
    outcome
}
