//! The figures as Markdown.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::Figures;
use crate::contender::Kind;
use crate::load::Run;
use crate::plan::{CONNECTIONS, POOL, Plan};
use crate::processor::Cost;
use zerostarter_test_harness::Server;

/// What is meant to be reached, one or the other: so many times the throughput of the other at a lower 99th
/// percentile, or this part of what the database does by itself. Printed, not enforced: it depends on the machine.
const TIMES: f64 = 3.0;
const PART: f64 = 0.9;

/// Everything, with what it was measured on.
pub(crate) fn text(server: &Server, plan: &Plan, all: &[Figures]) -> String {
    [
        environment(server, plan, all),
        table(all),
        "How `zerostarter-api` compares:\n\n".to_owned() + &all.iter().flat_map(verdicts).collect::<String>(),
    ]
    .join("\n")
}

fn environment(server: &Server, plan: &Plan, all: &[Figures]) -> String {
    let runs = all
        .iter()
        .flat_map(|figures| figures.runs.iter().flatten().flatten());
    let limits = all.iter().flat_map(|figures| &figures.limit);
    let costs = runs.map(|run| run.cost).chain(limits.map(|limit| limit.cost));
    let others: Vec<f64> = costs.map(|cost| cost.others).collect();
    format!(
        "{date}, {cores} cores ({os}, {machine}): {packages}, PostgreSQL {version} on a disk with fsync, {pgbench}, \
         {wrk}. {POOL} connections to the database for each, over TCP without TLS; {rounds} × {seconds} s for each \
         figure, by turns; medians. Other programs had {usual:.0} % of the processors' time in the median, and at most \
         {most:.0} %.\n",
        date = time::OffsetDateTime::now_utc().date(),
        cores = std::thread::available_parallelism().map_or(0, usize::from),
        os = std::env::consts::OS,
        machine = std::env::consts::ARCH,
        packages = packages(),
        version = server.rows("postgres", "SHOW server_version").concat(),
        pgbench = version("pgbench", "--version", "pgbench"),
        wrk = version("wrk", "--version", "wrk"),
        rounds = plan.rounds,
        seconds = plan.seconds,
        usual = 100.0 * median(others.iter().copied()),
        most = 100.0 * others.iter().copied().fold(0.0, f64::max),
    )
}

/// `bun 1.2.3, hono 4.5.6` and so on, as they are installed.
fn packages() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/hono/package.json");
    let package = fs::read_to_string(file).expect("the packages; `make bench-api` installs them");
    let package: Value = serde_json::from_str(&package).expect("JSON");
    let dependencies = package["dependencies"].as_object().expect("dependencies");
    let packages = dependencies.iter();
    let packages = packages.map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default()));
    packages.collect::<Vec<_>>().join(", ")
}

/// The name and the version from what a program says of itself. wrk says it and exits with 1.
fn version(program: &str, argument: &str, name: &str) -> String {
    let output = Command::new(program).arg(argument).output().expect(program);
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text
        .split_whitespace()
        .find(|word| word.contains(char::is_numeric));
    format!("{name} {}", version.unwrap_or_default())
}

fn table(all: &[Figures]) -> String {
    let mut text = String::from(
        "| request | connections | | requests a second | of pgbench | p50 | p99 | longest | peak memory | CPU seconds for 1,000: server | database | wrk or pgbench |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for figures in all {
        let limit = limit(figures);
        for (connections, kinds) in CONNECTIONS.iter().zip(&figures.runs) {
            for (kind, runs) in Kind::ALL.iter().zip(kinds) {
                let rate = rate(runs);
                let _ = writeln!(
                    text,
                    "| {} | {connections} | {} | {rate:.0} | {:.0} % | {} | {} | {} | {:.1} MB | {:.3} | {} |",
                    figures.work.name(),
                    kind.name(),
                    100.0 * rate / limit,
                    time(runs, |run| run.p50),
                    time(runs, |run| run.p99),
                    time(runs, |run| run.longest),
                    median(runs.iter().map(|run| run.peak_megabytes)),
                    seconds(runs.iter().map(|run| run.cost), |cost| cost.server),
                    around(|| runs.iter().map(|run| run.cost)),
                );
            }
        }
        let _ = writeln!(
            text,
            "| {} | {POOL} | pgbench | {limit:.0} | 100 % | | | | | | {} |",
            figures.work.name(),
            around(|| figures.limit.iter().map(|limit| limit.cost)),
        );
    }
    text
}

/// What the database and the client used.
fn around<I: Iterator<Item = Cost>>(costs: impl Fn() -> I) -> String {
    let database = seconds(costs(), |cost| cost.database);
    let client = seconds(costs(), |cost| cost.client);
    format!("{database:.3} | {client:.3}")
}

fn verdicts(figures: &Figures) -> Vec<String> {
    let limit = limit(figures);
    let cases = CONNECTIONS.iter().zip(&figures.runs);
    let verdict = |(connections, [ours, theirs]): (&u32, &[Vec<Run>; 2])| {
        let times = rate(ours) / rate(theirs);
        let p99 = |runs: &[Run]| median(runs.iter().map(|run| run.p99.as_secs_f64()));
        let part_of_p99 = p99(ours) / p99(theirs);
        let part = rate(ours) / limit;
        let is_reached = (times >= TIMES && part_of_p99 < 1.0) || part >= PART;
        format!(
            "- {}, {connections} connections: {times:.2} times the requests at {part_of_p99:.2} times the 99th percentile \
             of Bun's, {:.0} % of pgbench (Bun's: {:.0} %). Meant are {TIMES} times the requests at a lower 99th percentile, \
             or {:.0} % of pgbench: {}\n",
            figures.work.name(),
            100.0 * part,
            100.0 * rate(theirs) / limit,
            100.0 * PART,
            if is_reached { "reached" } else { "missed" }
        )
    };
    cases.map(verdict).collect()
}

fn limit(figures: &Figures) -> f64 {
    median(figures.limit.iter().map(|limit| limit.per_second))
}

fn rate(runs: &[Run]) -> f64 {
    median(runs.iter().map(|run| run.per_second))
}

/// For a thousand requests.
fn seconds(costs: impl Iterator<Item = Cost>, which: impl Fn(&Cost) -> Duration) -> f64 {
    1_000.0 * median(costs.map(|cost| which(&cost).as_secs_f64()))
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn time(runs: &[Run], which: impl Fn(&Run) -> Duration) -> String {
    let milliseconds = 1_000.0 * median(runs.iter().map(|run| which(run).as_secs_f64()));
    match milliseconds {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.0} ms"),
    }
}
