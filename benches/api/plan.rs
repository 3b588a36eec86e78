//! What is measured, and for how long.

use std::time::Duration;

use zerostarter_test_harness::Database;

/// How many connections send requests at the same time.
pub(crate) const CONNECTIONS: [u32; 2] = [32, 128];

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
            let number = std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"));
            assert!(number > 0, "{name} is 0: nothing would be measured");
            number
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
            Self::Join => "POST, a new address".to_owned(),
            Self::Count(rows) => format!("GET, the count of {rows}"),
        }
    }

    /// The same contents for everybody, and nothing of the last run that the server has still to do.
    pub(crate) fn prepare(self, database: &Database) {
        fill(database, self.rows());
        database.execute("VACUUM ANALYZE waitlist");
        database.execute("CHECKPOINT");
    }

    /// How many rows there are before the run.
    pub(crate) fn rows(self) -> u32 {
        match self {
            Self::Join => 0,
            Self::Count(rows) => rows,
        }
    }

    /// The statement of both servers, with pgbench's variables in the place of parameters. As with the servers keys
    /// are random and 36 characters long, and addresses count upwards; `run` makes those of each run new.
    pub(crate) fn statement(self) -> &'static str {
        match self {
            Self::Join => {
                "\\set left random(100000000000000000, 999999999999999999)\n\
                 \\set right random(100000000000000000, 999999999999999999)\n\
                 \\set sent :sent + 1\n\
                 INSERT INTO waitlist (id, email, created_at) \
                 VALUES (:left::text || :right::text, \
                 :run::text || '-' || :client_id::text || '-' || :sent::text || '@example.com', \
                 now() AT TIME ZONE 'UTC') \
                 ON CONFLICT (email) DO NOTHING;\n"
            }
            Self::Count(_) => "SELECT count(*) FROM waitlist;\n",
        }
    }
}

/// Puts so many rows into the table, and nothing else.
pub(crate) fn fill(database: &Database, rows: u32) {
    database.execute("TRUNCATE waitlist");
    database.execute(&format!(
        "INSERT INTO waitlist (id, email) SELECT n, n FROM generate_series(1, {rows}) n"
    ));
}
