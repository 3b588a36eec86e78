//! The start-up migrator: parse, run, report, exit.

use std::path::Path;
use std::process::ExitCode;

use zerostarter_db::cli::Cli;
use zerostarter_db::command_line::Answer;
use zerostarter_db::commands;
use zerostarter_db::error::Error;
use zerostarter_db::exit_status::ExitStatus;
use zerostarter_db::log::LogFormat;
use zerostarter_db::output::Output;
use zerostarter_db::settings::{Settings, default_last_words};
use zerostarter_db::variables::{FLAG, Layer, gather};

fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os());
    let flags = cli.as_ref().map_or_else(|_| Vec::new(), Cli::variables);
    let layers = gather(Layer::new(FLAG, flags), std::env::vars_os(), Path::new("."));
    let settings = layers.map(|layers| Settings::from_layers(&layers));
    let last_words = settings
        .as_ref()
        .map_or_else(|_| default_last_words(), Settings::last_words);
    let output = Output::new(settings.as_ref().map_or(LogFormat::Text, Settings::log_format));
    output.report_panics();
    let outcome = match (cli, settings) {
        (Err(Answer::Text(text)), _) => output.data(&text),
        (Err(Answer::Misuse(misuse)), _) => Err(Error::CommandLine(misuse)),
        (Ok(_), Err(error)) => Err(Error::Dotenv(error)),
        (Ok(cli), Ok(settings)) => run(&cli, &settings, &output),
    };
    output.last_words(&outcome, &last_words);
    match outcome {
        Ok(()) => ExitStatus::Success.into(),
        Err(error) => {
            output.error(&error);
            error.exit_status().into()
        }
    }
}

fn run(cli: &Cli, settings: &Settings, output: &Output) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Start)?;
    let outcome = runtime.block_on(commands::run(cli, settings, output));
    // A name that is still being resolved must not hold up the exit.
    runtime.shutdown_background();
    outcome
}
