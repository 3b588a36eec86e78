//! The web app: parse, serve, exit.

use std::path::Path;
use std::process::ExitCode;

use zerostarter_db::api::cli::ApiCli;
use zerostarter_db::api::program;
use zerostarter_db::command_line::Answer;
use zerostarter_db::error::Error;
use zerostarter_db::exit_status::ExitStatus;
use zerostarter_db::log::LogFormat;
use zerostarter_db::output::Output;
use zerostarter_db::settings::Settings;
use zerostarter_db::variables::{FLAG, Layer, gather};

fn main() -> ExitCode {
    let no_flags = Layer::new(FLAG, Vec::<(String, String)>::new());
    let layers = gather(no_flags, std::env::vars_os(), Path::new("."));
    let settings = layers.map(|layers| program::settings(&layers));
    let output = Output::new(settings.as_ref().map_or(LogFormat::Text, Settings::log_format));
    let output = match output.clone().in_background() {
        Ok(in_background) => in_background,
        Err(_) => output,
    };
    output.report_panics();
    let outcome = match (ApiCli::read(std::env::args_os()), settings) {
        (Err(Answer::Text(text)), _) => output.data(&text),
        (Err(Answer::Misuse(misuse)), _) => Err(Error::CommandLine(misuse)),
        (Ok(_), Err(error)) => Err(Error::Dotenv(error)),
        (Ok(cli), Ok(settings)) => run(&cli, &settings, &output),
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

fn run(cli: &ApiCli, settings: &Settings, output: &Output) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Start)?;
    let outcome = runtime.block_on(program::run(cli, settings, output));
    runtime.shutdown_background();
    outcome
}
