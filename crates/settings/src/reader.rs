//! Reads settings one by one and collects every problem, so that all are reported in one go.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::problem::{Error, Problem};
use crate::settings::{Setting, Settings};

/// The longest timeout of PostgreSQL: milliseconds in a signed 32-bit number.
const LONGEST_DURATION: Duration = Duration::from_millis(i32::MAX.unsigned_abs() as u64);

/// What is wrong with a value in quotes.
pub const IN_QUOTES: &str = "has its value in quotes";

/// What to do about a value in quotes.
pub const QUOTES_HINT: &str =
    "remove the quotes: only shells and .env files take them off, docker run --env-file does not";

/// Reads settings and collects problems. The configurations of several crates are read with one reader.
pub struct Reader<'a> {
    settings: &'a Settings,
    read_file: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// A reader of `settings`. `read_file` reads the files that variables name.
    pub fn new(settings: &'a Settings, read_file: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Self {
        Self {
            settings,
            read_file,
            problems: Vec::new(),
        }
    }

    /// The setting of a variable.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<Setting> {
        self.settings.get(name)
    }

    /// Lines of `.env` files that could not be read and are ignored.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.settings.warnings().iter().map(ToString::to_string).collect()
    }

    /// Whether `one` was set in a more important layer than `other`.
    #[must_use]
    pub fn outranks(&self, one: &Setting, other: &Setting) -> bool {
        self.settings.outranks(one, other)
    }

    /// `value`, if no problem was found.
    ///
    /// # Errors
    ///
    /// [`Error::Variables`] with every problem.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => {
                // One of these lines may have been meant for a variable that is missing.
                let unreadable = self.settings.warnings().iter().map(|warning| Problem {
                    variable: format!("{}:{}", warning.file, warning.line.unwrap_or_default()),
                    message: warning.reason.clone(),
                    hint: None,
                });
                self.problems.extend(unreadable);
                Err(Error::Variables(self.problems))
            }
        }
    }

    /// Notes a problem with a variable. `message` follows its name: "is not set".
    pub fn problem(&mut self, variable: impl Into<String>, message: impl Into<String>, hint: Option<&str>) {
        self.problems.push(Problem {
            variable: variable.into(),
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    /// The text of a variable.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let setting = self.settings.get(name)?;
        if is_in_quotes(&setting.value) {
            self.problem(setting.label(name), IN_QUOTES, Some(QUOTES_HINT));
            return None;
        }
        Some(setting.value)
    }

    /// The value of a variable as `parse` reads it. If it returns `None`, `complaint` becomes the problem's message.
    pub fn parse<T>(&mut self, name: &str, complaint: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let setting = self.settings.get(name)?;
        let parsed = parse(&setting.value);
        if parsed.is_none() {
            if is_in_quotes(&setting.value) {
                self.problem(setting.label(name), IN_QUOTES, Some(QUOTES_HINT));
            } else {
                self.problem(setting.label(name), complaint, None);
            }
        }
        parsed
    }

    /// A path. A URL in its place may hold a password, and paths are shown.
    pub fn path(&mut self, name: &str) -> Option<PathBuf> {
        const COMPLAINT: &str = "is a URL, but must be a path";
        self.parse(name, COMPLAINT, |text| {
            (!text.contains("://") && !is_in_quotes(text)).then(|| PathBuf::from(text))
        })
    }

    /// `yes`, `true` or `1`; `no`, `false` or `0`. A variable that is not set means no.
    pub fn yes_or_no(&mut self, name: &str) -> bool {
        let answer = self.parse(name, "is not yes or no", |text| match text {
            "yes" | "true" | "1" => Some(true),
            "no" | "false" | "0" => Some(false),
            _ => None,
        });
        answer.unwrap_or_default()
    }

    /// A duration: 0, or from 1 ms to 24 days. The server would read less than a millisecond as 0, which means no limit. A
    /// longer one overflows the server's number, and could overflow the clock here.
    pub fn duration(&mut self, name: &str) -> Duration {
        let parsed = self.parse(name, "is not a duration such as 250ms, 30s or 10m", |text| {
            if text == "0" {
                Some(Duration::ZERO)
            } else {
                humantime::parse_duration(text).ok()
            }
        });
        let duration = parsed.unwrap_or_default();
        let complaint = if duration > LONGEST_DURATION {
            "is longer than the 24 days that PostgreSQL can count"
        } else if !duration.is_zero() && duration < Duration::from_millis(1) {
            "is shorter than the millisecond that PostgreSQL counts in"
        } else {
            return duration;
        };
        let variable = self.settings.get(name).map(|setting| setting.label(name));
        self.problem(variable.unwrap_or_default(), complaint, None);
        Duration::ZERO
    }

    /// A duration of which 0 makes no sense.
    pub fn positive_duration(&mut self, name: &str) -> Duration {
        let problems_before = self.problems.len();
        let duration = self.duration(name);
        if duration.is_zero() && self.problems.len() == problems_before {
            let variable = self.settings.get(name).map(|setting| setting.label(name));
            self.problem(variable.unwrap_or_default(), "is 0, and a limit is needed", None);
        }
        duration
    }

    /// A timeout of the server: `none` and 0 mean no limit.
    pub fn server_duration(&mut self, name: &str) -> Duration {
        if self
            .settings
            .get(name)
            .is_some_and(|setting| setting.value == "none")
        {
            return Duration::ZERO;
        }
        self.duration(name)
    }

    /// The bytes of the file at `path`, which `variable` names.
    pub fn file(&mut self, variable: &str, path: &Path) -> Option<Vec<u8>> {
        match (self.read_file)(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.problem(
                    variable,
                    format!("names a file that cannot be read: {}: {error}", path.display()),
                    None,
                );
                None
            }
        }
    }
}

fn is_in_quotes(value: &str) -> bool {
    ['"', '\'']
        .iter()
        .any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote))
}
