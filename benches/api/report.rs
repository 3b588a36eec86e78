//! The figures as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use crate::Figures;
use crate::contender::{Contender, Kind};
use crate::harness::Server;
use crate::load::Run;
use crate::plan::{CONNECTIONS, POOL, Plan};

/// What is meant to be reached, one or the other: so many times the throughput of the other at a lower 99th
/// percentile, or this part of what the database does by itself. Printed, not enforced: it depends on the machine.
const TIMES: f64 = 3.0;
const PART: f64 = 0.9;

pub(crate) fn text(server: &Server, contenders: &[Contender; 2], plan: &Plan, all: &[Figures]) -> String {
    let mut text = format!(
        "{date}, {cores} cores ({os}, {machine}), PostgreSQL {version} with fsync, over TCP without TLS; database, servers \
         and wrk share the machine. {CONNECTIONS} connections to each server, {POOL} of each to the database, \
         {rounds} runs of {seconds} s by turns; medians.\n\n",
        date = time::OffsetDateTime::now_utc().date(),
        cores = std::thread::available_parallelism().map_or(0, usize::from),
        os = std::env::consts::OS,
        machine = std::env::consts::ARCH,
        version = server.rows("postgres", "SHOW server_version").concat(),
        rounds = plan.rounds,
        seconds = plan.seconds,
    );
    text.push_str(
        "| | | requests a second | p50 | p99 | longest | failures | of pgbench | CPU a request: server | database | wrk |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for figures in all {
        let limit = median(figures.limit.iter().copied());
        for (kind, runs) in Kind::ALL.iter().zip(&figures.runs) {
            let rate = rate(runs);
            let _ = writeln!(
                text,
                "| {} | {} | {rate:.0} | {} | {} | {} | {} | {:.0} % | {} | {} | {} |",
                figures.work.name(),
                kind.name(),
                time(runs, |run| run.p50),
                time(runs, |run| run.p99),
                time(runs, |run| run.longest),
                runs.iter().map(|run| run.failures).sum::<u64>(),
                100.0 * rate / limit,
                time(runs, |run| run.cpu[0]),
                time(runs, |run| run.cpu[1]),
                time(runs, |run| run.cpu[2]),
            );
        }
        let _ = writeln!(
            text,
            "| {} | pgbench | {limit:.0} | | | | | 100 % | | | |",
            figures.work.name()
        );
    }
    text.push_str("\n| | peak memory |\n|---|---|\n");
    for contender in contenders {
        let _ = writeln!(
            text,
            "| {} | {:.1} MB |",
            contender.kind.name(),
            contender.peak_megabytes()
        );
    }
    text.push('\n');
    for figures in all {
        text.push_str(&verdict(figures));
    }
    text
}

fn verdict(figures: &Figures) -> String {
    let [ours, theirs] = figures.runs.each_ref().map(|runs| rate(runs));
    let [our_p99, their_p99] = figures
        .runs
        .each_ref()
        .map(|runs| median_time(runs, |run| run.p99));
    let part = ours / median(figures.limit.iter().copied());
    let times = ours / theirs;
    let is_reached = (times >= TIMES && our_p99 < their_p99) || part >= PART;
    format!(
        "- {}: {times:.2} times the throughput at {:.2} of the 99th percentile, {:.0} % of pgbench: {}\n",
        figures.work.name(),
        our_p99.div_duration_f64(their_p99),
        100.0 * part,
        if is_reached { "reached" } else { "missed" }
    )
}

fn rate(runs: &[Run]) -> f64 {
    median(runs.iter().map(|run| run.per_second))
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn median_time(runs: &[Run], which: impl Fn(&Run) -> Duration) -> Duration {
    let mut times: Vec<Duration> = runs.iter().map(which).collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn time(runs: &[Run], which: impl Fn(&Run) -> Duration) -> String {
    let time = median_time(runs, which);
    if time < Duration::from_millis(1) {
        format!("{} µs", time.as_micros())
    } else {
        format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
    }
}
