//! The figures as Markdown.

use std::fmt::Write as _;

use crate::experiment::{DISTANCE, Meeting, Results, Runs};
use crate::large;
use crate::plan::Plan;
use crate::sample::{Measured, median};
use crate::tool::Tool;
use zerostarter_test_harness::Server;

/// What zerostarter-db is meant to reach: printed, not enforced, for they depend on the machine.
const MOST_OF_SQLX: f64 = 0.9;
const MOST_MEMORY: f64 = 6.0;
const MOST_BINARY: f64 = 5.0;
const MOST_LONG_NOOP: f64 = 40.0;
const MOST_GROWTH: f64 = 1.2;

/// Everything, with what it was measured on.
pub(crate) fn report(server: &Server, tools: &[Tool], plan: &Plan, results: &Results) -> String {
    [
        environment(server, tools, plan),
        "### Beside the server\n\n".to_owned() + &near(tools, results),
        format!(
            "### A server {} ms away, in each direction\n\n{}",
            DISTANCE.as_millis(),
            far(tools, results)
        ),
        "### Long histories\n\n".to_owned() + &long(tools, plan, results),
        "### Instances started at the same time on an empty database\n\n".to_owned()
            + &instances(tools, plan, results),
        "### Large files\n\n".to_owned() + &large::report(&results.large),
        "### What zerostarter-db is meant to reach\n\n".to_owned() + &targets(tools, plan, results),
    ]
    .join("\n")
}

/// For the front page.
pub(crate) fn summary(tools: &[Tool], plan: &Plan, results: &Results) -> String {
    let [.., most] = &plan.instances;
    let [_, longest] = &plan.long;
    let mut text = format!(
        "| | nothing to do | {} ms away | {} applied, nothing to do | first run | {} instances: failed | peak memory | size |\n|---|---|---|---|---|---|---|---|\n",
        DISTANCE.as_millis(),
        longest.count,
        most.count
    );
    for (index, tool) in tools.iter().enumerate() {
        let _ = writeln!(
            text,
            "| {} {} | {} | {} | {} | {} | {} | {:.1} MB | {:.1} MB |",
            tool.name,
            tool.version(),
            cell(results.near[index].as_ref(), |runs| &runs.noop),
            cell(results.far[index].as_ref(), |runs| &runs.noop),
            cell(results.long[1][index].as_ref(), |runs| &runs.noop),
            cell(results.near[index].as_ref(), |runs| &runs.apply),
            results.instances[1][index]
                .as_ref()
                .map_or_else(|| LEFT_OUT.to_owned(), failed),
            peak_megabytes(results, index),
            tool.megabytes(),
        );
    }
    text
}

const LEFT_OUT: &str = "left out";

/// A time, with as many digits as mean something.
pub(crate) fn time(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms if ms < 10_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1_000.0),
    }
}

/// The median, or why there is none.
pub(crate) fn told(measured: &Measured) -> String {
    match (measured.wall(), measured.over_limit) {
        (Some(wall), _) if measured.failures > 0 => {
            format!(
                "{}, {} of {} failed",
                time(wall),
                measured.failures,
                measured.runs()
            )
        }
        (Some(wall), _) => time(wall),
        (None, Some(limit)) => format!("over {} s", limit.as_secs()),
        (None, None) if measured.failures > 0 => "failed".to_owned(),
        (None, None) => "–".to_owned(),
    }
}

/// How many instances failed, of how many, in a round.
pub(crate) fn failed(meeting: &Meeting) -> String {
    let rounds = meeting.walls.len();
    if meeting.failures.is_multiple_of(rounds) {
        (meeting.failures / rounds).to_string()
    } else {
        format!("{:.1}", number(meeting.failures) / number(rounds))
    }
}

pub(crate) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn cell(runs: Option<&Runs>, which: impl Fn(&Runs) -> &Measured) -> String {
    runs.map_or_else(|| LEFT_OUT.to_owned(), |runs| told(which(runs)))
}

fn environment(server: &Server, tools: &[Tool], plan: &Plan) -> String {
    let versions: Vec<String> = tools
        .iter()
        .map(|tool| format!("{} {}", tool.name, tool.version()))
        .collect();
    let node = std::process::Command::new("node").arg("--version").output();
    let node = node.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    format!(
        "{date}, {cores} cores ({os}, {machine}): {tools} (on Node.js {node}), with PostgreSQL {server} without \
         fsync and without TLS. Times are medians of wall time, memory is the most of all runs.{left_out}\n",
        left_out = plan.left_out(),
        date = time::OffsetDateTime::now_utc().date(),
        cores = std::thread::available_parallelism().map_or(0, usize::from),
        os = std::env::consts::OS,
        machine = std::env::consts::ARCH,
        tools = versions.join(", "),
        server = server.rows("postgres", "SHOW server_version").concat(),
    )
}

