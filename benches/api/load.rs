//! Requests, as fast as a server answers them, by wrk.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::contender::{Contender, cpu_of};
use crate::harness::Server;
use crate::plan::{CONNECTIONS, Plan, Work};

/// Prints what wrk does not by itself. Each address is new, over all runs and threads.
const JOIN: &str = r#"
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("id", threads)
end
function init(args)
  sent = 0
  run = args[1]
end
function request()
  sent = sent + 1
  local body = string.format('{"email":"%s-%d-%d@example.com"}', run, id, sent)
  return wrk.format("POST", "/api/waitlist", {["content-type"] = "application/json"}, body)
end
"#;

const COUNT: &str = r#"
function request()
  return wrk.format("GET", "/api/waitlist")
end
"#;

const DONE: &str = r#"
function done(summary, latency, requests)
  local errors = summary.errors
  local failures = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("figures %d %d %d %d %d %d\n", summary.requests, summary.duration, failures,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"#;

/// What one run came to.
pub(crate) struct Run {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
    pub(crate) failures: u64,
    /// Processor time a request: the server's, the database's, and that of wrk.
    pub(crate) cpu: [Duration; 3],
}

/// Warms a server up, and measures it.
pub(crate) fn run(contender: &Contender, server: &Server, work: Work, plan: &Plan) -> Run {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench/load.lua");
    let requests = match work {
        Work::Join => JOIN,
        Work::Count(_) => COUNT,
    };
    fs::write(&script, format!("{requests}{DONE}")).expect("to write");
    wrk(contender, &script, Duration::from_secs(1));
    let before = [contender.cpu(), postgres(server)];
    let (figures, wrk_cpu) = wrk(contender, &script, plan.duration());
    let [total, micros, failures, p50, p99, longest] = figures;
    #[expect(clippy::cast_precision_loss, reason = "figures of a run are far below 2^52")]
    let (total_of_run, seconds) = (total as f64, micros as f64 / 1e6);
    let each = |used: Duration| used.div_f64(total_of_run.max(1.0));
    Run {
        per_second: total_of_run / seconds,
        p50: Duration::from_micros(p50),
        p99: Duration::from_micros(p99),
        longest: Duration::from_micros(longest),
        failures,
        cpu: [
            each(contender.cpu().saturating_sub(before[0])),
            each(postgres(server).saturating_sub(before[1])),
            each(wrk_cpu),
        ],
    }
}

fn wrk(contender: &Contender, script: &Path, duration: Duration) -> ([u64; 6], Duration) {
    let unique = format!("{:?}", std::time::SystemTime::now()).replace(|c: char| !c.is_ascii_digit(), "");
    let before = cpu_of(std::process::id());
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
        .args(["--duration", &format!("{}s", duration.as_secs()), "--script"])
        .arg(script)
        .arg(format!("http://127.0.0.1:{}", contender.port))
        .args(["--", &unique])
        .output()
        .expect("wrk, which this needs: the package is called wrk");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures = text.lines().find_map(|line| line.strip_prefix("figures "));
    let figures: Vec<u64> = figures
        .unwrap_or_default()
        .split(' ')
        .filter_map(|figure| figure.parse().ok())
        .collect();
    let figures = figures.try_into().unwrap_or_else(|_| panic!("wrk says: {text}"));
    (figures, cpu_of(std::process::id()).saturating_sub(before))
}

/// The processor time of the database's processes. The pool keeps its connections during a run, so that none ends.
fn postgres(server: &Server) -> Duration {
    let main = server.pid();
    let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap_or_default();
    children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .map(cpu_of)
        .sum()
}
