//! The web app: what it answers, in good times and in bad.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value, json};
use zerostarter_waitlist::config::VARIABLES;
use zerostarter_waitlist::routes::ROUTES;

use zerostarter_test_harness::{
    Answer, Api, Command, Database, Pooler, Proxy, Server, ServerOptions, Session, Shutdown, poll, program,
    rounds, unused_port, zerostarter_api, zerostarter_db,
};

const SOON: Duration = Duration::from_secs(20);
const WAITING: &str =
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn migrated(server: &Server) -> Database {
    let database = server.database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    database
}

fn serve(database: &Database) -> Api {
    Api::start(at_once(zerostarter_api(database)))
}

/// Without a limit of requests; with answers as soon as they are known, and the count of the moment.
fn at_once(command: Command) -> Command {
    command
        .env("API_RATE_LIMIT", "0")
        .env("API_JOIN_TIME", "0s")
        .env("API_COUNT_AGE", "0s")
}

/// With one connection for its requests.
fn serve_through(proxy: &Proxy, database: &Database) -> Api {
    let command = zerostarter_api(database)
        .env("POSTGRES_URL", database.url_through(proxy.port()))
        .env("POSTGRES_POOL_SIZE", "1");
    Api::start(at_once(command))
}

/// Sends a request whose query waits for what holds the lock, and waits until it does.
fn ask_behind_a_lock(database: &Database, api: &Api) -> (Session, TcpStream) {
    let holder = database.session();
    holder.execute("BEGIN; LOCK TABLE waitlist");
    let mut stream = TcpStream::connect(("127.0.0.1", api.port)).unwrap();
    let request = "GET /api/waitlist HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    poll(SOON, || (database.rows(WAITING).len() == 1).then_some(())).expect("the request is under way");
    (holder, stream)
}

fn emails(database: &Database) -> Vec<String> {
    database.rows("SELECT email FROM waitlist ORDER BY email")
}

#[test]
fn an_address_is_stored_once_in_its_plain_form_and_a_duplicate_is_not_told_apart() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let first = api.post("/api/waitlist", &json!({ "email": "  Ada@Example.COM\n" }));
    assert_eq!(
        (first.status(), first.body.as_str()),
        (200, r#"{"status":"joined"}"#)
    );
    assert_eq!(first.header("content-type"), Some("application/json"));
    let again = api.post(
        "/api/waitlist",
        &json!({ "email": "ada@example.com", "subject": "" }),
    );
    let without_date = |answer: &Answer| format!("{answer:?}").replace(answer.header("date").unwrap(), "");
    assert_eq!(without_date(&first), without_date(&again));
    let rows = database.rows(
        "SELECT email, id::uuid IS NOT NULL, abs(extract(epoch FROM created_at - now() AT TIME ZONE 'UTC')) < 60 \
         FROM waitlist",
    );
    assert_eq!(rows, ["ada@example.com|t|t"]);
}

