//! What is measured, and for how long.

use std::time::Duration;

use crate::harness::Database;

/// How many connections send requests at the same time.
pub(crate) const CONNECTIONS: u32 = 32;

/// The connections that each server, and pgbench, may have to the database: what both servers have by default.
pub(crate) const POOL: u32 = 10;

/// For how long, and how often.
pub(crate) struct Plan {
    /// One measurement.
    pub(crate) seconds: u32,
    /// How often each is made.
    pub(crate) rounds: u32,
}

impl Plan {
    pub(crate) fn from_environment() -> Self {
        let number = |name: &str, default: u32| {
            std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
        };
        Self {
            seconds: number("BENCH_SECONDS", 8),
            rounds: number("BENCH_ROUNDS", 5),
        }
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

/// One kind of request on one kind of table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Puts a new address on the list.
    Join,
    /// Counts a list of so many.
    Count(u32),
}

impl Work {
    pub(crate) const ALL: [Self; 3] = [Self::Join, Self::Count(1_000), Self::Count(20_000)];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Join => "POST: a new address".to_owned(),
            Self::Count(rows) => format!("GET: the count of {rows}"),
        }
    }

    /// The same contents for everybody, and nothing of the last run that the server has still to do.
    pub(crate) fn prepare(self, database: &Database) {
        let rows = match self {
            Self::Join => 0,
            Self::Count(rows) => rows,
        };
        for statement in [
            "TRUNCATE waitlist",
            &format!("INSERT INTO waitlist (id, email) SELECT n, n FROM generate_series(1, {rows}) n"),
            "VACUUM ANALYZE waitlist",
            "CHECKPOINT",
        ] {
            database.execute(statement);
        }
    }

    /// The statement of both servers, with pgbench's variables in the place of parameters.
    pub(crate) fn statement(self) -> &'static str {
        match self {
            Self::Join => {
                "\\set n random(1, 1000000000000000)\n\
                 INSERT INTO waitlist (id, email, created_at) \
                 VALUES (:n::text, :n::text || '@example.com', now() AT TIME ZONE 'UTC') \
                 ON CONFLICT (email) DO NOTHING;\n"
            }
            Self::Count(_) => "SELECT count(*) FROM waitlist;\n",
        }
    }
}
