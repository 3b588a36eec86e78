//! Compares the web app with the same routes written for Bun, Hono and Drizzle, and both with what the database itself
//! can do: the same statements, on the same server, in one run. `make bench-api` builds and fetches what it takes;
//! `BENCH_SECONDS` says how long each measurement lasts; with `BENCH_WRITE=yes` the figures go into the documentation.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

#[path = "../../tests/harness/mod.rs"]
mod harness;

mod contender;
mod limit;
mod load;
mod parity;
mod plan;
mod report;

use contender::{Contender, Kind};
use harness::{Server, ServerOptions, zerostarter_db};
use plan::{Plan, Work};

/// Between these two lines of a document are the figures.
const BEGINNING: &str = "<!-- figures of `make bench-api` -->\n";
const END: &str = "<!-- end of the figures -->\n";

/// What was measured of one kind of work.
pub(crate) struct Figures {
    pub(crate) work: Work,
    /// In the order of [`Kind::ALL`], a run each.
    pub(crate) runs: [Vec<load::Run>; 2],
    /// Transactions a second of pgbench.
    pub(crate) limit: Vec<f64>,
}

fn main() -> ExitCode {
    let plan = Plan::from_environment();
    // Unlike that of the tests, this server writes what it acknowledges.
    let durable = ServerOptions::new()
        .setting("fsync", "on")
        .setting("synchronous_commit", "on")
        .setting("full_page_writes", "on");
    let server = Server::start(durable);
    assert!(
        !server.directory().starts_with("/dev/shm"),
        "what is written to memory is not written: set TMPDIR to a directory on a disk"
    );
    let database = server.database();
    assert_eq!(zerostarter_db(&database).run().status, 0, "to migrate");
    let contenders = Kind::ALL.map(|kind| Contender::start(kind, &database));
    parity::check(&contenders, &database);
    let mut all: Vec<Figures> = Vec::new();
    for work in Work::ALL {
        let mut figures = Figures {
            work,
            runs: [Vec::new(), Vec::new()],
            limit: Vec::new(),
        };
        // By turns, so that what else happens on the machine happens to all of them.
        for _ in 0..plan.rounds {
            for (contender, runs) in contenders.iter().zip(&mut figures.runs) {
                work.prepare(&database);
                runs.push(load::run(contender, &server, work, &plan));
            }
            work.prepare(&database);
            figures.limit.push(limit::measure(&database, work, &plan));
        }
        all.push(figures);
    }
    let report = report::text(&server, &contenders, &plan, &all);
    io::stdout().write_all(report.as_bytes()).expect("to print");
    if std::env::var_os("BENCH_WRITE").is_some_and(|value| value == "yes") {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks-api.md");
        fill(&page, &report);
    }
    let failures: u64 = all
        .iter()
        .flat_map(|figures| figures.runs.iter().flatten())
        .map(|run| run.failures)
        .sum();
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn fill(page: &Path, figures: &str) {
    let text = fs::read_to_string(page).expect("the page");
    let (before, rest) = text.split_once(BEGINNING).expect("where the figures begin");
    let (_, after) = rest.split_once(END).expect("where they end");
    fs::write(page, format!("{before}{BEGINNING}\n{figures}\n{END}{after}")).expect("to write");
}
