//! Compares zerostarter-db with refinery's and sqlx's command-line programs, dbmate and drizzle-kit: the same
//! migrations, on the same server, in one run. `make bench` builds and fetches all of them; `BENCH_RUNS` says
//! how often each is run; with `BENCH_WRITE=yes` the figures go into the documentation.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

mod experiment;
mod history;
mod large;
mod picture;
mod plan;
mod sample;
mod table;
mod tool;

use experiment::Results;
use plan::Plan;
use tool::Tool;
use zerostarter_test_harness::Server;

/// The round trips that zerostarter-db must not exceed; each migration adds one.
const MOST_ROUND_TRIPS: usize = 3;

/// Between these two lines of a document are the figures.
const BEGINNING: &str = "<!-- figures of `make bench-docs` -->\n";
const END: &str = "<!-- end of the figures -->\n";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == sample::MEASURE) {
        return sample::measure(&arguments[at + 1..]);
    }
    let plan = Plan::from_environment();
    let tools = Tool::all();
    let server = Server::shared();
    let results = experiment::measure(server, &tools, &plan);
    let report = table::report(server, &tools, &plan, &results);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let caption = format!(
        "{}, PostgreSQL {}, {cores} cores. Medians, peaks of memory; shorter is better; scales of powers of ten.",
        time::OffsetDateTime::now_utc().date(),
        server.major(),
    );
    let picture = picture::draw(&tools, &plan, &results, &caption);
    io::stdout().write_all(report.as_bytes()).expect("to print");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = root.join("target/bench");
    fs::create_dir_all(&directory).expect("a directory");
    fs::write(directory.join("benchmarks.md"), &report).expect("to write");
    fs::write(directory.join("benchmarks.svg"), &picture).expect("to write");
    if std::env::var_os("BENCH_WRITE").is_some_and(|value| value == "yes") {
        fill(&root.join("docs/benchmarks.md"), &report);
        fill(&root.join("README.md"), &table::summary(&tools, &plan, &results));
        fs::write(root.join("docs/benchmarks.svg"), &picture).expect("to write");
    }
    if is_good(&results) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// zerostarter-db has done everything, with no more memory and round trips than it may need.
fn is_good(results: &Results) -> bool {
    let runs = [&results.near, &results.far]
        .into_iter()
        .chain(&results.long)
        .map(|all| all[0].as_ref());
    let has_run = runs.into_iter().all(|runs| {
        runs.is_some_and(|runs| {
            [&runs.apply, &runs.noop]
                .iter()
                .all(|measured| measured.failures == 0 && measured.over_limit.is_none())
        })
    });
    let instances_agreed = results
        .instances
        .iter()
        .all(|meetings| meetings[0].as_ref().is_some_and(|meeting| meeting.failures == 0));
    let keeps_to_memory = results
        .large
        .iter()
        .all(|row| !row.is_enforced || row.is_within_goal());
    let round_trips = results.round_trips[0];
    has_run
        && instances_agreed
        && keeps_to_memory
        && round_trips.noop <= MOST_ROUND_TRIPS
        && round_trips.first <= MOST_ROUND_TRIPS + results.migrations
}

/// Replaces the figures of a document.
fn fill(document: &Path, figures: &str) {
    let text = fs::read_to_string(document).expect("a document");
    let (before, rest) = text.split_once(BEGINNING).expect("where the figures begin");
    let (_, after) = rest.split_once(END).expect("where the figures end");
    let text = format!("{before}{BEGINNING}\n{figures}\n{END}{after}");
    fs::write(document, text).expect("to write");
}
