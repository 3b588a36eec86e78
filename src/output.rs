//! The one place that prints. Data goes to stdout, everything else to stderr, and no secret to either.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::log::{LogFormat, now};
#[cfg(feature = "api")]
use crate::log_writer::LogWriter;
use crate::postgres_url::PostgresUrl;

/// Secrets shorter than this are words like `app`, and blotting them out would make the log unreadable
/// without hiding anything. No message carries a password to begin with; this is the second line.
const SHORTEST_REDACTED: usize = 6;

/// Kubernetes reads no more, in bytes.
const LONGEST_LAST_WORDS: usize = 4096;

/// What JavaScript's `encodeURIComponent` encodes: how a password usually gets into a URL.
const URI_COMPONENT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Where the program's words go.
#[derive(Clone, Debug)]
pub struct Output {
    format: LogFormat,
    secrets: Arc<Mutex<Vec<String>>>,
    /// What the last line of the terminal shows.
    drawn: Arc<Mutex<Option<String>>>,
    #[cfg(feature = "api")]
    writer: Option<Arc<LogWriter>>,
}

/// Back to the beginning of the line, which is emptied.
const ERASE: &str = "\r\x1b[K";

/// Around a line that ends at the edge of the terminal, however narrow that is.
const UNWRAPPED: [&str; 2] = ["\x1b[?7l", "\x1b[?7h"];

impl Output {
    /// Output in `format`.
    #[must_use]
    pub fn new(format: LogFormat) -> Self {
        Self {
            format,
            secrets: Arc::default(),
            drawn: Arc::default(),
            #[cfg(feature = "api")]
            writer: None,
        }
    }

    /// The same, with a thread of its own that writes the log. [`Output::flush`] has to come last.
    ///
    /// # Errors
    ///
    /// The system has no thread to give.
    #[cfg(feature = "api")]
    pub fn in_background(mut self) -> Result<Self, Error> {
        self.writer = Some(LogWriter::start().map_err(Error::Start)?);
        Ok(self)
    }

    /// Waits until all of the log is written, but not for ever for one who does not read it.
    #[cfg(feature = "api")]
    pub fn flush(&self) {
        self.tell_lost_lines();
        if let Some(writer) = &self.writer {
            writer.flush();
        }
    }

    #[cfg(feature = "api")]
    fn tell_lost_lines(&self) {
        let lost = self.writer.as_ref().map_or(0, |writer| writer.take_lost_lines());
        if lost > 0 {
            let message = format!("{lost} lines of the log were lost: who reads it is too slow");
            self.log("WARN", &message, Map::new());
        }
    }

    /// Blots out the passwords of `url` from now on, also where a server or a file repeats them.
    pub fn hide(&self, url: &PostgresUrl) {
        let Some(password) = &url.password else {
            return;
        };
        let password = password.expose();
        let is_a_name = url.user.as_deref() == Some(password) || url.database == password;
        if password.len() >= SHORTEST_REDACTED && !is_a_name {
            let encoded = |set| percent_encoding::utf8_percent_encode(password, set).to_string();
            let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            secrets.extend([
                password.to_owned(),
                encoded(percent_encoding::NON_ALPHANUMERIC),
                encoded(URI_COMPONENT),
                password.replace('\'', "''"), // in SQL
            ]);
            // Most passwords look alike in all of these, and every text is searched for each.
            secrets.sort();
            secrets.dedup();
        }
    }

    /// `text` without what is hidden.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// Writes data.
    ///
    /// # Errors
    ///
    /// [`Error::Output`], unless it is the reader that has gone away: it has what it wanted.
    pub fn data(&self, text: &str) -> Result<(), Error> {
        to_stdout(&self.redact(text))
    }

    /// Writes data as JSON.
    ///
    /// # Errors
    ///
    /// As [`Output::data`].
    pub(crate) fn json(&self, document: Value) -> Result<(), Error> {
        to_stdout(&self.redacted_json(document))
    }

    /// Writes a line of the log. Fields are for machines: in text, the message says it all.
    pub(crate) fn log(&self, level: &str, message: &str, fields: Map<String, Value>) {
        #[cfg(feature = "api")]
        self.tell_lost_lines();
        match self.format {
            LogFormat::Text => self.text(&format!("{} {level:<5} {message}\n", now())),
            LogFormat::Json => {
                let mut object = Map::new();
                object.insert("time".to_owned(), now().into());
                object.insert("level".to_owned(), level.into());
                object.insert("message".to_owned(), self.redact(message).into());
                let fields = fields.into_iter();
                object.extend(fields.map(|(name, value)| (name, self.redact_value(value))));
                self.to_stderr(&format!("{}\n", Value::Object(object)));
            }
        }
    }

