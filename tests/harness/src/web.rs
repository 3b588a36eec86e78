//! The web app under test, and a client that sends what it is told to, right or wrong.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::command::Command;
use super::database::Database;
use super::poll::poll;
use super::program::program;
use super::running::Running;
use super::server::unused_port;

const TIMEOUT: Duration = Duration::from_secs(30);

/// `zerostarter-api` for a database, which says in JSON what it does.
pub fn zerostarter_api(database: &Database) -> Command {
    Command::program(program("zerostarter-api"))
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", database.url())
}

/// The web app while it runs.
pub struct Api {
    pub running: Running,
    pub port: u16,
    /// Of the health check and the metrics.
    pub health_port: u16,
}

impl Api {
    /// Starts one on a port of its own, and waits until it listens.
    #[track_caller]
    pub fn start(command: Command) -> Self {
        let port = unused_port();
        let health_port = unused_port();
        let mut running = command
            .env("API_LISTEN", format!("127.0.0.1:{port}"))
            .env("API_HEALTH_LISTEN", format!("127.0.0.1:{health_port}"))
            .start();
        running.wait_for_stderr("listening at");
        Self {
            running,
            port,
            health_port,
        }
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Requests something for operators.
    #[track_caller]
    pub fn get_internal(&self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        raw_at(self.health_port, &request).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Sends JSON.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            &body.to_string(),
        )
    }

    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Answer> {
        let mut lines = vec![
            format!("{method} {path} HTTP/1.1"),
            "host: localhost".to_owned(),
            "connection: close".to_owned(),
        ];
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !body.is_empty() {
            lines.push(format!("content-length: {}", body.len()));
        }
        self.raw(&format!("{}\r\n\r\n{body}", lines.join("\r\n")))
    }

    /// Sends a text as it is, and reads until the connection is closed.
    pub fn raw(&self, request: &str) -> std::io::Result<Answer> {
        raw_at(self.port, request)
    }

    /// Asks until the answer has this status.
    #[track_caller]
    pub fn get_until(&self, path: &str, status: u16) -> Answer {
        let answer = poll(TIMEOUT, || {
            let answer = self.get(path);
            (answer.status() == status).then_some(answer)
        });
        answer.unwrap_or_else(|| panic!("{path} never had the status {status}"))
    }
}

/// An answer, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    head: String,
    pub body: String,
}

impl Answer {
    pub fn status(&self) -> u16 {
        let status = self.head.split(' ').nth(1);
        status.and_then(|text| text.parse().ok()).expect("a status")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of an error in JSON.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().expect("a code").to_owned()
    }
}

fn raw_at(port: u16, request: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    Ok(Answer {
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
