//! What the database does by itself: pgbench with the same statement, prepared, on as many connections.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::load::unique;
use crate::plan::{POOL, Plan, Work};
use crate::processor::{Cost, Meter};
use zerostarter_test_harness::{Database, Server};

/// What one run came to.
pub(crate) struct Limit {
    /// Transactions.
    pub(crate) per_second: f64,
    pub(crate) cost: Cost,
}

/// Measures it once.
pub(crate) fn run(server: &Server, database: &Database, work: Work, plan: &Plan) -> Limit {
    work.prepare(database);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench/statement.sql");
    fs::write(&script, work.statement()).expect("to write");
    let meter = Meter::start(server, None);
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "1"])
        .args(["--client", &POOL.to_string()])
        .args(["--time", &plan.seconds.to_string()])
        .args(["--define", "sent=0", "--define", &format!("run={}", unique())])
        .arg("--file")
        .arg(&script)
        .arg(database.url())
        .output()
        .expect("pgbench, which comes with PostgreSQL");
    let text = String::from_utf8_lossy(&output.stdout);
    let said = || format!("pgbench says: {text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", said());
    let figure = |name: &str| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name));
        let figure = rest.and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
        figure.unwrap_or_else(|| panic!("{}", said()))
    };
    let done = figure("number of transactions actually processed: ");
    let cost = meter.stop(done);
    if work == Work::Join {
        let stored = database.rows("SELECT count(*) FROM waitlist").concat();
        assert_eq!(stored, done.to_string(), "addresses that pgbench has stored");
    }
    Limit {
        per_second: figure("tps = "),
        cost,
    }
}
