//! Compares zerostarter-db with refinery's and sqlx's command-line programs: the same migrations, on the
//! same server, in one run. `make bench` builds all three; `BENCH_RUNS` says how often each is run.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

#[path = "../tests/harness/mod.rs"]
mod harness;

use harness::{Database, Proxy, Server};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The word after which this program measures one other program and exits, see [`measure`].
const MEASURE: &str = "--measure";

/// Waits for the server's answer that zerostarter-db must not exceed: nothing to do, two migrations.
const MOST_WAITS: (usize, usize) = (3, 5);

/// A program that migrates.
struct Tool {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    /// The variable that names the database.
    variable: &'static str,
}

/// What one run took.
#[derive(Clone, Copy)]
struct Sample {
    wall: Duration,
    cpu: Duration,
    peak_bytes: u64,
}

#[derive(Default)]
struct Measured {
    waits: usize,
    samples: Vec<Sample>,
    failures: usize,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == MEASURE) {
        return measure(&arguments[at + 1..]);
    }
    let runs = std::env::var("BENCH_RUNS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(40);
    let converted = tempfile::tempdir().expect("a directory");
    let tools = tools(converted.path());
    let server = Server::shared();
    let mut first: Vec<Measured> = tools.iter().map(|_| Measured::default()).collect();
    let mut noop: Vec<Measured> = tools.iter().map(|_| Measured::default()).collect();
    for (index, tool) in tools.iter().enumerate() {
        let database = server.database();
        first[index].waits = waits(tool, &database);
        noop[index].waits = waits(tool, &database);
    }
    // Round robin, so that what else the machine does strikes all alike.
    for _ in 0..runs {
        for (index, tool) in tools.iter().enumerate() {
            let database = server.database();
            first[index].record(run(tool, &database.url()));
            noop[index].record(run(tool, &database.url()));
        }
    }
    let report = report(&tools, &first, &noop, runs, server.major());
    io::stdout().write_all(report.as_bytes()).expect("to print");
    let directory = Path::new(ROOT).join("target/bench");
    fs::create_dir_all(&directory)
        .and_then(|()| fs::write(directory.join("peers.md"), &report))
        .expect("to write");
    let failures: usize = first.iter().chain(&noop).map(|measured| measured.failures).sum();
    let is_slow = noop[0].waits > MOST_WAITS.0 || first[0].waits > MOST_WAITS.1;
    if failures > 0 || is_slow {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The three programs. sqlx wants the files under names of its own.
fn tools(converted: &Path) -> Vec<Tool> {
    let migrations = Path::new(ROOT).join("migrations");
    for (number, name) in ["V0000__zero_starter", "V0001__waitlist"].iter().enumerate() {
        let sql = fs::read(migrations.join(format!("{name}.sql"))).expect("a migration");
        let (_, description) = name.split_once("__").expect("a name");
        fs::write(converted.join(format!("{}_{description}.sql", number + 1)), sql).expect("to write");
    }
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    let peers = Path::new(ROOT).join("target/peers/bin");
    let ours = release_binary();
    let tools = vec![
        Tool {
            name: "zerostarter-db",
            program: ours,
            arguments: vec![],
            variable: "POSTGRES_URL",
        },
        Tool {
            name: "refinery CLI",
            program: peers.join("refinery"),
            arguments: vec![
                "migrate".into(),
                "-e".into(),
                "DATABASE_URL".into(),
                "-p".into(),
                text(&migrations),
            ],
            variable: "DATABASE_URL",
        },
        Tool {
            name: "sqlx-cli",
            program: peers.join("sqlx"),
            arguments: vec!["migrate".into(), "run".into(), "--source".into(), text(converted)],
            variable: "DATABASE_URL",
        },
    ];
    for tool in &tools {
        assert!(
            tool.program.exists(),
            "{} is not there: run `make bench`",
            tool.program.display()
        );
    }
    tools
}

/// The newest of the release binaries that were built for a target by name.
fn release_binary() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from);
    let built = fs::read_dir(&target).expect("the target directory").flatten();
    let binaries = built.map(|entry| entry.path().join("release/zerostarter-db"));
    let newest = binaries
        .filter(|path| path.exists())
        .max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    newest.expect("a release binary: run `make build`")
}

