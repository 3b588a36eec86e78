//! `env`: the settings in force, and where each comes from.

use std::fmt::Write as _;

use crate::config::Config;
use crate::error::Error;
use crate::output::Output;
use crate::settings::{Settings, VARIABLES};

/// Prints what is set even if some of it is wrong: that is when somebody looks.
pub(super) fn run(settings: &Settings, config: Result<Config, Error>, output: &Output) -> Result<(), Error> {
    let mut text = String::new();
    for variable in VARIABLES {
        let line = match settings.get(variable.name) {
            None => format!("{}  (not set)", variable.name),
            // A URL that was put into the wrong variable has its password there too.
            Some(setting) if variable.secret || setting.value.contains("://") => {
                format!("{}=***  ({})", variable.name, setting.origin)
            }
            Some(setting) => format!("{}={}  ({})", variable.name, setting.value, setting.origin),
        };
        let _ = writeln!(text, "{line}");
    }
    if let Ok(config) = &config {
        let _ = writeln!(text, "\ndatabase: {} (from {})", config.url, config.url_variable);
        let _ = writeln!(text, "TLS: {}", config.tls_policy);
    }
    output.data(&text)?;
    config.map(drop)
}