    /// Writes the error that ends the run, with its hints.
    pub fn error(&self, error: &Error) {
        let (details, hints) = (error.details(), error.hints());
        if self.format == LogFormat::Json {
            let mut fields = Map::new();
            fields.insert("details".to_owned(), details.into());
            fields.insert("hints".to_owned(), hints.into());
            fields.insert("exit".to_owned(), error.exit_status().code().into());
            self.log("ERROR", &error.to_string(), fields);
            return;
        }
        let mut text = format!("error: {error}\n");
        for line in details {
            text.push_str("  ");
            text.push_str(&line);
            text.push('\n');
        }
        if !hints.is_empty() {
            text.push('\n');
        }
        for hint in hints {
            text.push_str("hint: ");
            text.push_str(&hint);
            text.push('\n');
        }
        self.text(&text);
    }

    /// Leaves the last words of a run where Kubernetes looks for them and shows them with the pod, if it does.
    pub fn last_words(&self, outcome: &Result<(), Error>, path: &Path) {
        let words = match outcome {
            Ok(()) => "done".to_owned(),
            Err(error) => std::iter::once(error.to_string())
                .chain(error.details())
                .chain(error.hints().into_iter().map(|hint| format!("hint: {hint}")))
                .collect::<Vec<_>>()
                .join("\n"),
        };
        let mut words = self.redact(&words);
        words.truncate(words.floor_char_boundary(LONGEST_LAST_WORDS));
        // Only a file that is there: it is the sign that somebody looks.
        let file = OpenOptions::new().write(true).truncate(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(words.as_bytes()));
    }

    /// Text for people. It goes above the line that is drawn.
    fn text(&self, text: &str) {
        let text = self.printable(text);
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        self.to_stderr(&drawn.as_ref().map_or_else(
            || text.clone(),
            |line| format!("{ERASE}{text}{}{line}{}", UNWRAPPED[0], UNWRAPPED[1]),
        ));
    }

    /// What a server or a file says must not steer the terminal that shows it.
    fn printable(&self, text: &str) -> String {
        let mut printable = String::with_capacity(text.len());
        for c in self.redact(text).chars() {
            if c.is_control() && c != '\n' && c != '\t' {
                printable.extend(c.escape_default());
            } else {
                printable.push(c);
            }
        }
        printable
    }

    fn to_stderr(&self, text: &str) {
        #[cfg(feature = "api")]
        if let Some(writer) = &self.writer {
            writer.push(text);
            return;
        }
        // A failure to write to stderr has nowhere to be reported.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Whether somebody looks on who can be shown a line that changes.
    pub(crate) fn can_draw(&self) -> bool {
        self.format == LogFormat::Text
            && io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
    }

    /// Shows `line` below the log, in the place of what was shown there.
    pub(crate) fn draw(&self, line: &str) {
        let line = self.printable(line);
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        self.to_stderr(&format!("{ERASE}{}{line}{}", UNWRAPPED[0], UNWRAPPED[1]));
        *drawn = Some(line);
    }

    /// Takes the line away.
    pub(crate) fn erase(&self) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.take().is_some() {
            self.to_stderr(ERASE);
        }
    }

    /// A JSON document without what is hidden.
    pub(crate) fn redacted_json(&self, document: Value) -> String {
        format!("{:#}\n", self.redact_value(document))
    }

    /// Inside the value, not in the line: a password of quotes or brackets must not break the JSON.
    fn redact_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.redact(&text).into(),
            Value::Array(values) => values.into_iter().map(|value| self.redact_value(value)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (name, self.redact_value(value)))
                .collect(),
            value => value,
        }
    }

    /// Reports a panic in our own words: the message of one can hold any value of the program.
    pub fn report_panics(&self) {
        let output = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            output.log("ERROR", &format!("this is a defect in zerostarter-db: panic at {place}; what was not committed is rolled back"), Map::from_iter([("exit".to_owned(), ExitStatus::Failed.code().into())]));
            #[cfg(feature = "api")]
            output.flush();
            // The status is part of the contract; the server rolls back when the connection closes.
            std::process::exit(ExitStatus::Failed.code().into());
        }));
    }
}

fn to_stdout(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}
