//! How often each thing is measured. `BENCH_RUNS` scales all of it, and a small number leaves out what is slow.

use std::time::Duration;

/// Below this the slow cases of the other tools are left out.
const SHORT: usize = 20;

/// The numbers below are those of so many runs.
const FULL: usize = 40;

/// Migrations applied from empty, and then run again with nothing to do.
pub(crate) struct Long {
    pub(crate) count: usize,
    pub(crate) rounds: usize,
    /// Runs with nothing to do after each.
    pub(crate) noops: usize,
    pub(crate) only_ours: bool,
    /// For one run; whoever takes longer is ended.
    pub(crate) limit: Duration,
}

/// Instances started at the same time on an empty database.
pub(crate) struct Instances {
    pub(crate) count: usize,
    pub(crate) rounds: usize,
    pub(crate) only_ours: bool,
}

/// A file of so many MB, applied to an empty database.
pub(crate) struct Large {
    pub(crate) megabytes: u32,
    /// None: left out of a short run.
    pub(crate) rounds: usize,
    /// Whether zerostarter-db has to keep to its memory.
    pub(crate) is_enforced: bool,
}

/// How often each thing is measured.
pub(crate) struct Plan {
    pub(crate) near: usize,
    pub(crate) far: usize,
    pub(crate) long: [Long; 2],
    pub(crate) instances: [Instances; 2],
    pub(crate) large: [Large; 3],
    /// For one run, and for a round of instances.
    pub(crate) limit: Duration,
}

impl Plan {
    /// That of `BENCH_RUNS`.
    pub(crate) fn from_environment() -> Self {
        let runs =
            std::env::var("BENCH_RUNS").map_or(FULL, |text| text.parse().expect("BENCH_RUNS is a number"));
        let runs = runs.max(1);
        let is_short = runs < SHORT;
        let scaled = |rounds: usize| (rounds * runs).div_ceil(FULL);
        let limit = Duration::from_secs(if is_short { 60 } else { 120 });
        let long = |count, rounds, only_ours| Long {
            count,
            rounds: scaled(rounds),
            noops: 5,
            only_ours,
            limit,
        };
        let instances = |count, rounds, only_ours| Instances {
            count,
            rounds: scaled(rounds),
            only_ours,
        };
        let large = |megabytes, rounds, is_enforced| Large {
            megabytes,
            rounds,
            is_enforced,
        };
        Self {
            near: runs,
            far: scaled(10),
            long: [long(1_000, 3, false), long(5_000, 2, is_short)],
            instances: [instances(16, 6, false), instances(64, 3, is_short)],
            large: [
                large(1, scaled(3), true),
                large(20, scaled(3), true),
                large(200, usize::from(!is_short), false),
            ],
            limit,
        }
    }

    /// What a short run measures for zerostarter-db only or not at all, as a sentence. Empty for a full one.
    pub(crate) fn left_out(&self) -> String {
        let long = self.long.iter().filter(|long| long.only_ours);
        let instances = self.instances.iter().filter(|instances| instances.only_ours);
        let only_ours: Vec<String> = long
            .map(|long| format!("{} migrations", long.count))
            .chain(instances.map(|instances| format!("{} instances", instances.count)))
            .collect();
        if only_ours.is_empty() {
            return String::new();
        }
        let large = self.large.iter().filter(|large| large.rounds == 0);
        let large: Vec<String> = large.map(|large| format!("{} MB", large.megabytes)).collect();
        format!(
            " This was a short run: {} for zerostarter-db only, no file of {}.",
            only_ours.join(" and "),
            large.join(" or ")
        )
    }
}
