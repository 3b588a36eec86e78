//! `env`: the settings in force, and where each comes from.

use std::fmt::Write as _;

use zerostarter_console::Output;
use zerostarter_diagnostic::escape::escaped;
use zerostarter_settings::{Error as SettingsError, Settings};

use crate::config::Config;
use crate::error::Error;
use crate::variables;

/// Prints what is set even if some of it is wrong.
pub(super) async fn run(
    settings: &Settings,
    config: Result<Config, SettingsError>,
    output: &Output,
) -> Result<(), Error> {
    let mut text = String::new();
    for variable in variables::all() {
        let line = match settings.get(variable.name) {
            None => format!("{}  (not set)", variable.name),
            // A URL in the wrong variable has its password there too.
            Some(setting) if variable.secret || setting.value.contains("://") => {
                format!("{}=***  ({})", variable.name, setting.origin)
            }
            Some(setting) => format!("{}={}  ({})", variable.name, setting.value, setting.origin),
        };
        let _ = writeln!(text, "{}", escaped(&line));
    }
    if let Ok(config) = &config {
        let database = &config.migrate.database;
        database.log_url();
        let _ = writeln!(
            text,
            "\ndatabase: {} (from {})",
            escaped(&database.url.to_string()),
            database.url_source
        );
        let _ = writeln!(text, "TLS: {}", database.tls_policy);
    }
    output.data(&text).await?;
    config?;
    Ok(())
}
