//! Compares the web app with the same routes written for Bun, Hono and Drizzle, and both with what the database itself
//! can do: the same statements, on the same server, in one run. `make bench-api` builds and fetches what it takes;
//! `BENCH_SECONDS` says how long each measurement lasts, `BENCH_ROUNDS` how often it is made; with `BENCH_WRITE=yes` the figures go into the documentation.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

mod contender;
mod http;
mod limit;
mod load;
mod parity;
mod plan;
mod processor;
mod report;

use contender::{Contender, Kind};
use limit::Limit;
use load::Run;
use plan::{CONNECTIONS, Plan, Work};
use zerostarter_test_harness::{Database, Server, ServerOptions, zerostarter_db};

/// Between these two lines of a document are the figures.
const BEGINNING: &str = "<!-- figures of `make bench-api` -->\n";
const END: &str = "<!-- end of the figures -->\n";

/// What was measured of one kind of work.
pub(crate) struct Figures {
    pub(crate) work: Work,
    /// For each of [`CONNECTIONS`], in the order of [`Kind::ALL`], a run each round.
    pub(crate) runs: [[Vec<Run>; 2]; 2],
    /// What pgbench reached in each round.
    pub(crate) limit: Vec<Limit>,
}

fn main() {
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
    let all = Work::ALL.map(|work| measure(&server, &database, &contenders, work, &plan));
    let report = report::text(&server, &plan, &all);
    io::stdout().write_all(report.as_bytes()).expect("to print");
    if std::env::var_os("BENCH_WRITE").is_some_and(|value| value == "yes") {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks-api.md");
        fill(&page, &report);
    }
}

/// By turns, and each begins as often as the other, so that what else happens on the machine happens to all of them.
fn measure(
    server: &Server,
    database: &Database,
    contenders: &[Contender; 2],
    work: Work,
    plan: &Plan,
) -> Figures {
    let mut figures = Figures {
        work,
        runs: Default::default(),
        limit: Vec::new(),
    };
    for round in 0..plan.rounds {
        for (connections, runs) in CONNECTIONS.iter().zip(&mut figures.runs) {
            let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
            for index in order {
                let run = load::run(&contenders[index], *connections, server, database, work, plan);
                runs[index].push(run);
            }
        }
        figures.limit.push(limit::run(server, database, work, plan));
    }
    figures
}

fn fill(page: &Path, figures: &str) {
    let text = fs::read_to_string(page).expect("the page");
    let (before, rest) = text.split_once(BEGINNING).expect("where the figures begin");
    let (_, after) = rest.split_once(END).expect("where they end");
    fs::write(page, format!("{before}{BEGINNING}\n{figures}\n{END}{after}")).expect("to write");
}
