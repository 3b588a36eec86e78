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

/// Waits for the server's answer that zerostarter-db must not exceed; each migration adds one.
const MOST_WAITS: usize = 3;

/// What zerostarter-db is meant to reach: printed, not enforced, for they depend on the machine.
const MOST_OF_SQLX: f64 = 0.9;
const MOST_MEMORY: f64 = 6.0;
const MOST_BINARY: f64 = 5.0;

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
    let runs = std::env::var("BENCH_RUNS").map_or(40, |text| text.parse().expect("BENCH_RUNS is a number"));
    let migrations = migrations();
    let converted = tempfile::tempdir().expect("a directory");
    let tools = tools(&migrations, converted.path());
    let server = Server::shared();
    let mut first: Vec<Measured> = tools.iter().map(|_| Measured::default()).collect();
    let mut noop: Vec<Measured> = tools.iter().map(|_| Measured::default()).collect();
    // Nothing is to do in these, from here on.
    let settled: Vec<Database> = tools.iter().map(|_| server.database()).collect();
    for (index, tool) in tools.iter().enumerate() {
        first[index].waits = waits(tool, &settled[index]);
        noop[index].waits = waits(tool, &settled[index]);
    }
    // Round robin, and each begins as often as the others: what else the machine does strikes all alike.
    for round in 0..runs {
        for turn in 0..tools.len() {
            let index = (round + turn) % tools.len();
            noop[index].record(run(&tools[index], &settled[index].url()));
        }
        for turn in 0..tools.len() {
            let index = (round + turn) % tools.len();
            let database = server.database();
            first[index].record(run(&tools[index], &database.url()));
        }
    }
    let report =
        environment(server, &tools, runs) + &table(&tools, &first, &noop) + &targets(&tools, &first, &noop);
    io::stdout().write_all(report.as_bytes()).expect("to print");
    let directory = Path::new(ROOT).join("target/bench");
    fs::create_dir_all(&directory)
        .and_then(|()| fs::write(directory.join("peers.md"), &report))
        .expect("to write");
    let failures: usize = first.iter().chain(&noop).map(|measured| measured.failures).sum();
    let waits_too_often = noop[0].waits > MOST_WAITS || first[0].waits > MOST_WAITS + migrations.len();
    if failures > 0 || waits_too_often {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The migrations that are built into zerostarter-db, by version.
fn migrations() -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(ROOT).join("migrations")).expect("the migrations");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "sql"));
    files.sort();
    files
}

/// The three programs, ours first. sqlx wants the files under names of its own.
fn tools(migrations: &[PathBuf], converted: &Path) -> Vec<Tool> {
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    for (index, file) in migrations.iter().enumerate() {
        let name = file
            .file_name()
            .map(|name| text(Path::new(name)))
            .expect("a name");
        let (_, description) = name.split_once("__").expect("V<number>__<name>.sql");
        fs::copy(file, converted.join(format!("{}_{description}", index + 1))).expect("to copy");
    }
    let peers = Path::new(ROOT).join("target/peers/bin");
    let tools = vec![
        Tool {
            name: "zerostarter-db",
            program: release_binary(),
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
                text(&Path::new(ROOT).join("migrations")),
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

/// The one that `ZEROSTARTER_DB_BINARY` names, or else the newest that was built for a target by name.
fn release_binary() -> PathBuf {
    if let Some(named) = std::env::var_os("ZEROSTARTER_DB_BINARY") {
        return fs::canonicalize(named).expect("ZEROSTARTER_DB_BINARY names a program");
    }
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
        megabytes(most)
    }
}

impl Tool {
    /// `refinery 0.10.1` is of version 0.10.1.
    fn version(&self) -> String {
        let output = Command::new(&self.program).arg("--version").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        text.split_whitespace().last().unwrap_or("unknown").to_owned()
    }

    fn megabytes(&self) -> f64 {
        megabytes(fs::metadata(&self.program).map_or(0, |data| data.len()))
    }
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1_000.0
}

fn environment(server: &Server, tools: &[Tool], runs: usize) -> String {
    let versions: Vec<String> = tools
        .iter()
        .map(|tool| format!("{} {}", tool.name, tool.version()))
        .collect();
    format!(
        "{date}, {cores} cores ({os}, {machine}): {tools}, on PostgreSQL {server} with fsync off.\n\
         {runs} runs of each, in turns; times are medians, memory is the most of all runs.\n\n",
        date = time::OffsetDateTime::now_utc().date(),
        cores = std::thread::available_parallelism().map_or(0, usize::from),
        os = std::env::consts::OS,
        machine = std::env::consts::ARCH,
        tools = versions.join(", "),
        server = server.rows("postgres", "SHOW server_version").concat(),
    )
}

fn table(tools: &[Tool], first: &[Measured], noop: &[Measured]) -> String {
    let mut text = String::from(
        "| | run | waits | wall ms | CPU ms | peak MB | failures | binary MB |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (run, measured) in [("first run", first), ("nothing to do", noop)] {
        for (tool, measured) in tools.iter().zip(measured) {
            let _ = writeln!(
                text,
                "| {} | {run} | {} | {:.1} | {:.1} | {:.1} | {} | {:.2} |",
                tool.name,
                measured.waits,
                measured.median(|sample| sample.wall),
                measured.median(|sample| sample.cpu),
                measured.peak_megabytes(),
                measured.failures,
                tool.megabytes(),
            );
        }
    }
    text
}

/// Where zerostarter-db stands against what it is meant to reach.
fn targets(tools: &[Tool], first: &[Measured], noop: &[Measured]) -> String {
    let (ours, sqlx) = (&noop[0], &noop[2]);
    let memory = ours.peak_megabytes().max(first[0].peak_megabytes());
    let wall = |measured: &Measured| measured.median(|sample| sample.wall);
    let line = |what: &str, is: f64, most: f64| {
        let verdict = if is <= most { "reached" } else { "missed" };
        format!("- {what}: {is:.2}, at most {most:.2}: {verdict}\n")
    };
    format!(
        "\nWhat zerostarter-db is meant to reach:\n\n{}{}{}",
        line(
            "wall time with nothing to do, as a part of sqlx-cli's",
            wall(ours) / wall(sqlx),
            MOST_OF_SQLX
        ),
        line("peak memory in MB", memory, MOST_MEMORY),
        line("binary in MB", tools[0].megabytes(), MOST_BINARY),
    )
}