#[test]
fn a_program_that_fills_in_the_hidden_field_is_told_of_a_success_and_nothing_is_stored() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let honest = api.post("/api/waitlist", &json!({ "email": "a@example.com" }));
    let trapped = api.post(
        "/api/waitlist",
        &json!({ "email": "b@example.com", "subject": "Buy" }),
    );
    assert_eq!((trapped.status(), &trapped.body), (200, &honest.body));
    let form = api.send("POST", "/waitlist", &[FORM], "email=c%40example.com&subject=Buy");
    assert_eq!(form.status(), 303);
    assert_eq!(emails(&database), ["a@example.com"]);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_code() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let long = format!(r#"{{"email":"{}@example.com"}}"#, "a".repeat(5000));
    for (headers, body, status, code) in [
        (&[JSON][..], r#"{"email":"ada"}"#, 422, "invalid_email"),
        (&[JSON], r#"{"email":""}"#, 422, "invalid_email"),
        (
            &[JSON],
            r#"{"email":"a\u0000@example.com"}"#,
            422,
            "invalid_email",
        ),
        (&[JSON], r#"{"email":7}"#, 400, "invalid_json"),
        (&[JSON], r#"{"email":null}"#, 400, "invalid_json"),
        (&[JSON], "{}", 400, "invalid_json"),
        (&[JSON], "[]", 400, "invalid_json"),
        (&[JSON], "nonsense", 400, "invalid_json"),
        (&[JSON], "", 400, "invalid_json"),
        (&[JSON], &long, 413, "payload_too_large"),
        (&[], r#"{"email":"a@example.com"}"#, 415, "unsupported_media_type"),
        (&[FORM], "email=a%40example.com", 415, "unsupported_media_type"),
    ] {
        let answer = api.send("POST", "/api/waitlist", headers, body);
        assert_eq!(
            (answer.status(), answer.code().as_str()),
            (status, code),
            "{body:.60}"
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.header("retry-after").is_none());
    }
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", 5000, "x".repeat(5000));
    let chunked = "POST /api/waitlist HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                   content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = api.raw(&format!("{chunked}{chunk}")).expect("an answer");
    assert_eq!(
        (answer.status(), answer.code().as_str()),
        (413, "payload_too_large")
    );
    assert_eq!(emails(&database), [""; 0]);
}

#[test]
fn small_counts_are_not_told_and_large_ones_are_rounded_down() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    for (rows, shown) in [(0, 0), (9, 0), (10, 10), (14, 10), (15, 15), (101, 100)] {
        database.execute(&format!(
            "TRUNCATE waitlist; INSERT INTO waitlist (id, email) SELECT n, n FROM generate_series(1, {rows}) n"
        ));
        let answer = api.get("/api/waitlist");
        assert_eq!((answer.status(), answer.json()), (200, json!({ "count": shown })));
        let page = api.get("/waitlist").body;
        assert_eq!(
            page.contains(&format!("<strong>{shown}</strong> people")),
            shown > 0,
            "{page}"
        );
    }
}

#[test]
fn healthy_is_a_database_that_has_every_migration_we_know() {
    let database = Server::shared().database();
    let api = serve(&database);
    let pending = api.get("/api/health");
    assert_eq!(
        (pending.status(), pending.header("retry-after")),
        (503, Some("2"))
    );
    assert_eq!(
        pending.json(),
        json!({
            "error": { "code": "migrations_pending", "message": "The database is not migrated yet." },
            "database": { "state": "up", "schema_version": null, "pending_migrations": 2 },
        })
    );
    assert_eq!(api.get("/api/waitlist").code(), "unavailable");
    assert_eq!(
        zerostarter_db(&database)
            .args(["migrate", "--target", "0"])
            .run()
            .status,
        0
    );
    // A recent result is reported again.
    let half = poll(SOON, || {
        let answer = api.get("/api/health").json();
        (answer["database"]["pending_migrations"] == 1).then_some(answer)
    });
    assert_eq!(half.expect("one is pending")["database"]["schema_version"], 0);
    assert_eq!(zerostarter_db(&database).run().status, 0);
    let healthy = api.get_until("/api/health", 200);
    assert_eq!(
        healthy.json(),
        json!({
            "status": "ok",
            "database": { "state": "up", "schema_version": 1, "pending_migrations": 0 },
        })
    );
    database.execute("INSERT INTO refinery_schema_history VALUES (7, 'later', '2026-01-01T00:00:00Z', '1')");
    let ahead = poll(SOON, || {
        let answer = api.get("/api/health");
        (answer.json()["database"]["schema_version"] == 7).then_some(answer)
    });
    assert_eq!(ahead.expect("it is seen").status(), 200);
}

/// A program that has much to do is not ill, and many who ask are no work for the database.
#[test]
fn health_has_one_connection_of_its_own_however_many_ask() {
    let server = Server::shared();
    let database = migrated(server);
    let proxy = Proxy::start(server.port());
    let api = serve_through(&proxy, &database);
    let holder = database.session();
    holder.execute("BEGIN; LOCK TABLE waitlist");
    std::thread::scope(|scope| {
        let under_way = scope.spawn(|| api.get("/api/waitlist").status());
        poll(SOON, || (database.rows(WAITING).len() == 1).then_some(())).expect("the pool is in use");
        let asking = [(); 50].map(|()| scope.spawn(|| api.get("/api/health").status()));
        assert_eq!(asking.map(|one| one.join().expect("an answer")), [200; 50]);
        holder.execute("COMMIT");
        assert_eq!(under_way.join().expect("an answer"), 200);
    });
    api.running.signal("TERM");
    assert_eq!(api.running.wait().status, 0);
    assert_eq!(proxy.connections(), 2);
    assert!(
        proxy.round_trips() < 30,
        "the answer to one is that to all: {}",
        proxy.round_trips()
    );
}

/// Containers often share a file of variables.
#[test]
fn what_is_set_for_migrations_does_not_concern_the_app() {
    let database = migrated(Server::shared());
    let command = zerostarter_api(&database)
        .env("MIGRATE_ROLE", "nobody_has_this_role")
        .env("MIGRATE_WAIT", "nonsense")
        .env("MIGRATE_TARGET", "nonsense")
        .env("WAIT_TIMEOUT", "nonsense");
    let api = Api::start(command);
    assert_eq!(api.get("/api/health").status(), 200);
    assert_eq!(api.get("/api/waitlist").status(), 200);
}

#[test]
fn a_database_that_is_away_is_told_within_the_patience_of_who_asks_and_heals_by_itself() {
    let server = Server::start(ServerOptions::new());
    let database = migrated(&server);
    let silent = Proxy::builder().silent().start(server.port());
    let mute =
        Api::start(zerostarter_api(&database).env("POSTGRES_URL", database.url_through(silent.port())));
    let started = Instant::now();
    let answer = mute.get("/api/health");
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(
        (answer.status(), answer.code().as_str()),
        (503, "database_unavailable")
    );
    assert_eq!(
        mute.get("/waitlist").status(),
        200,
        "without a count the page is as good"
    );
    let api = serve(&database);
    api.get_until("/api/health", 200);
    server.stop(Shutdown::Fast);
    let down = api.get_until("/api/health", 503);
    assert_eq!(
        (down.status(), down.code().as_str()),
        (503, "database_unavailable")
    );
    let refused = api.post("/api/waitlist", &json!({ "email": "a@example.com" }));
    assert_eq!((refused.status(), refused.code().as_str()), (503, "unavailable"));
    assert_eq!(refused.header("retry-after"), Some("2"));
    let page = api.get("/waitlist");
    assert_eq!(page.status(), 200);
    let form = api.send("POST", "/waitlist", &[FORM], "email=a%40example.com");
    assert_eq!((form.status(), form.header("retry-after")), (503, Some("2")));
    assert!(form.body.contains("Please try again") && form.body.contains("value=\"a@example.com\""));
    server.restart();
    api.get_until("/api/health", 200);
    assert_eq!(
        api.post("/api/waitlist", &json!({ "email": "a@example.com" }))
            .status(),
        200
    );
}

#[test]
fn the_page_works_without_a_script() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let root = api.get("/");
    assert_eq!((root.status(), root.header("location")), (303, Some("/waitlist")));
    let page = api.get("/waitlist");
    assert_eq!(
        (page.status(), page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    for (path, kind) in [("/waitlist.css", "text/css"), ("/waitlist.js", "text/javascript")] {
        assert!(page.body.contains(path), "{}", page.body);
        let asset = api.get(path);
        assert_eq!(asset.status(), 200);
        assert_eq!(
            asset.header("content-type"),
            Some(&*format!("{kind}; charset=utf-8"))
        );
    }
    let sent = api.send(
        "POST",
        "/waitlist",
        &[FORM],
        "email=%20Grace%40Example.com&subject=",
    );
    assert_eq!(
        (sent.status(), sent.header("location")),
        (303, Some("/waitlist?joined"))
    );
    assert_eq!(emails(&database), ["grace@example.com"]);
    let joined = api.get("/waitlist?joined").body;
    assert!(joined.contains("<div id=\"asking\" hidden>") && joined.contains("<title>You are on the list"));
    let head = api.send("HEAD", "/waitlist", &[], "");
    assert_eq!((head.status(), head.body.as_str()), (200, ""));
}

#[test]
fn the_page_says_what_is_wrong_and_keeps_what_was_entered_harmlessly() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let entry = "email=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let refused = api.send("POST", "/waitlist", &[FORM], entry);
    assert_eq!(refused.status(), 422);
    assert!(
        refused
            .body
            .contains("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""),
        "{}",
        refused.body
    );
    assert!(
        refused
            .body
            .contains("<p id=\"message\" role=\"alert\">This is not an email address.</p>")
    );
    assert!(refused.body.contains("aria-invalid=\"true\""));
    assert!(
        refused
            .body
            .contains("<title>Please check your entry · ZeroStarter</title>")
    );
    for (headers, body, status) in [
        (&[FORM][..], "subject=x", 400),
        (&[JSON], "{}", 415),
        (&[FORM], &format!("email={}", "a".repeat(5000)), 413),
    ] {
        let answer = api.send("POST", "/waitlist", headers, body);
        assert_eq!(answer.status(), status);
        assert!(answer.body.contains("role=\"alert\">The "), "{}", answer.body);
    }
}

#[test]
fn one_client_is_limited_and_the_others_are_not() {
    let database = migrated(Server::shared());
    let limits = |command: Command| {
        command
            .env("API_RATE_LIMIT", "3")
            .env("API_RATE_LIMIT_WINDOW", "1h")
    };
    let ask = |api: &Api, client: &str| {
        api.send("GET", "/api/waitlist", &[("x-forwarded-for", client)], "")
            .status()
    };
    let direct = Api::start(limits(zerostarter_api(&database)));
    assert_eq!([1, 2, 3].map(|n| ask(&direct, &format!("192.0.2.{n}"))), [200; 3]);
    let refused = direct.send("GET", "/api/waitlist", &[("x-forwarded-for", "192.0.2.9")], "");
    assert_eq!(
        (refused.status(), refused.code().as_str()),
        (429, "rate_limited"),
        "a header is not believed"
    );
    let seconds: u64 = refused
        .header("retry-after")
        .expect("a header")
        .parse()
        .expect("seconds");
    assert!((1..=1201).contains(&seconds), "{seconds}");
    let page = direct.get("/waitlist");
    assert_eq!(
        (page.status(), page.header("content-type")),
        (429, Some("text/html; charset=utf-8"))
    );
    assert!(
        page.body
            .contains("<title>That did not work · ZeroStarter</title>")
    );
    assert_eq!(
        direct.get("/api/health").status(),
        200,
        "who looks after us is not limited"
    );
    assert_eq!(direct.get_internal("/metrics").status(), 200);
    let behind = Api::start(limits(zerostarter_api(&database)).env("API_TRUSTED_PROXIES", "1"));
    assert_eq!(
        [1, 2, 3, 4].map(|n| ask(&behind, &format!("192.0.2.{n}"))),
        [200; 4]
    );
    assert_eq!(
        [(); 4].map(|()| ask(&behind, "203.0.113.7")),
        [200, 200, 200, 429]
    );
    assert_eq!(
        ask(&behind, "10.0.0.1, 203.0.113.7"),
        429,
        "what it wrote itself is not believed"
    );
    let network = |n: u8| ask(&behind, &format!("2001:db8::{n}"));
    assert_eq!(
        [1, 2, 3, 4].map(network),
        [200, 200, 200, 429],
        "a network of IPv6 is one client"
    );
}

#[test]
fn a_request_that_takes_too_long_is_given_up_and_its_query_with_it() {
    let database = migrated(Server::shared());
    let api = Api::start(
        zerostarter_api(&database)
            .env("API_REQUEST_TIMEOUT", "400ms")
            .env("POSTGRES_POOL_SIZE", "1"),
    );
    let holder = database.session();
    holder.execute("BEGIN; LOCK TABLE waitlist");
    let answer = api.post("/api/waitlist", &json!({ "email": "late@example.com" }));
    assert_eq!((answer.status(), answer.code().as_str()), (503, "timeout"));
    assert_eq!(answer.header("retry-after"), Some("2"));
    let page = api.send("POST", "/waitlist", &[FORM], "email=late%40example.com");
    assert_eq!(
        (page.status(), page.header("content-type")),
        (503, Some("text/html; charset=utf-8"))
    );
    let gone = poll(SOON, || database.rows(WAITING).is_empty().then_some(()));
    gone.expect("the queries were cancelled");
    holder.execute("COMMIT");
    // The connection is a new one, and a busy machine may take longer for that than a request may take here.
    let joined = poll(SOON, || {
        let answer = api.post("/api/waitlist", &json!({ "email": "b@example.com" }));
        (answer.status() == 200).then_some(())
    });
    joined.expect("it works again");
    assert_eq!(emails(&database), ["b@example.com"]);
}

#[test]
fn a_client_that_dawdles_with_its_request_is_cut_off() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let started = Instant::now();
    // One stops in its first request, one is silent after it.
    let dawdlers = ["", "\r\n"].map(|end| {
        let mut stream = TcpStream::connect(("127.0.0.1", api.port)).unwrap();
        write!(stream, "GET /waitlist.css HTTP/1.1\r\nhost: x\r\n{end}").unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        stream
    });
    for mut stream in dawdlers {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the connection is closed");
    }
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_body_that_does_not_arrive_is_no_fault_of_the_database() {
    let database = migrated(Server::shared());
    let api = Api::start(zerostarter_api(&database).env("API_REQUEST_TIMEOUT", "300ms"));
    let head = "POST /api/waitlist HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let late = api
        .raw(&format!("{head}content-length: 40\r\n\r\n{{"))
        .expect("an answer");
    assert_eq!((late.status(), late.code().as_str()), (408, "body_timeout"));
    assert_eq!(late.header("connection"), Some("close"));
    let broken = format!("{head}transfer-encoding: chunked\r\n\r\nnonsense\r\n");
    let broken = api.raw(&broken).expect("an answer");
    assert_eq!(
        (broken.status(), broken.code().as_str()),
        (400, "incomplete_body")
    );
}

/// What arrives byte by byte takes no more room than what arrives at once.
#[test]
fn the_memory_of_a_body_is_that_of_its_bytes() {
    let database = migrated(Server::shared());
    let api = Api::start(zerostarter_api(&database).env("API_REQUEST_TIMEOUT", "60s"));
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", api.running.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        let kilobytes = line.split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u64>().unwrap()
    };
    api.post("/api/waitlist", &json!({ "email": "a@example.com" }));
    let before = peak();
    let mut stream = TcpStream::connect(("127.0.0.1", api.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    // As the system shows what one socket has received and nobody has read: ports in base 16, then both queues.
    let (here, there) = (stream.local_addr().unwrap().port(), api.port);
    let unread = || {
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let ports = [format!(":{there:04X}"), format!(":{here:04X}")];
        sockets.lines().any(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            cells[1].ends_with(&ports[0]) && cells[2].ends_with(&ports[1]) && !cells[4].ends_with(":00000000")
        })
    };
    let head = "POST /api/waitlist HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 800\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let body = format!("{:<800}", r#"{"email":"a@example.com"}"#);
    for byte in body.as_bytes() {
        while unread() {
            std::thread::yield_now();
        }
        stream.write_all(&[*byte]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let grown = peak() - before;
    assert!(grown < 1_500, "by {grown} kB");
}

#[test]
fn the_head_of_a_request_has_its_end() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let long = "a".repeat(20_000);
    let answer = api.raw(&format!(
        "GET /waitlist.css HTTP/1.1\r\nhost: x\r\ncookie: {long}"
    ));
    assert_eq!(answer.expect("an answer").status(), 431);
}

/// It asks for more than the system's buffers hold, and reads nothing of it.
#[test]
fn a_client_that_leaves_its_answers_unread_is_cut_off() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let mut stream = TcpStream::connect(("127.0.0.1", api.port)).unwrap();
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let requests = "GET /waitlist.css HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    let cut_off = poll(Duration::from_mins(1), || {
        match stream.write(requests.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Some(error.kind()),
            _ => None,
        }
    });
    let cut_off = cut_off.expect("it is cut off");
    assert!(
        matches!(cut_off, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{cut_off}"
    );
}

/// One connection serves many requests, and answers them in order.
#[test]
fn connections_are_kept_for_more_than_one_request() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    let one = "GET /api/waitlist HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = api.raw(&format!("{one}{one}{last}")).expect("answers");
    assert_eq!(answer.body.matches("{\"count\":0}").count(), 2);
    assert!(
        answer
            .body
            .ends_with("{\"error\":{\"code\":\"not_found\",\"message\":\"There is nothing here.\"}}")
    );
}

#[test]
fn running_requests_are_answered_before_the_end() {
    let database = migrated(Server::shared());
    let mut api = serve(&database);
    let holder = database.session();
    holder.execute("BEGIN; LOCK TABLE waitlist");
    let port = api.port;
    let client = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let body = r#"{"email":"last@example.com"}"#;
        write!(
            stream,
            "POST /api/waitlist HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    poll(SOON, || (database.rows(WAITING).len() == 1).then_some(())).expect("the request is under way");
    api.running.signal("TERM");
    api.running.wait_for_stderr("no more connections are accepted");
    poll(SOON, || {
        TcpStream::connect(("127.0.0.1", port)).is_err().then_some(())
    })
    .expect("nobody listens");
    holder.execute("COMMIT");
    let answer = client.join().unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains("connection: close"),
        "{answer}"
    );
    let run = api.running.wait();
    assert_eq!(run.status, 0);
    assert!(
        run.stderr.contains("stopped; every request was answered"),
        "{}",
        run.stderr
    );
    assert_eq!(emails(&database), ["last@example.com"]);
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let database = migrated(Server::shared());
    let api = Api::start(zerostarter_api(&database).env("API_SHUTDOWN_TIMEOUT", "300ms"));
    let (_holder, _stream) = ask_behind_a_lock(&database, &api);
    api.running.signal("INT");
    let run = api.running.wait();
    assert_eq!(run.status, 0);
    assert!(
        run.stderr.contains("some requests were not answered within 0.3s"),
        "{}",
        run.stderr
    );
}

#[test]
fn each_request_is_written_down_without_what_is_private() {
    let database = migrated(Server::shared());
    let command = zerostarter_api(&database)
        .env("LOG_FORMAT", "json")
        .env("RUST_LOG", "trace");
    let api = Api::start(command);
    api.post("/api/waitlist", &json!({ "email": "private-person@example.com" }));
    api.send("POST", "/waitlist", &[FORM], "email=private-nonsense");
    api.get("/waitlist?private-query");
    api.running.signal("TERM");
    let run = api.running.wait();
    assert!(!run.stderr.contains("private-"), "{}", run.stderr);
    let lines = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let seen: Vec<String> = lines
        .filter(|line| line.get("path").is_some())
        .map(|line| {
            format!(
                "{} {} {} {} {}",
                line["method"],
                line["path"],
                line["status"],
                line["client"],
                line["us"].is_u64()
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            r#""POST" "/api/waitlist" 200 "127.0.0.1" true"#,
            r#""POST" "/waitlist" 422 "127.0.0.1" true"#,
            r#""GET" "/waitlist" 200 "127.0.0.1" true"#,
        ]
    );
}

#[test]
fn a_request_whose_client_has_gone_is_written_down_and_its_query_cancelled() {
    let database = migrated(Server::shared());
    let mut api = serve(&database);
    let (_holder, stream) = ask_behind_a_lock(&database, &api);
    drop(stream);
    api.running.wait_for_stderr("GET /api/waitlist 499 in ");
    poll(SOON, || database.rows(WAITING).is_empty().then_some(())).expect("its query was cancelled");
    let metrics = api.get_internal("/metrics").body;
    let line = r#"http_requests_total{method="GET",route="/api/waitlist",status="499"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
}

/// An application does not stop because its log is not read, and says afterwards what is missing.
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let database = migrated(Server::shared());
    let long = format!("/{}", "a".repeat(10_000));
    let fill = |api: &Api| (0..400).for_each(|_| assert_eq!(api.get(&long).status(), 404));
    let unread = serve(&database);
    unread.running.leave_stderr_unread();
    fill(&unread);
    unread.running.signal("TERM");
    assert_eq!(unread.running.wait().status, 0);
    let read_again = serve(&database);
    read_again.running.leave_stderr_unread();
    fill(&read_again);
    read_again.running.read_stderr_again();
    let told = poll(SOON, || {
        assert_eq!(read_again.get("/").status(), 303);
        read_again
            .running
            .stderr()
            .contains(" lines of the log were lost: its reader is too slow")
            .then_some(())
    });
    told.expect("a report of what is missing");
}

#[test]
fn requests_and_connections_are_counted_by_route() {
    let database = migrated(Server::shared());
    let api = serve(&database);
    api.get("/api/waitlist");
    api.get("/api/waitlist");
    api.get("/no/such/path");
    api.send("BREW", "/api/waitlist", &[], "");
    assert_eq!(api.get("/metrics").status(), 404);
    let metrics = api.get_internal("/metrics");
    let kind = metrics.header("content-type").expect("a type");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    for line in [
        r#"http_requests_total{method="GET",route="/api/waitlist",status="200"} 2"#,
        r#"http_requests_total{method="GET",route="none",status="404"} 2"#,
        r#"http_requests_total{method="other",route="/api/waitlist",status="405"} 1"#,
        r#"http_request_duration_seconds_count{route="/api/waitlist"} 3"#,
        "db_pool_connections_max 10",
        "db_pool_connections_open 1",
        "db_pool_opened_total 1",
    ] {
        assert!(
            metrics.body.lines().any(|found| found == line),
            "{line}\n{}",
            metrics.body
        );
    }
    assert!(!metrics.body.contains("/no/such/path"));
}

#[test]
fn the_description_has_the_routes_and_nothing_else() {
    let description: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let described: BTreeSet<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{method} {path}"))
        })
        .collect();
    let served: BTreeSet<String> = ROUTES
        .iter()
        .flat_map(|route| {
            route
                .methods
                .iter()
                .map(|method| format!("{method} {}", route.path))
        })
        .collect();
    assert_eq!(described, served);
    let database = migrated(Server::shared());
    let api = serve(&database);
    for route in ROUTES.iter().filter(|route| !route.is_internal) {
        for method in ["get", "post", "put", "patch", "delete", "options"] {
            let status = api.send(&method.to_uppercase(), route.path, &[], "").status();
            let is_described = described.contains(&format!("{method} {}", route.path));
            assert_eq!(status != 405, is_described, "{method} {}: {status}", route.path);
            let statuses = &description["paths"][route.path][method]["responses"];
            assert!(
                !is_described || statuses.get(status.to_string()).is_some(),
                "{method} {}: {status}",
                route.path
            );
        }
    }
    let codes = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let listed = &description["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"];
    let listed = listed.as_array().unwrap().iter();
    // A row of the table of errors: codes, and a status.
    let documented = include_str!("../../../docs/api.md").lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        let (codes, status) = (cells.next()?, cells.next()?);
        status.trim().parse::<u16>().is_ok().then_some(codes)
    });
    assert_eq!(
        codes(listed.map(|code| code.as_str().unwrap()).collect()),
        codes(
            documented
                .flat_map(|cell| cell.split(", "))
                .map(|code| code.trim_matches(['`', ' ']))
                .collect()
        )
    );
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
}

