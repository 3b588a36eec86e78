//! The settings of the log.

use tracing_subscriber::filter::{LevelFilter, Targets};
use zerostarter_settings::{Reader, Settings, Variable};

use crate::format::LogFormat;

/// The variables of the log.
pub const VARIABLES: &[Variable] = &[
    Variable::new("LOG_FORMAT", "text or json")
        .flag("log-format", "FORMAT")
        .default("text"),
    Variable::new("RUST_LOG", "error, warn, info, debug, trace or off")
        .flag("log-level", "LEVEL")
        .default("info"),
];

/// The settings of the log.
#[derive(Clone, Debug)]
pub struct Config {
    /// `LOG_FORMAT`.
    pub format: LogFormat,
    /// `RUST_LOG`.
    pub filter: Targets,
}

impl Config {
    /// Reads the settings. `None` after a problem, which `reader` has noted.
    pub fn load(reader: &mut Reader<'_>) -> Option<Self> {
        let format = reader.parse("LOG_FORMAT", "is not text or json", LogFormat::parse);
        let filter = reader.parse(
            "RUST_LOG",
            "is not a level (error, warn, info, debug, trace, off) or a list of target=level",
            parse_filter,
        );
        Some(Self {
            format: format?,
            filter: filter?,
        })
    }
}

/// The format of errors that come before the settings are known to be valid.
#[must_use]
pub fn early_format(settings: &Settings) -> LogFormat {
    settings
        .get("LOG_FORMAT")
        .and_then(|setting| LogFormat::parse(&setting.value))
        .unwrap_or_default()
}

/// A level, or a list of `target=level`. `Targets` would read a misspelt level as the name of a target, and the log would
/// be empty. The target `zerostarter_db` selects all crates of this workspace: their names begin with `zerostarter_`.
fn parse_filter(text: &str) -> Option<Targets> {
    let is_level = |part: &str| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok();
    if text.split(',').all(is_level) {
        text.replace("zerostarter_db", "zerostarter").parse().ok()
    } else {
        None
    }
}
