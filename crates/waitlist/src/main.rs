//! The web app: parse, serve, exit.

use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::Builder;
use zerostarter_console::command_line::Answer;
use zerostarter_console::config::early_format;
use zerostarter_console::{self as console, LogFormat, Output};
use zerostarter_diagnostic::{Diagnostic as _, ExitStatus, threads};
use zerostarter_settings::Settings;
use zerostarter_waitlist::config::variables;
use zerostarter_waitlist::{Error, cli, program};

/// How long lines of the log may wait for others: requests write many of them.
const GATHERING: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    let settings = Settings::of_process(variables());
    let output = Output::new(settings.as_ref().map_or(LogFormat::Text, early_format));
    let output = match output.clone().in_background(GATHERING) {
        Ok(in_background) => in_background,
        Err(_) => output,
    };
    output.report_panics();
    let outcome = match (cli::read(std::env::args_os()), settings) {
        (Err(Answer::Text(text)), _) => output.print(&text).map_err(Error::Console),
        (Err(Answer::Misuse(misuse)), _) => Err(console::Error::CommandLine(misuse).into()),
        (Ok(_), Err(error)) => Err(error.into()),
        (Ok(command), Ok(settings)) => run(command, &settings, &output),
    };
    let status = match &outcome {
        Ok(()) => ExitStatus::Success,
        Err(error) => {
            output.error(error);
            error.exit_status()
        }
    };
    output.flush();
    status.into()
}

fn run(command: cli::Command, settings: &Settings, output: &Output) -> Result<(), Error> {
    let processors = available_parallelism().map_or(1, usize::from);
    // The runtime panics if it gets fewer than that. Threads that have just ended may still count.
    let mut builder = if threads::are_available(2 * processors) {
        Builder::new_multi_thread()
    } else {
        Builder::new_current_thread()
    };
    let runtime = builder.enable_all().build().map_err(Error::Start)?;
    let outcome = runtime.block_on(program::run(command, settings, output));
    runtime.shutdown_background();
    outcome
}