/// A proxy counts how often the server was waited for. Every connection begins and ends in the same way.
#[test]
fn a_request_is_one_round_trip_to_the_database() {
    let server = Server::shared();
    let waits = |requests: usize| {
        let database = migrated(server);
        let proxy = Proxy::start(server.port());
        let api = serve_through(&proxy, &database);
        for number in 0..=requests {
            let email = json!({ "email": format!("{number}@example.com") });
            assert_eq!(api.post("/api/waitlist", &email).status(), 200);
            assert_eq!(api.get("/api/waitlist").status(), 200);
        }
        api.running.signal("TERM");
        assert_eq!(api.running.wait().status, 0);
        proxy.round_trips()
    };
    assert_eq!(waits(10) - waits(0), 20);
}

#[test]
fn it_works_behind_a_transaction_pooler() {
    let server = Server::start(ServerOptions::new());
    let database = migrated(&server);
    let pooler = Pooler::start(&server, 1);
    let url = format!("{}&pgbouncer=true", database.url_through(pooler.port()));
    let api = Api::start(
        zerostarter_api(&database)
            .env("POSTGRES_URL", url)
            .env("API_RATE_LIMIT", "0"),
    );
    assert_eq!(api.get("/api/health").status(), 200);
    for number in 0..20 {
        let email = json!({ "email": format!("{number}@example.com") });
        assert_eq!(api.post("/api/waitlist", &email).status(), 200);
        assert_eq!(api.get("/api/waitlist").status(), 200);
    }
    assert_eq!(emails(&database).len(), 20);
}

