//! What the web app tells about who is on the list, and who can take it away from others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use zerostarter_test_harness::{Answer, Api, Database, Proxy, Server, poll, zerostarter_api, zerostarter_db};

const SOON: Duration = Duration::from_secs(20);
const JOIN_TIME: Duration = Duration::from_millis(100);

fn migrated() -> Database {
    let database = Server::shared().database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    database
}

fn fill(database: &Database, rows: u32) {
    database.execute(&format!(
        "INSERT INTO waitlist (id, email) SELECT n, n FROM generate_series(1, {rows}) n"
    ));
}

fn count(api: &Api) -> i64 {
    api.get("/api/waitlist").json()["count"]
        .as_i64()
        .expect("a count")
}

#[test]
fn the_count_does_not_move_with_an_entry() {
    for rows in [0, 9, 19, 29, 30, 101] {
        let database = migrated();
        fill(&database, rows);
        let api = Api::start(zerostarter_api(&database).env("API_RATE_LIMIT", "0"));
        let before = count(&api);
        let rows = i64::from(rows);
        assert!(
            before % 10 == 0
                && if rows < 10 {
                    before == 0
                } else {
                    before <= rows + 10
                },
            "{rows}: {before}"
        );
        assert!(rows < 30 || before >= rows - 20, "{rows}: {before}");
        for number in 0..25 {
            let email = json!({ "email": format!("{number}@example.com") });
            assert_eq!(api.post("/api/waitlist", &email).status(), 200);
            assert_eq!(count(&api), before, "{rows}, {number}");
        }
        let page = api.get("/waitlist").body;
        assert_eq!(page.contains(&format!("<strong>{before}</strong>")), before > 0);
    }
}

/// Neither the answer, nor the questions to the database, nor the time: each answer waits for the same moment.
#[test]
fn joining_is_the_same_for_a_listed_address() {
    let joining = |is_listed: bool| {
        let database = migrated();
        let proxy = Proxy::start(database.port());
        let api = Api::start(
            zerostarter_api(&database)
                .env("POSTGRES_URL", database.url_through(proxy.port()))
                .env("POSTGRES_POOL_SIZE", "1")
                .env("API_RATE_LIMIT", "0"),
        );
        if is_listed {
            database.execute("INSERT INTO waitlist (id, email) SELECT n, n || '@example.com' FROM generate_series(0, 49) n");
        }
        let answers: Vec<String> = (0..50)
            .map(|number| {
                let started = Instant::now();
                let email = json!({ "email": format!("{number}@example.com") });
                let answer = api.post("/api/waitlist", &email);
                assert!(
                    started.elapsed() >= JOIN_TIME,
                    "{number}: {:?}",
                    started.elapsed()
                );
                let date = answer.header("date").expect("a date").to_owned();
                format!("{answer:?}").replace(&date, "")
            })
            .collect();
        api.running.signal("TERM");
        assert_eq!(api.running.wait().status, 0);
        (answers, proxy.round_trips())
    };
    assert_eq!(joining(false), joining(true));
}

#[test]
fn metrics_are_closed_to_the_public() {
    let database = migrated();
    let api = Api::start(zerostarter_api(&database));
    for path in ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/METRICS"] {
        assert_eq!(api.get(path).status(), 404, "{path}");
    }
    assert_eq!(api.get_internal("/metrics").status(), 200);
    assert_eq!(api.get_internal("/waitlist").status(), 404);
}

/// The loopback network has many addresses, and each is a client.
fn connect_from(last: u8, port: u16) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    let from: std::net::SocketAddr = ([127, 0, 0, last], 0).into();
    socket.bind(&from.into()).expect("an address");
    let to: std::net::SocketAddr = ([127, 0, 0, 1], port).into();
    socket.connect(&to.into()).expect("to connect");
    socket.into()
}

#[test]
fn one_client_cannot_take_the_app_away_from_others() {
    let database = migrated();
    let api = Api::start(zerostarter_api(&database));
    let unfinished: Vec<TcpStream> = (0..2_100)
        .map(|_| {
            let mut stream = connect_from(2, api.port);
            // The server may have closed it already.
            let _ = stream.write_all(b"GET /waitlist HTTP/1.1\r\nhost: x\r\n");
            stream
        })
        .collect();
    let another = |path: &str| -> u16 {
        let mut stream = connect_from(3, api.port);
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .expect("to send");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status")
    };
    assert_eq!(another("/api/waitlist"), 200);
    assert_eq!(another("/api/health"), 200);
    assert_eq!(api.get_internal("/api/health").status(), 200);
    let check = zerostarter_api(&database)
        .env("API_HEALTH_LISTEN", format!("127.0.0.1:{}", api.health_port))
        .arg("check")
        .run();
    assert_eq!(check.status, 0, "{}", check.stderr);
    // Those above the limit were closed, and when the others are gone, the client is welcome again.
    let is_open = |stream: &TcpStream| {
        stream.set_nonblocking(true).expect("a socket");
        matches!((&*stream).read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    };
    let open = || unfinished.iter().filter(|stream| is_open(stream)).count();
    poll(SOON, || (open() == 200).then_some(())).unwrap_or_else(|| panic!("{} are open", open()));
    drop(unfinished);
    poll(SOON, || {
        let mut stream = connect_from(2, api.port);
        stream
            .write_all(b"GET /api/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    })
    .expect("places are free again");
}

/// Many clients together still cannot take the health check of operators away.
#[test]
fn no_number_of_clients_takes_the_health_check_away() {
    let database = migrated();
    let api = Api::start(zerostarter_api(&database).env("API_CLIENT_CONNECTIONS", "0"));
    let _unfinished: Vec<TcpStream> = (0..2_100)
        .map(|_| {
            let mut stream = connect_from(2, api.port);
            stream
                .write_all(b"GET /waitlist HTTP/1.1\r\nhost: x\r\n")
                .expect("to send");
            stream
        })
        .collect();
    let health: Answer = api.get_internal("/api/health");
    assert_eq!(health.status(), 200);
}
