//! Who had how much of the processors, as the kernel counts it.

use std::fs;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use zerostarter_test_harness::Server;

/// Ten milliseconds each, on every Linux there is.
const TICK: Duration = Duration::from_millis(10);

/// What one request cost, and whether the measurement was alone on the machine.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// Of the server that was asked; none for pgbench, which asks the database.
    pub(crate) server: Duration,
    pub(crate) database: Duration,
    /// Of the program that asked.
    pub(crate) client: Duration,
    /// The part of the machine that was used by somebody else, from 0 to 1.
    pub(crate) others: f64,
}

/// Looks at the beginning and at the end of a measurement.
pub(crate) struct Meter<'a> {
    database: &'a Server,
    server: Option<u32>,
    started: Instant,
    before: Reading,
}

struct Reading {
    server: Duration,
    database: Duration,
    client: Duration,
    all: Duration,
}

impl<'a> Meter<'a> {
    /// `server` is the process that is asked.
    pub(crate) fn start(database: &'a Server, server: Option<u32>) -> Self {
        Self {
            database,
            server,
            started: Instant::now(),
            before: Reading::take(database, server),
        }
    }

    pub(crate) fn stop(self, requests: f64) -> Cost {
        let after = Reading::take(self.database, self.server);
        let used = |which: fn(&Reading) -> Duration| which(&after).saturating_sub(which(&self.before));
        let [server, database, client] = [
            used(|reading| reading.server),
            used(|reading| reading.database),
            used(|reading| reading.client),
        ];
        let others = used(|reading| reading.all).saturating_sub(server + database + client);
        let processors = u32::try_from(available_parallelism().map_or(1, usize::from)).unwrap_or(u32::MAX);
        Cost {
            server: server.div_f64(requests),
            database: database.div_f64(requests),
            client: client.div_f64(requests),
            others: others.div_duration_f64(self.started.elapsed() * processors),
        }
    }
}

impl Reading {
    fn take(database: &Server, server: Option<u32>) -> Self {
        Self {
            server: server.map_or(Duration::ZERO, of),
            database: of_database(database),
            client: of(std::process::id()),
            all: of_all(),
        }
    }
}

/// The time that a process had, and those of its children that have ended.
fn of(pid: u32) -> Duration {
    stat(pid).map_or(Duration::ZERO, |stat| stat.used)
}

/// The main process and its children. One that ends passes its time on to the main process, so that the sum is right
/// only if none did while it was made.
fn of_database(server: &Server) -> Duration {
    let main = server.pid();
    loop {
        let before = of(main);
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
        let children = pids.filter_map(stat).filter(|stat| stat.parent == main);
        let all = before + children.map(|stat| stat.used).sum::<Duration>();
        if of(main) == before {
            return all;
        }
    }
}

struct Stat {
    parent: u32,
    /// With its children that have ended.
    used: Duration,
}

/// None where there is no such process.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program comes first, in parentheses, and can hold anything.
    let (_, fields) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    Some(Stat {
        parent: fields[1].parse().ok()?,
        used: TICK * sum(fields[11..15].iter().copied()),
    })
}

/// Of everything on this machine, and what other machines took from it.
fn of_all() -> Duration {
    let stat = fs::read_to_string("/proc/stat").expect("/proc/stat");
    let all = stat.lines().next().unwrap_or_default().split_whitespace();
    // The name, user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user.
    let busy = all
        .enumerate()
        .filter(|(column, _)| matches!(column, 1..=3 | 6..=8));
    TICK * sum(busy.map(|(_, ticks)| ticks))
}

fn sum<'a>(ticks: impl Iterator<Item = &'a str>) -> u32 {
    ticks.filter_map(|count| count.parse::<u32>().ok()).sum()
}