/// If the answer was "joined", the address is on the list, whatever happened to the server meanwhile.
#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_server_crashes_under_load() {
    let server = Server::start(ServerOptions::new());
    let database = migrated(&server);
    let api = serve(&database);
    let is_over = AtomicBool::new(false);
    let (acknowledged, refused) = std::thread::scope(|scope| {
        let load: Vec<_> = (0..8)
            .map(|client| {
                let (api, is_over) = (&api, &is_over);
                scope.spawn(move || {
                    let (mut acknowledged, mut refused) = (Vec::new(), 0);
                    for number in 0.. {
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                        let email = format!("{client}-{number}@example.com");
                        let answer = api.post("/api/waitlist", &json!({ "email": email }));
                        match answer.status() {
                            200 => acknowledged.push(email),
                            503 => {
                                assert!(answer.header("retry-after").is_some());
                                refused += 1;
                            }
                            status => panic!("{status}: {}", answer.body),
                        }
                    }
                    (acknowledged, refused)
                })
            })
            .collect();
        let joined = || server.rows(database.name(), "SELECT count(*) FROM waitlist")[0].parse::<u32>();
        for round in 0..rounds().max(3) {
            let before = joined().expect("a number");
            poll(SOON, || (joined().expect("a number") > before + 20).then_some(())).expect("it works again");
            server.stop(if round % 3 == 2 {
                Shutdown::Fast
            } else {
                Shutdown::Immediate
            });
            server.restart();
        }
        api.get_until("/api/health", 200);
        is_over.store(true, Ordering::Relaxed);
        let counts = load.into_iter().map(|client| client.join().expect("a client"));
        counts.fold((Vec::new(), 0), |(mut all, refused), (some, more)| {
            all.extend(some);
            (all, refused + more)
        })
    });
    assert!(refused > 0, "the server was away");
    let stored: BTreeSet<String> = emails(&database).into_iter().collect();
    let lost: Vec<&String> = acknowledged
        .iter()
        .filter(|email| !stored.contains(*email))
        .collect();
    assert!(lost.is_empty(), "of {}: {lost:?}", acknowledged.len());
}

