//! What the database does by itself: pgbench with the same statement, prepared, on as many connections.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::Database;
use crate::plan::{POOL, Plan, Work};

/// Transactions a second.
pub(crate) fn measure(database: &Database, work: Work, plan: &Plan) -> f64 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench/statement.sql");
    fs::write(&script, work.statement()).expect("to write");
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "1"])
        .args([
            "--client",
            &POOL.to_string(),
            "--time",
            &plan.seconds.to_string(),
            "--file",
        ])
        .arg(&script)
        .arg(database.url())
        .output()
        .expect("pgbench, which PostgreSQL brings");
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rest| rest.split(' ').next()?.parse().ok());
    rate.unwrap_or_else(|| panic!("pgbench says: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
