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
        let parts: Vec<String> = text.split(',').map(with_all_crates).collect();
        parts.join(",").parse().ok()
    } else {
        None
    }
}

/// A part of the list in which the target `zerostarter_db`, or a module of it, is the prefix of all crates of this workspace.
fn with_all_crates(part: &str) -> String {
    let (target, level) = part
        .split_once('=')
        .map_or((part, None), |(target, level)| (target, Some(level)));
    let name = target.trim();
    let is_ours = name == "zerostarter_db" || name.starts_with("zerostarter_db::");
    match level {
        Some(level) if is_ours => format!("zerostarter={level}"),
        _ => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_filter, with_all_crates};

    #[test]
    fn the_programs_own_target_stands_for_all_crates() {
        assert_eq!(with_all_crates("zerostarter_db=debug"), "zerostarter=debug");
        assert_eq!(
            with_all_crates(" zerostarter_db::connect=debug"),
            "zerostarter=debug"
        );
        assert_eq!(
            with_all_crates("my_zerostarter_db=debug"),
            "my_zerostarter_db=debug"
        );
        assert_eq!(with_all_crates("info"), "info");
    }

    #[test]
    fn a_misspelt_level_is_no_target() {
        assert!(parse_filter("info,zerostarter_db=debug").is_some());
        assert!(parse_filter("inof").is_none());
    }
}