fn command(tool: &Tool, url: &str, program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("NODE_ENV", "test")
        .env(tool.variable, url)
        .current_dir(std::env::temp_dir());
    command
}

/// Through a proxy that counts; its figures are exact, so once is enough.
fn waits(tool: &Tool, database: &Database) -> usize {
    let proxy = Proxy::start(database.port());
    let output = command(tool, &database.url_through(proxy.port()), &tool.program)
        .args(&tool.arguments)
        .output()
        .expect("to run");
    assert!(
        output.status.success(),
        "{}: {}",
        tool.name,
        String::from_utf8_lossy(&output.stderr)
    );
    proxy.waits()
}

fn run(tool: &Tool, url: &str) -> Option<Sample> {
    let this = std::env::current_exe().expect("this program");
    let output = command(tool, url, &this)
        .arg(MEASURE)
        .arg(&tool.program)
        .args(&tool.arguments)
        .output()
        .expect("to run");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut figures = text.split_whitespace().map(|figure| figure.parse::<u64>().ok());
    let mut next = || figures.next().flatten();
    let sample = Sample {
        wall: Duration::from_nanos(next()?),
        cpu: Duration::from_nanos(next()?),
        peak_bytes: next()?,
    };
    output.status.success().then_some(sample)
}

/// Runs one program from a process that is small itself: the kernel counts the memory of the process that
/// was there before `exec` towards the peak of the program that it becomes.
fn measure(command: &[String]) -> ExitCode {
    let started = Instant::now();
    let child = Command::new(&command[0])
        .args(&command[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("to run");
    let used = child.wait4().expect("to wait");
    let wall = started.elapsed();
    let cpu = used.rusage.utime + used.rusage.stime;
    let line = format!("{} {} {}\n", wall.as_nanos(), cpu.as_nanos(), used.rusage.maxrss);
    io::stdout().write_all(line.as_bytes()).expect("to print");
    if used.status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Measured {
    fn record(&mut self, sample: Option<Sample>) {
        match sample {
            Some(sample) => self.samples.push(sample),
            None => self.failures += 1,
        }
    }

    fn median(&self, figure: impl Fn(&Sample) -> Duration) -> f64 {
        let mut figures: Vec<Duration> = self.samples.iter().map(figure).collect();
        figures.sort();
        figures
            .get(figures.len() / 2)
            .map_or(f64::NAN, |median| median.as_secs_f64() * 1_000.0)
    }

    fn peak_megabytes(&self) -> f64 {
        let most = self
            .samples
            .iter()
            .map(|sample| sample.peak_bytes)
            .max()
            .unwrap_or_default();
        f64::from(u32::try_from(most / 1_000).unwrap_or(u32::MAX)) / 1_000.0
    }
}

fn report(tools: &[Tool], first: &[Measured], noop: &[Measured], runs: usize, major: u32) -> String {
    let mut text = String::new();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let _ = writeln!(
        text,
        "PostgreSQL {major}, {cores} cores, {runs} runs of each; medians, memory: the most of all runs.\n"
    );
    let _ = writeln!(
        text,
        "| | run | waits | wall ms | CPU ms | peak MB | failures | binary MB |"
    );
    let _ = writeln!(text, "|---|---|---|---|---|---|---|---|");
    for (run, measured) in [("first run", first), ("nothing to do", noop)] {
        for (tool, measured) in tools.iter().zip(measured) {
            let size = fs::metadata(&tool.program).map_or(0, |data| data.len());
            let _ = writeln!(
                text,
                "| {} | {run} | {} | {:.1} | {:.1} | {:.1} | {} | {:.1} |",
                tool.name,
                measured.waits,
                measured.median(|sample| sample.wall),
                measured.median(|sample| sample.cpu),
                measured.peak_megabytes(),
                measured.failures,
                f64::from(u32::try_from(size / 1_000).unwrap_or(u32::MAX)) / 1_000.0,
            );
        }
    }
    let ratio = noop[0].median(|sample| sample.wall) / noop[2].median(|sample| sample.wall);
    let _ = writeln!(
        text,
        "\nNothing to do: zerostarter-db takes {ratio:.2} of sqlx-cli's time."
    );
    text
}
