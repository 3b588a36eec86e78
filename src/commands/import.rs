//! `import`: makes the migrations of another tool into V files, and records what it has applied.

use std::fmt::Write as _;

use zerostarter_console::Output;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_import::{Imported, Request};

use crate::config::Config;
use crate::error::Error;

pub(super) async fn run(config: &Config, request: &Request, output: &Output) -> Result<(), Error> {
    let Imported {
        written,
        recorded,
        pending,
    } = request.run(&config.migrate).await?;
    let mut text = String::new();
    let lines = [
        ("wrote", &written),
        ("recorded as applied", &recorded),
        ("pending", &pending),
    ];
    for (what, names) in lines {
        for name in names {
            let _ = writeln!(text, "{what} {}", escaped(name));
        }
    }
    if text.is_empty() {
        text.push_str("nothing to import\n");
    }
    Ok(output.data(&text).await?)
}
