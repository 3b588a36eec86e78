//! What one run of a program took.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

use crate::history::History;
use crate::tool::{Tool, megabytes};

/// The word after which this program measures one other program and exits, see [`measure`].
pub(crate) const MEASURE: &str = "--measure";

/// Between two looks at whether instances have ended.
const LOOK: Duration = Duration::from_millis(2);

/// What one run took.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    wall: Duration,
    cpu: Duration,
    peak_bytes: u64,
}

/// How a run ended.
pub(crate) enum Outcome {
    Done(Sample),
    Failed,
    /// It was ended when it had taken this long.
    OverLimit(Duration),
}

/// The runs of one kind by one tool.
#[derive(Default)]
pub(crate) struct Measured {
    samples: Vec<Sample>,
    pub(crate) failures: usize,
    pub(crate) over_limit: Option<Duration>,
}

/// Runs a tool, ending it after `limit`.
pub(crate) fn run(tool: &Tool, history: &History, url: &str, limit: Duration) -> Outcome {
    let this = std::env::current_exe().expect("this program");
    let output = tool
        .command(&this, history, url)
        .arg(MEASURE)
        .arg(limit.as_millis().to_string())
        .arg(&tool.program)
        .args(tool.arguments(history, url))
        .output()
        .expect("to run");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<u64> = text
        .split_whitespace()
        .filter_map(|figure| figure.parse().ok())
        .collect();
    let [wall, cpu, peak_bytes] = figures[..] else {
        return Outcome::Failed;
    };
    let sample = Sample {
        wall: Duration::from_nanos(wall),
        cpu: Duration::from_nanos(cpu),
        peak_bytes,
    };
    if output.status.success() {
        Outcome::Done(sample)
    } else if sample.wall >= limit {
        Outcome::OverLimit(limit)
    } else {
        Outcome::Failed
    }
}

/// Runs one program from a process that is small itself: the kernel counts the memory of the process that
/// was there before `exec` towards the peak of the program that it becomes.
pub(crate) fn measure(command: &[String]) -> ExitCode {
    let limit = command[0].parse().expect("a limit in milliseconds");
    let started = Instant::now();
    let child = quiet(Command::new(&command[1]).args(&command[2..]))
        .spawn()
        .expect("to run");
    let group = child.id();
    let (ended, watched) = mpsc::channel::<()>();
    thread::spawn(move || {
        if watched.recv_timeout(Duration::from_millis(limit)) == Err(mpsc::RecvTimeoutError::Timeout) {
            end(group);
        }
    });
    let used = child.wait4().expect("to wait");
    let wall = started.elapsed();
    drop(ended);
    let cpu = used.rusage.utime + used.rusage.stime;
    let line = format!("{} {} {}\n", wall.as_nanos(), cpu.as_nanos(), used.rusage.maxrss);
    io::stdout().write_all(line.as_bytes()).expect("to print");
    if used.status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Starts instances at once; the time until the last of them has ended, and how many failed. Those that have not
/// ended after `limit` are ended, and have failed.
pub(crate) fn instances(
    tool: &Tool,
    history: &History,
    url: &str,
    count: usize,
    limit: Duration,
) -> (Duration, usize) {
    let arguments = tool.arguments(history, url);
    let started = Instant::now();
    let mut running: Vec<Child> = (0..count)
        .map(|_| {
            let mut command = tool.command(&tool.program, history, url);
            quiet(command.args(&arguments)).spawn().expect("to run")
        })
        .collect();
    let mut failures = 0;
    let mut is_over = false;
    while !running.is_empty() {
        running.retain_mut(|instance| match instance.try_wait().expect("to wait") {
            Some(status) => {
                failures += usize::from(!status.success());
                false
            }
            None => true,
        });
        if started.elapsed() > limit && !is_over {
            is_over = true;
            for instance in &running {
                end(instance.id());
            }
        }
        thread::sleep(LOOK);
    }
    (started.elapsed(), failures)
}

/// In a group of its own, so that the helpers it starts end with it.
fn quiet(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
}

fn end(group: u32) {
    let killed = Command::new("kill")
        .args(["-KILL", "--", &format!("-{group}")])
        .status();
    killed.expect("kill");
}

impl Measured {
    pub(crate) fn record(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Done(sample) => self.samples.push(*sample),
            Outcome::Failed => self.failures += 1,
            Outcome::OverLimit(limit) => self.over_limit = Some(*limit),
        }
    }

    /// How often it was run.
    pub(crate) fn runs(&self) -> usize {
        self.samples.len() + self.failures + usize::from(self.over_limit.is_some())
    }

    /// Milliseconds; none where no run has succeeded.
    pub(crate) fn wall(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.wall).collect())
    }

    /// Milliseconds.
    pub(crate) fn cpu(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.cpu).collect())
    }

    /// The most of all runs that succeeded.
    pub(crate) fn peak_megabytes(&self) -> f64 {
        let peaks = self.samples.iter().map(|sample| sample.peak_bytes);
        megabytes(peaks.max().unwrap_or_default())
    }
}

/// In milliseconds.
pub(crate) fn median(mut figures: Vec<Duration>) -> Option<f64> {
    figures.sort();
    let middle = figures.get(figures.len() / 2)?;
    Some(middle.as_secs_f64() * 1_000.0)
}