fn near(tools: &[Tool], results: &Results) -> String {
    let mut text = String::from(
        "| | run | round trips | wall | CPU | peak memory | failures | runs | size |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for is_first in [true, false] {
        for (index, tool) in tools.iter().enumerate() {
            let (round_trips, Some(runs)) = (results.round_trips[index], &results.near[index]) else {
                continue;
            };
            let (run, round_trips, measured) = if is_first {
                ("first run", round_trips.first, &runs.apply)
            } else {
                ("nothing to do", round_trips.noop, &runs.noop)
            };
            let _ = writeln!(
                text,
                "| {} | {run} | {round_trips} | {} | {} | {:.1} MB | {} | {} | {:.1} MB |",
                tool.name,
                told(measured),
                measured.cpu().map_or_else(|| "–".to_owned(), time),
                measured.peak_megabytes(),
                measured.failures,
                measured.runs(),
                tool.megabytes(),
            );
        }
    }
    text
}

fn far(tools: &[Tool], results: &Results) -> String {
    let mut text = String::from("| | first run | nothing to do | runs of each |\n|---|---|---|---|\n");
    for (tool, runs) in tools.iter().zip(&results.far) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            tool.name,
            cell(runs.as_ref(), |runs| &runs.apply),
            cell(runs.as_ref(), |runs| &runs.noop),
            runs.as_ref().map_or(0, |runs| runs.apply.runs()),
        );
    }
    text
}

fn long(tools: &[Tool], plan: &Plan, results: &Results) -> String {
    let mut text = String::from(
        "| | migrations | all applied | each | runs | nothing to do | runs |\n|---|---|---|---|---|---|---|\n",
    );
    for (long, all) in plan.long.iter().zip(&results.long) {
        for (tool, runs) in tools.iter().zip(all) {
            let each = runs
                .as_ref()
                .and_then(|runs| each(runs, long.count))
                .map_or_else(|| "–".to_owned(), |each| format!("{each:.2} ms"));
            let counted = |which: fn(&Runs) -> &Measured| runs.as_ref().map_or(0, |runs| which(runs).runs());
            let _ = writeln!(
                text,
                "| {} | {} | {} | {each} | {} | {} | {} |",
                tool.name,
                long.count,
                cell(runs.as_ref(), |runs| &runs.apply),
                counted(|runs| &runs.apply),
                cell(runs.as_ref(), |runs| &runs.noop),
                counted(|runs| &runs.noop),
            );
        }
    }
    text
}

fn each(runs: &Runs, count: usize) -> Option<f64> {
    Some(runs.apply.wall()? / number(count))
}

fn instances(tools: &[Tool], plan: &Plan, results: &Results) -> String {
    let mut text = String::from(
        "| | instances | failed in a round | until the last has ended | rounds |\n|---|---|---|---|---|\n",
    );
    for (instances, meetings) in plan.instances.iter().zip(&results.instances) {
        for (tool, meeting) in tools.iter().zip(meetings) {
            let (failed, wall, rounds) = match meeting {
                Some(meeting) => (
                    failed(meeting),
                    median(meeting.walls.clone()).map_or_else(|| "–".to_owned(), time),
                    meeting.walls.len(),
                ),
                None => (LEFT_OUT.to_owned(), LEFT_OUT.to_owned(), 0),
            };
            let _ = writeln!(
                text,
                "| {} | {} | {failed} | {wall} | {rounds} |",
                tool.name, instances.count
            );
        }
    }
    text
}

fn peak_megabytes(results: &Results, index: usize) -> f64 {
    results.near[index].as_ref().map_or(0.0, |runs| {
        runs.apply.peak_megabytes().max(runs.noop.peak_megabytes())
    })
}

/// Where zerostarter-db stands against what it is meant to reach.
fn targets(tools: &[Tool], plan: &Plan, results: &Results) -> String {
    let index_of = |name: &str| {
        tools
            .iter()
            .position(|tool| tool.name == name)
            .unwrap_or_default()
    };
    let noop = |index: usize| results.near[index].as_ref().and_then(|runs| runs.noop.wall());
    let [shorter, longer] = &plan.long;
    let long = results.long.each_ref().map(|all| all[0].as_ref());
    let growth = || {
        let [shorter_each, longer_each] = [(long[0], shorter.count), (long[1], longer.count)]
            .map(|(runs, count)| runs.and_then(|runs| each(runs, count)));
        Some(longer_each? / shorter_each?)
    };
    let lines = [
        (
            "wall time with nothing to do, as a part of sqlx-cli's".to_owned(),
            noop(0)
                .zip(noop(index_of("sqlx-cli")))
                .map(|(ours, theirs)| ours / theirs),
            MOST_OF_SQLX,
        ),
        (
            "peak memory in MB".to_owned(),
            Some(peak_megabytes(results, 0)),
            MOST_MEMORY,
        ),
        ("binary in MB".to_owned(), Some(tools[0].megabytes()), MOST_BINARY),
        (
            format!("nothing to do after {} migrations, in ms", longer.count),
            long[1].and_then(|runs| runs.noop.wall()),
            MOST_LONG_NOOP,
        ),
        (
            format!(
                "time for each of {} migrations, as a multiple of that for each of {}",
                longer.count, shorter.count
            ),
            growth(),
            MOST_GROWTH,
        ),
    ];
    let mut text = String::new();
    for (what, is, most) in lines {
        let is = is.unwrap_or(f64::NAN);
        let verdict = if is <= most { "reached" } else { "missed" };
        let _ = writeln!(text, "- {what}: {is:.2}, at most {most:.2}: {verdict}");
    }
    text
}
