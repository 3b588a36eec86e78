//! Requests, as fast as a server answers them, by wrk.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::contender::Contender;
use crate::plan::{Plan, Work};
use crate::processor::{Cost, Meter};
use zerostarter_test_harness::{Database, Server};

/// Each address is new, over all runs and threads. wrk shares the machine with what it measures: the requests are put
/// together by hand, which costs it less than its own functions do.
const JOIN: &str = r#"
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("id", threads)
end
function init(args)
  sent = 0
  run = args[1]
  head = "POST /api/waitlist HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
end
function request()
  sent = sent + 1
  local body = string.format('{"email":"%s-%d-%d@example.com"}', run, id, sent)
  return head .. #body .. "\r\n\r\n" .. body
end
"#;

/// Prints what is read here; what wrk prints by itself is for people.
const DONE: &str = r#"
function done(summary, latency, requests)
  local errors = summary.errors
  local failures = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("figures %d %d %d %d %d %d\n", summary.requests, summary.duration, failures,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"#;

/// How long a server is warmed up before each measurement.
const WARM_UP: Duration = Duration::from_secs(1);

/// What one run came to.
pub(crate) struct Run {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
    /// The most memory that the server had during the run, in megabytes.
    pub(crate) peak_megabytes: f64,
    pub(crate) cost: Cost,
}

/// What wrk has counted.
struct Tally {
    requests: u64,
    micros: u64,
    failures: u64,
    p50: u64,
    p99: u64,
    longest: u64,
}

/// Warms a server up, and measures it. Panics unless every request was answered with 200, was logged, and has done
/// what it should: figures of anything else would be worth nothing.
pub(crate) fn run(
    contender: &Contender,
    connections: u32,
    server: &Server,
    database: &Database,
    work: Work,
    plan: &Plan,
) -> Run {
    wrk(contender, connections, work, WARM_UP);
    work.prepare(database);
    contender.forget();
    let meter = Meter::start(server, Some(contender.pid()));
    let tally = wrk(contender, connections, work, plan.duration());
    #[expect(clippy::cast_precision_loss, reason = "figures of a run are far below 2^52")]
    let (requests, seconds) = (tally.requests as f64, tally.micros as f64 / 1e6);
    let cost = meter.stop(requests);
    check(contender, database, work, &tally);
    Run {
        per_second: requests / seconds,
        p50: Duration::from_micros(tally.p50),
        p99: Duration::from_micros(tally.p99),
        longest: Duration::from_micros(tally.longest),
        peak_megabytes: contender.peak_megabytes(),
        cost,
    }
}

fn check(contender: &Contender, database: &Database, work: Work, tally: &Tally) {
    let name = contender.kind.name();
    assert_eq!(tally.failures, 0, "{name}: requests that wrk calls failed");
    // wrk calls an answer failed from 400 on; the log has them all.
    contender.expect_logged(tally.requests);
    let rows = database.rows("SELECT count(*) FROM waitlist").concat();
    let rows: u64 = rows.parse().expect("a count");
    let before = u64::from(work.rows());
    let is_right = match work {
        Work::Join => rows >= tally.requests,
        Work::Count(_) => rows == before,
    };
    assert!(
        is_right && tally.requests > 0,
        "{name}: {} requests were answered, and the table of {before} rows has {rows}",
        tally.requests
    );
}

fn wrk(contender: &Contender, connections: u32, work: Work, duration: Duration) -> Tally {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench/load.lua");
    let requests = match work {
        Work::Join => JOIN,
        // The same each time: wrk makes it once, of the address.
        Work::Count(_) => "",
    };
    fs::write(&script, format!("{requests}{DONE}")).expect("to write");
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &connections.to_string()])
        .args(["--duration", &format!("{}s", duration.as_secs()), "--script"])
        .arg(script)
        .arg(format!("http://127.0.0.1:{}/api/waitlist", contender.port))
        .args(["--", &unique()])
        .output()
        .expect("wrk, of the package of this name");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures = text.lines().find_map(|line| line.strip_prefix("figures "));
    let figures: Vec<u64> = figures
        .unwrap_or_default()
        .split(' ')
        .filter_map(|figure| figure.parse().ok())
        .collect();
    let [requests, micros, failures, p50, p99, longest] = figures[..] else {
        panic!("wrk says: {text}{}", String::from_utf8_lossy(&output.stderr));
    };
    Tally {
        requests,
        micros,
        failures,
        p50,
        p99,
        longest,
    }
}

/// A number that no other run has.
pub(crate) fn unique() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_nanos().to_string()
}
