//! The settings of a run: those of the engine, of the log, and of single commands.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zerostarter_console as console;
use zerostarter_diagnostic::regular_file;
use zerostarter_migrate as migrate;
use zerostarter_settings::{Error, Reader, Settings};

use crate::variables::DEFAULT_TERMINATION_LOG;

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The settings of migrations.
    pub migrate: migrate::Config,
    /// The settings of the log.
    pub console: console::Config,
    /// `MIGRATE_REPORT`: write a report of the run to this file.
    pub report: Option<PathBuf>,
    /// `WAIT_TIMEOUT`: how long `wait` waits; `MIGRATE_LOCK_WAIT` if it is not set.
    pub wait_timeout: Duration,
    /// `STATUS_JSON`.
    pub status_json: bool,
}

impl Config {
    /// Reads the settings. `read_file` reads the files that variables name.
    ///
    /// # Errors
    ///
    /// Every problem with every variable.
    pub fn load(
        settings: &Settings,
        read_file: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Error> {
        let mut reader = Reader::new(settings, read_file);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let migrate = migrate::Config::load(reader);
        let report = reader.path("MIGRATE_REPORT");
        let termination_log = reader.path("TERMINATION_LOG");
        for (name, path) in [("MIGRATE_REPORT", &report), ("TERMINATION_LOG", &termination_log)] {
            let setting = reader.setting(name);
            if let (Some(path), Some(setting)) = (path, setting)
                && !regular_file::can_be_written(path)
            {
                reader.problem(
                    setting.label(name),
                    format!("names what is not a regular file: {}", path.display()),
                    None,
                );
            }
        }
        let wait_timeout = reader
            .setting("WAIT_TIMEOUT")
            .is_some()
            .then(|| reader.duration("WAIT_TIMEOUT"));
        let status_json = reader.yes_or_no("STATUS_JSON");
        let console = console::Config::load(reader);
        let migrate = migrate?;
        Some(Self {
            wait_timeout: wait_timeout.unwrap_or(migrate.lock_wait),
            migrate,
            console: console?,
            report,
            status_json,
        })
    }
}

/// `TERMINATION_LOG`. It is used even if the other settings cannot be read.
#[must_use]
pub fn termination_log(settings: Option<&Settings>) -> PathBuf {
    settings
        .and_then(|settings| settings.get("TERMINATION_LOG"))
        .map_or_else(|| DEFAULT_TERMINATION_LOG.into(), |setting| setting.value.into())
}
