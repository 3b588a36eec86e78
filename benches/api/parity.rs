//! Both servers answer alike, to the byte, and as they should. Otherwise there would be nothing to compare.

use crate::contender::Contender;
use crate::http::{Answer, ask};
use crate::plan::fill;
use zerostarter_test_harness::Database;

const JSON: &str = "content-type: application/json\r\n";

const JOINED: (u16, &str) = (200, r#"{"status":"joined"}"#);
const NO_ADDRESS: (u16, &str) = (
    422,
    r#"{"error":{"code":"invalid_email","message":"This is not an email address."}}"#,
);
const NO_JSON: (u16, &str) = (
    400,
    r#"{"error":{"code":"invalid_json","message":"The body is not the JSON object that is expected."}}"#,
);
const NO_TYPE: (u16, &str) = (
    415,
    r#"{"error":{"code":"unsupported_media_type","message":"The content type of the body is not the one that is expected."}}"#,
);

/// Rows, and the count that is told.
const COUNTS: [(u32, u32); 6] = [(0, 0), (9, 0), (10, 10), (14, 10), (15, 15), (1_004, 1_000)];

/// Panics with both answers where they differ from each other, or from what they should be.
pub(crate) fn check(contenders: &[Contender; 2], database: &Database) {
    for (rows, told) in COUNTS {
        fill(database, rows);
        let expected = (200, &*format!(r#"{{"count":{told}}}"#));
        let [ours, theirs] = contenders
            .each_ref()
            .map(|contender| send(contender, "GET", "", ""));
        alike(&format!("GET with {rows} rows"), expected, &ours, &theirs);
    }
    let long_local_part = format!(r#"{{"email":"{}@example.com"}}"#, "l".repeat(65));
    let long_domain = format!(r#"{{"email":"l@{}example.com"}}"#, "label.".repeat(41));
    // Headers, body, what is answered, and the address that is stored.
    for (headers, body, expected, stored) in [
        (
            JSON,
            r#"{"email":"a@example.com"}"#,
            JOINED,
            Some("a@example.com"),
        ),
        (
            JSON,
            r#"{"email":"  B.b+B@Example.COM\t"}"#,
            JOINED,
            Some("b.b+b@example.com"),
        ),
        (
            JSON,
            r#"{"email":"用户@例子.广告","subject":null}"#,
            JOINED,
            Some("用户@例子.广告"),
        ),
        (
            JSON,
            r#"{"subject":"","email":"\"a b\"@example.com"}"#,
            JOINED,
            Some("\"a b\"@example.com"),
        ),
        (
            "content-type: application/json; charset=utf-8\r\n",
            r#"{"email":"c@example.com","other":1}"#,
            JOINED,
            Some("c@example.com"),
        ),
        (JSON, r#"{"email":"d@example.com","subject":"Buy"}"#, JOINED, None),
        (JSON, r#"{"email":"nobody","subject":"Buy"}"#, NO_ADDRESS, None),
        (JSON, r#"{"email":"nobody"}"#, NO_ADDRESS, None),
        (JSON, r#"{"email":""}"#, NO_ADDRESS, None),
        (JSON, r#"{"email":"a@localhost"}"#, NO_ADDRESS, None),
        (JSON, r#"{"email":"a..b@example.com"}"#, NO_ADDRESS, None),
        (JSON, r#"{"email":"a@-example.com"}"#, NO_ADDRESS, None),
        (JSON, r#"{"email":"a@b@example.com"}"#, NO_ADDRESS, None),
        (JSON, r#"{"email":"a b@example.com"}"#, NO_ADDRESS, None),
        (JSON, &long_local_part, NO_ADDRESS, None),
        (JSON, &long_domain, NO_ADDRESS, None),
        (JSON, r#"{"email":7}"#, NO_JSON, None),
        (JSON, r#"{"email":"a@example.com","subject":7}"#, NO_JSON, None),
        (JSON, "{}", NO_JSON, None),
        (JSON, "null", NO_JSON, None),
        (JSON, r#"{"email":"a@example.com""#, NO_JSON, None),
        (JSON, "", NO_JSON, None),
        ("", r#"{"email":"a@example.com"}"#, NO_TYPE, None),
    ] {
        let [ours, theirs] = contenders.each_ref().map(|contender| {
            fill(database, 0);
            let answers = [(); 2].map(|()| send(contender, "POST", headers, body));
            let rows = database.rows("SELECT email FROM waitlist");
            let name = contender.kind.name();
            // The second request finds what the first has stored.
            let [first, second] = answers;
            alike(&format!("{name}, twice: POST {body}"), expected, &first, &second);
            assert_eq!(
                rows,
                Vec::from_iter(stored),
                "{name} has stored this: POST {body}"
            );
            first
        });
        alike(&format!("POST {body}"), expected, &ours, &theirs);
    }
}

fn send(contender: &Contender, method: &str, headers: &str, body: &str) -> Answer {
    ask(contender.port, method, "/api/waitlist", headers, body)
        .unwrap_or_else(|error| panic!("{}: {method} {body}: {error}", contender.kind.name()))
}

fn alike(request: &str, expected: (u16, &str), one: &Answer, other: &Answer) {
    let (status, body) = expected;
    let expected = Answer {
        status,
        content_type: "application/json".to_owned(),
        body: body.to_owned(),
    };
    assert!(
        *one == expected && *other == expected,
        "{request}\nshould be answered with\n{expected}\nand is answered with\n{one}\nand with\n{other}"
    );
}
