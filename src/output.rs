//! The one place that prints. Data goes to stdout, everything else to stderr, and no secret to either.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::log::{LogFormat, now};
use crate::postgres_url::PostgresUrl;

/// Secrets shorter than this are words like `app`, and blotting them out would make the log unreadable
/// without hiding anything. No message carries a password to begin with; this is the second line.
const SHORTEST_REDACTED: usize = 6;

/// Where the program's words go.
#[derive(Clone, Debug)]
pub struct Output {
    format: LogFormat,
    secrets: Arc<Mutex<Vec<String>>>,
}

impl Output {
    /// Output in `format`.
    #[must_use]
    pub fn new(format: LogFormat) -> Self {
        Self {
            format,
            secrets: Arc::default(),
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
            let encoded = percent_encoding::utf8_percent_encode(password, percent_encoding::NON_ALPHANUMERIC)
                .to_string();
            let escaped = Value::from(password).to_string();
            let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            secrets.extend([password.to_owned(), encoded, escaped.trim_matches('"').to_owned()]);
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
        let mut stdout = io::stdout().lock();
        match stdout
            .write_all(self.redact(text).as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
            _ => Ok(()),
        }
    }

    /// Writes a line of the log. Fields are for machines: in text, the message says it all.
    pub(crate) fn log(&self, level: &str, message: &str, fields: Map<String, Value>) {
        let line = match self.format {
            LogFormat::Text => format!("{} {level:<5} {message}\n", now()),
            LogFormat::Json => {
                let mut object = Map::new();
                object.insert("time".to_owned(), now().into());
                object.insert("level".to_owned(), level.into());
                object.insert("message".to_owned(), message.into());
                object.extend(fields);
                format!("{}\n", Value::Object(object))
            }
        };
        self.to_stderr(&line);
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
        self.to_stderr(&text);
    }

    /// A failure to write to stderr has nowhere to be reported.
    fn to_stderr(&self, text: &str) {
        let _ = io::stderr().lock().write_all(self.redact(text).as_bytes());
    }

    /// Reports a panic in our own words: the message of one can hold any value of the program.
    pub fn report_panics(&self) {
        let output = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            output.log("ERROR", &format!("this is a defect in zerostarter-db: panic at {place}; what was not committed is rolled back"), Map::new());
            // The status is part of the contract; the server rolls back when the connection closes.
            std::process::exit(ExitStatus::Failed.code().into());
        }));
    }
}
