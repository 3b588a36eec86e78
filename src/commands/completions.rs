//! `completions`: a script that teaches a shell our commands and flags.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::error::Error;
use crate::output::Output;

pub(super) fn run(shell: Shell, output: &Output) -> Result<(), Error> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut script);
    output.data(&String::from_utf8_lossy(&script))
}
