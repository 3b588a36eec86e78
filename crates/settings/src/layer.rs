//! Layers of variables: flags, the environment, `.env` files. The first layer that has a variable decides.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;

use config::{ConfigError, Map, Source, Value};
use zerostarter_diagnostic::regular_file;

use crate::dotenv;

/// The origin of the layer that holds the process's own variables.
pub const ENVIRONMENT: &str = "environment";

/// The origin of the layer that the command line's flags make.
pub const FLAG: &str = "flag";

/// `text` without white space and byte-order mark around it: what editors, shells and secret stores add.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// Variables from one place, without white space around their values. An empty value counts as none: Compose writes `X: ${X:-}` as an empty string.
#[derive(Clone, PartialEq, Eq)]
pub struct Layer {
    /// The place, as messages name it: `the environment`, `.env`, `flag`.
    pub origin: String,
    values: BTreeMap<String, String>,
    /// Lines of its file that could not be read, and belong to no variable of this program.
    pub(crate) warnings: Vec<DotenvError>,
}

impl Layer {
    /// A layer of `values` from `origin`.
    pub fn new<N, V>(origin: impl Into<String>, values: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let values = values
            .into_iter()
            .map(|(name, value)| (name.into(), trimmed(&value.into()).to_owned()));
        Self {
            origin: origin.into(),
            values: values.filter(|(_, value)| !value.is_empty()).collect(),
            warnings: Vec::new(),
        }
    }

    /// The value of `name`, if this layer has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Layer {
    /// The names alone: a value may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer")
            .field("origin", &self.origin)
            .field("names", &self.values.keys())
            .finish_non_exhaustive()
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let value = |text: &String| Value::new(Some(&self.origin), text.clone());
        Ok(self
            .values
            .iter()
            .map(|(name, text)| (name.clone(), value(text)))
            .collect())
    }
}

/// A `.env` file, or a line of one, that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DotenvError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// What is wrong. Never the line itself, which may hold a password.
    pub reason: String,
}

impl fmt::Display for DotenvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        write!(f, "{}{line} {}", self.file, self.reason)
    }
}

impl std::error::Error for DotenvError {}

/// The layers of a run, most important first: flags, the environment, `.env.$NODE_ENV`, `.env`. `is_ours` says which
/// variables this program has.
///
/// # Errors
///
/// A `.env` file that exists and cannot be read, and a line for a variable of this program that cannot be read. Other
/// lines belong to the application: they are warnings of the layer.
pub fn gather(
    flags: Layer,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    directory: &Path,
    is_ours: &dyn Fn(&str) -> bool,
) -> Result<Vec<Layer>, DotenvError> {
    // What is not UTF-8 cannot be one of ours, or is reported as an unusable value.
    let as_text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    let environment = Layer::new(ENVIRONMENT, environment.into_iter().filter_map(as_text));
    let mut layers = vec![flags, environment];
    let base = dotenv_layer(directory, ".env", [&layers, &[]], is_ours)?;
    let node_env = layers
        .iter()
        .chain(&base)
        .find_map(|layer| layer.get("NODE_ENV"))
        .map(str::to_owned);
    // A NODE_ENV that is no plain word is reported as such later; it must not become a path.
    if let Some(name) = node_env.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric())) {
        let around = [&layers, base.as_slice()];
        let specific = dotenv_layer(directory, &format!(".env.{name}"), around, is_ours)?;
        layers.extend(specific);
    }
    layers.extend(base);
    Ok(layers)
}

/// `around` are the layers above the file and those below it, for substitutions.
fn dotenv_layer(
    directory: &Path,
    file: &str,
    around: [&[Layer]; 2],
    is_ours: &dyn Fn(&str) -> bool,
) -> Result<Option<Layer>, DotenvError> {
    let failure = |line, reason: &str| DotenvError {
        file: file.to_owned(),
        line,
        reason: reason.to_owned(),
    };
    let bytes = match regular_file::read(&directory.join(file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(None, &error.to_string())),
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(failure(None, "is UTF-16; save it as UTF-8"));
    }
    let [above, below] = around
        .map(|layers| move |name: &str| layers.iter().find_map(|layer| layer.get(name)).map(str::to_owned));
    let found = dotenv::read(&bytes, &above, &below);
    let mut layer = Layer::new(file, found.values);
    for bad in found.unreadable {
        if is_ours(&bad.name) {
            return Err(failure(Some(bad.line), bad.reason));
        }
        let reason = format!("{}; the line is ignored", bad.reason);
        layer.warnings.push(failure(Some(bad.line), &reason));
    }
    Ok(Some(layer))
}
