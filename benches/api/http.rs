//! One request at a time, answered to the byte.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

/// What came back.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

/// As lines, of which those that differ are found with the eye.
impl fmt::Display for Answer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "  {}\n  {:?}\n  {:?}",
            self.status, self.content_type, self.body
        )
    }
}

/// Sends a request on a connection of its own. `headers` are lines.
pub(crate) fn ask(port: u16, method: &str, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| io::Error::other(format!("this is no answer: {text:?}")))
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let content_type = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value);
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        content_type: content_type.collect::<Vec<_>>().join(", "),
        body: body.to_owned(),
    })
}
