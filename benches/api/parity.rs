//! Both servers answer alike, to the byte. Otherwise there would be nothing to compare.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::contender::Contender;
use crate::harness::Database;

const JSON: &str = "content-type: application/json\r\n";

/// Panics with both answers where they differ.
pub(crate) fn check(contenders: &[Contender; 2], database: &Database) {
    for rows in [0, 9, 10, 14, 15] {
        database.execute(&format!(
            "TRUNCATE waitlist; INSERT INTO waitlist (id, email) SELECT n, n FROM generate_series(1, {rows}) n"
        ));
        alike(contenders, "GET", "", "");
    }
    for body in [
        r#"{"email":"a@example.com"}"#,
        r#"{"email":"a@example.com"}"#,
        r#"{"email":"  B@Example.COM "}"#,
        r#"{"email":"c@example.com","subject":""}"#,
        r#"{"email":"d@example.com","subject":"Buy"}"#,
        r#"{"email":"nobody"}"#,
        r#"{"email":7}"#,
        "{}",
        "nonsense",
    ] {
        database.execute("TRUNCATE waitlist");
        alike(contenders, "POST", JSON, body);
        let stored = database.rows("SELECT email FROM waitlist");
        assert!(
            stored.len() <= 1 && !stored.contains(&"d@example.com".to_owned()),
            "{stored:?}"
        );
    }
    alike(contenders, "POST", "", "{}");
}

fn alike(contenders: &[Contender; 2], method: &str, headers: &str, body: &str) {
    let [ours, theirs] = contenders
        .each_ref()
        .map(|contender| ask(contender, method, headers, body));
    assert_eq!(ours, theirs, "{method} {body}");
}

/// Status, type and body.
fn ask(contender: &Contender, method: &str, headers: &str, body: &str) -> [String; 3] {
    let mut stream = TcpStream::connect(("127.0.0.1", contender.port)).expect("a connection");
    write!(
        stream,
        "{method} /api/waitlist HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("to send");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).unwrap_or_default();
    let kind = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-type: ")
            .map(str::to_owned)
    });
    [
        status.to_owned(),
        kind.unwrap_or_default()
            .replace("; ", ";")
            .replace(";charset=utf-8", ""),
        body.to_owned(),
    ]
}