#[test]
fn the_health_check_of_a_container_asks_the_one_that_serves() {
    let database = Server::shared().database();
    let api = serve(&database);
    let check = || {
        zerostarter_api(&database)
            .env("API_HEALTH_LISTEN", format!("0.0.0.0:{}", api.health_port))
            .arg("check")
    };
    assert_snapshot!(check().snapshot(), @r#"
    status: 1
    --- stdout
    --- stderr
    error: 127.0.0.1:[port] is not healthy: {"database":{"pending_migrations":2,"schema_version":null,"state":"up"},"error":{"code":"migrations_pending","message":"The database is not migrated yet."}}
    "#);
    assert_eq!(zerostarter_db(&database).run().status, 0);
    api.get_until("/api/health", 200);
    assert_snapshot!(check().snapshot(), @r#"
    status: 0
    --- stdout
    {"database":{"pending_migrations":0,"schema_version":1,"state":"up"},"status":"ok"}
    --- stderr
    "#);
    let nobody = check().env("API_HEALTH_LISTEN", format!("127.0.0.1:{}", unused_port()));
    assert_eq!(nobody.run().status, 1);
}

#[test]
fn what_cannot_be_used_is_told_at_once() {
    let database = Server::shared().database();
    let command = zerostarter_api(&database)
        .env("API_LISTEN", "4000")
        .env("API_RATE_LIMIT", "many")
        .env("API_RATE_LIMIT_WINDOW", "0")
        .env("API_TRUSTED_PROXIES", "11")
        .env("API_REQUEST_TIMEOUT", "soon")
        .env("API_SHUTDOWN_TIMEOUT", "-1s")
        .env("POSTGRES_POOL_SIZE", "none");
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_POOL_SIZE is not a number of connections from 1 to 10000
      API_LISTEN is not an address and a port such as 0.0.0.0:4000 or [::]:4000
      API_RATE_LIMIT is not a number of requests, or 0 for no limit
      API_RATE_LIMIT_WINDOW is 0, and a limit is needed
      API_TRUSTED_PROXIES is not a number of reverse proxies from 0 to 10
      API_REQUEST_TIMEOUT is not a duration such as [ms], 30s or 10m
      API_SHUTDOWN_TIMEOUT is not a duration such as [ms], 30s or 10m
    ");
    let api = serve(&database);
    let second = zerostarter_api(&database).env("API_LISTEN", format!("127.0.0.1:{}", api.port));
    assert_snapshot!(second.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: cannot listen at 127.0.0.1:[port]
      Address already in use (os error 98)

    hint: set API_LISTEN to an address of this machine and a free port
    ");
}

#[test]
fn every_variable_is_documented() {
    let example = include_str!("../../../.env.example");
    let page = concat!(
        include_str!("../../../docs/api.md"),
        include_str!("../../../docs/library.md")
    );
    let help = Command::program(program("zerostarter-api"))
        .arg("--help")
        .run()
        .stdout;
    for variable in zerostarter_pool::config::VARIABLES.iter().chain(VARIABLES) {
        let (name, default) = (variable.name, variable.default.expect("a default"));
        assert!(page.contains(&format!("`{name}`")), "{name}");
        assert!(example.contains(&format!("# {name}={default}\n")), "{name}");
        assert!(help.contains(name) && help.contains(default), "{name}");
    }
}

#[test]
fn the_command_line_explains_itself() {
    let database = Server::shared().database();
    assert_snapshot!(zerostarter_api(&database).arg("--help").snapshot(), @"
    status: 0
    --- stdout
    Serves the waitlist, as JSON and as a page, until it is stopped

    Usage: zerostarter-api [COMMAND]

    Commands:
      serve  Serve (the default)
      check  Request the health of the web app in this container
      help   Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Settings come from the environment, then .env.$NODE_ENV, then .env.
    Set NODE_ENV and POSTGRES_URL (or POSTGRES_URL_FILE).

      NODE_ENV
          local, development, test, staging or production
      POSTGRES_URL
          The database: postgres://user:password@host:5432/database
      POSTGRES_URL_FILE
          File that holds the database's URL, in place of POSTGRES_URL
      INTERNAL_API_URL
          If set, the host localhost in the URL becomes host.docker.internal
      POSTGRES_CA_FILE
          PEM file of the CA to trust in place of Mozilla's list
      POSTGRES_PLAINTEXT_IN_PRODUCTION [default: no]
          yes allows sslmode=disable in production, for a private network
      POSTGRES_POOL_SIZE [default: 10]
          Connections that may be open at a time
      POSTGRES_POOL_WAIT [default: 10s]
          How long to wait for a connection while all are in use
      POSTGRES_CONNECT_TIMEOUT [default: 10s]
          How long opening a connection may take, all hosts of the URL together
      POSTGRES_IDLE_TIMEOUT [default: 30s]
          How long an idle connection stays open
      POSTGRES_MAX_LIFETIME [default: none]
          How long a connection stays open at most
      API_LISTEN [default: 0.0.0.0:4000]
          Address and port
      API_HEALTH_LISTEN [default: 127.0.0.1:4001]
          Address and port of the health check and the metrics
      API_CLIENT_CONNECTIONS [default: 200]
          Connections of one client at a time, 0 for no limit
      API_RATE_LIMIT [default: 60]
          Requests of one client in a window, 0 for no limit
      API_RATE_LIMIT_WINDOW [default: 60s]
          The window
      API_TRUSTED_PROXIES [default: 0]
          Reverse proxies in front that add to X-Forwarded-For
      API_JOIN_TIME [default: [ms]]
          Joining takes a multiple of this, so that its time does not tell who is on the list
      API_COUNT_AGE [default: 1h]
          How long a count is shown
      API_REQUEST_TIMEOUT [default: 10s]
          How long one answer may take
      API_SHUTDOWN_TIMEOUT [default: 10s]
          How long running requests may take after a signal
      LOG_FORMAT [default: text]
          text or json
      RUST_LOG [default: info]
          error, warn, info, debug, trace or off

    Exit status:
      0  stopped by SIGTERM, SIGINT or SIGHUP; for check: healthy
      1  for check: not healthy
      2  the command line or a variable cannot be used
    --- stderr
    ");
    assert_snapshot!(zerostarter_api(&database).arg("--version").snapshot(), @"
    status: 0
    --- stdout
    zerostarter-api [version]
    --- stderr
    ");
    assert_snapshot!(zerostarter_api(&database).arg("server").snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: unrecognized subcommand 'server'
      Usage: zerostarter-api [COMMAND]

    hint: a similar subcommand exists: 'serve'
    hint: run zerostarter-api --help for the commands and flags
    ");
}

#[test]
fn a_password_is_in_no_line_of_the_log() {
    let server = Server::start(
        ServerOptions::new()
            .hba("host all barred all scram-sha-256")
            .hba("host all all all trust"),
    );
    let database = migrated(&server);
    server.execute("postgres", "CREATE ROLE barred LOGIN PASSWORD 'another-word'");
    let command = zerostarter_api(&database)
        .env("POSTGRES_URL", database.url_as("barred:hidden-word"))
        .env("RUST_LOG", "trace");
    let api = Api::start(command);
    let answer = api.get("/api/waitlist");
    assert_eq!((answer.status(), answer.code().as_str()), (503, "unavailable"));
    api.running.signal("TERM");
    let run = api.running.wait();
    let told = run
        .stderr
        .lines()
        .filter(|line| line.contains("WARN") && line.contains("28P01"));
    assert_eq!(told.count(), 1, "{}", run.stderr);
    assert!(!run.stderr.contains("hidden-word"), "{}", run.stderr);
}

/// A container can be limited to one process, and the runtime wants a thread for each processor.
#[test]
fn one_thread_is_enough() {
    let database = migrated(Server::shared());
    let url = database.url().replace("127.0.0.1", "localhost");
    let command = zerostarter_api(&database).env("POSTGRES_URL", url);
    let Some(command) = command.with_one_process() else {
        return;
    };
    let api = Api::start(command);
    assert_eq!(api.get("/api/health").status(), 200);
    api.running.signal("TERM");
    assert_eq!(api.running.wait().status, 0);
}

/// Letters that turn what follows around, and what some viewers take for the end of a line.
#[test]
fn a_path_cannot_forge_the_access_log() {
    let database = migrated(Server::shared());
    for format in ["text", "json"] {
        let command = zerostarter_api(&database).env("LOG_FORMAT", format);
        let api = Api::start(command);
        let path = "/x\u{202e}y\u{2028}\u{85}z";
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        api.raw(&request).expect("an answer");
        assert_eq!(api.get("/end").status(), 404);
        api.running.signal("TERM");
        let log = api.running.wait().stderr;
        assert!(log.contains("/end"), "{log}");
        assert!(!log.contains(['\u{202e}', '\u{2028}', '\u{85}']), "{log}");
    }
}
