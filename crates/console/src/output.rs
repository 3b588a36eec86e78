//! The one place that prints. Data goes to stdout, everything else to stderr, and no secret to either.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use zerostarter_diagnostic::escape::{escaped, escaped_json};
use zerostarter_diagnostic::{Diagnostic, ExitStatus, explain, regular_file, threads};
use zerostarter_settings::Secret;

use crate::clock::now;
use crate::error::Error;
use crate::format::LogFormat;
use crate::log_writer::LogWriter;
use crate::redaction::Redaction;

/// Kubernetes reads no more, in bytes.
const LONGEST_TERMINATION_MESSAGE: usize = 4096;

/// The output of a program.
#[derive(Clone, Debug)]
pub struct Output {
    format: LogFormat,
    redaction: Redaction,
    /// The last line of the terminal, below the log.
    drawn: Arc<Mutex<Option<String>>>,
    writer: Option<Arc<LogWriter>>,
}

/// Moves to the beginning of the line and erases it.
const ERASE: &str = "\r\x1b[K";

/// Before and after a line that the edge of the terminal cuts off instead of wrapping it.
const UNWRAPPED: [&str; 2] = ["\x1b[?7l", "\x1b[?7h"];

impl Output {
    /// Output in `format`.
    #[must_use]
    pub fn new(format: LogFormat) -> Self {
        Self {
            format,
            redaction: Redaction::default(),
            drawn: Arc::default(),
            writer: None,
        }
    }

    /// The same, with a separate thread that writes the log, so that nothing waits for its reader. Lines within `gathering` of
    /// the first are written together. Call [`Output::flush`] last.
    ///
    /// # Errors
    ///
    /// [`Error::LogThread`] if the system starts no thread.
    pub fn in_background(mut self, gathering: Duration) -> Result<Self, Error> {
        self.writer = Some(LogWriter::start(gathering).map_err(Error::LogThread)?);
        Ok(self)
    }

    /// Waits until the log is written, for a limited time: it may have no reader.
    pub fn flush(&self) {
        self.tell_lost_lines();
        if let Some(writer) = &self.writer {
            writer.flush();
        }
    }

    fn tell_lost_lines(&self) {
        let lost = self.writer.as_ref().map_or(0, |writer| writer.take_lost_lines());
        if lost > 0 {
            let message = format!("{lost} lines of the log were lost: its reader is too slow");
            self.log("WARN", &message, Map::new());
        }
    }

    /// Redacts `secret` from now on, also where a server or a file repeats it.
    pub fn hide(&self, secret: &Secret) {
        self.redaction.hide(secret);
    }

    fn redact(&self, text: &str) -> String {
        self.redaction.redact(text)
    }

    /// Writes a text, such as that of `--help`.
    ///
    /// # Errors
    ///
    /// [`Error::Output`], but not if the reader has closed the pipe: it has what it wanted.
    pub fn print(&self, text: &str) -> Result<(), Error> {
        to_stdout(&self.redact(text))
    }

    /// Writes data, on another thread: while nobody reads it, a signal can end the program. The log comes before it.
    ///
    /// # Errors
    ///
    /// As [`Output::print`].
    pub async fn data(&self, text: &str) -> Result<(), Error> {
        self.write(self.redact(text)).await
    }

    async fn write(&self, text: String) -> Result<(), Error> {
        self.flush();
        threads::elsewhere(move || to_stdout(&text)).await
    }

    /// Writes data as JSON.
    ///
    /// # Errors
    ///
    /// As [`Output::print`].
    pub async fn json(&self, document: Value) -> Result<(), Error> {
        self.write(self.redacted_json(document)).await
    }

    /// Writes a line of the log. Only JSON has the fields; the message contains their values.
    pub fn log(&self, level: &str, message: &str, fields: Map<String, Value>) {
        self.tell_lost_lines();
        match self.format {
            LogFormat::Text => self.text(&format!("{} {level:<5} {}\n", now(), escaped(message))),
            LogFormat::Json => {
                let mut object = Map::new();
                object.insert("time".to_owned(), now().into());
                object.insert("level".to_owned(), level.into());
                object.insert("message".to_owned(), self.redact(message).into());
                let fields = fields.into_iter();
                object.extend(fields.map(|(name, value)| (name, self.redaction.redact_value(value))));
                self.to_stderr(&format!("{}\n", escaped_json(&Value::Object(object).to_string())));
            }
        }
    }

    /// Writes the error that ends the run, with its hints.
    pub fn error(&self, error: &dyn Diagnostic) {
        match self.format {
            LogFormat::Text => self.text(&explain(error)),
            LogFormat::Json => {
                let mut fields = Map::new();
                fields.insert("details".to_owned(), error.details().into());
                fields.insert("hints".to_owned(), error.hints().into());
                fields.insert("exit".to_owned(), error.exit_status().code().into());
                self.log("ERROR", &error.to_string(), fields);
            }
        }
    }

    /// Writes the error that ended a run, or `done`, to the termination log: Kubernetes shows it with the pod.
    pub fn termination_log(&self, error: Option<&dyn Diagnostic>, path: &Path) {
        let message = match error {
            None => "done".to_owned(),
            Some(error) => std::iter::once(error.to_string())
                .chain(error.details())
                .chain(error.hints().into_iter().map(|hint| format!("hint: {hint}")))
                .map(|line| escaped(&line))
                .collect::<Vec<_>>()
                .join("\n"),
        };
        let mut message = self.redact(&message);
        message.truncate(message.floor_char_boundary(LONGEST_TERMINATION_MESSAGE));
        // Only if the file exists: Kubernetes creates it.
        let _ = regular_file::overwrite(path, &message);
    }

    /// Text for people, above the last line of the terminal. It is escaped: the text of a server or a file must neither control
    /// the terminal nor look like another line.
    fn text(&self, text: &str) {
        let text = self.redact(text);
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        self.to_stderr(&drawn.as_ref().map_or_else(
            || text.clone(),
            |line| format!("{ERASE}{text}{}{line}{}", UNWRAPPED[0], UNWRAPPED[1]),
        ));
    }

    pub(crate) fn to_stderr(&self, text: &str) {
        if let Some(writer) = &self.writer {
            writer.push(text);
            return;
        }
        // A failure to write to stderr has nowhere to be reported.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Whether stderr is a terminal on which a line can be redrawn.
    #[must_use]
    pub fn can_draw(&self) -> bool {
        self.format == LogFormat::Text
            && io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
    }

    /// Shows `line` below the log, in place of the one before.
    pub fn draw(&self, line: &str) {
        let line = self.redact(&escaped(line));
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        self.to_stderr(&format!("{ERASE}{}{line}{}", UNWRAPPED[0], UNWRAPPED[1]));
        *drawn = Some(line);
    }

    /// Erases the last line.
    pub fn erase(&self) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.take().is_some() {
            self.to_stderr(ERASE);
        }
    }

    /// A JSON document without the secrets.
    #[must_use]
    pub fn redacted_json(&self, document: Value) -> String {
        format!(
            "{}\n",
            escaped_json(&format!("{:#}", self.redaction.redact_value(document)))
        )
    }

    /// Reports a panic by its place alone: the message of a panic can contain any value of the program.
    pub fn report_panics(&self) {
        let output = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            output.log("ERROR", &format!("this is a defect in zerostarter-db: panic at {place}; the server rolls back what was not committed"), Map::from_iter([("exit".to_owned(), ExitStatus::Failed.code().into())]));
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
