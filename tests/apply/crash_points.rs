//! A connection is cut between any two messages of the protocol, by a reset or by silence: the run reconnects, reads
//! the history and goes on, and what it leaves is what an undisturbed run leaves.

use std::thread;
use std::time::{Duration, Instant};

use zerostarter_test_harness::{
    Command, CrashProxy, Cut, Database, Direction, Fate, Moment, Server, ServerOptions, rounds,
    zerostarter_db,
};

/// A silence ends after ten seconds. What is more than that is the machine, on which a hundred others end as well.
const LONGEST: Duration = Duration::from_secs(40);

/// What is applied before, and what is to be applied over connections that are cut.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    /// Which of a run's connections are reset, and which fall silent.
    reset: &'static [usize],
    silent: &'static [usize],
    /// How many silences at once: where several connections are counted, a machine that is too busy opens one more.
    at_once: usize,
    /// How a run may end. Where it is not 0, the next one has to do what is left.
    statuses: &'static [i32],
    before: &'static [(&'static str, &'static str)],
    pending: &'static [(&'static str, &'static str)],
}

/// Each file can be seen to have run twice, or not at all.
const FIRST: (&str, &str) = (
    "V1__first.sql",
    "CREATE TABLE done (version int); INSERT INTO done VALUES (1);",
);
const SECOND: (&str, &str) = (
    "V2__second.sql",
    "CREATE TABLE second (id int); INSERT INTO done VALUES (2);",
);
const THIRD: (&str, &str) = (
    "V3__third.sql",
    "ALTER TABLE done ADD note text; INSERT INTO done VALUES (3, 'third');",
);

const INDEX: (&str, &str) = (
    "V4__index.sql",
    "CREATE INDEX CONCURRENTLY done_version ON done (version);",
);

/// Each step can be seen to have run twice, or not at all.
const STEPS: (&str, &str) = (
    "V2__steps.sql",
    "INSERT INTO done VALUES (2); SET app.level = 'high'; CREATE INDEX CONCURRENTLY done_version ON done (version); \
     INSERT INTO done VALUES (3); COMMIT; INSERT INTO done VALUES (4);",
);

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "a first run",
        reset: &[1],
        silent: &[1],
        at_once: 90,
        statuses: &[0],
        before: &[],
        pending: &[FIRST, SECOND],
    },
    Scenario {
        name: "an upgrade by one",
        reset: &[1],
        silent: &[1],
        at_once: 90,
        statuses: &[0],
        before: &[FIRST, SECOND],
        pending: &[THIRD],
    },
    Scenario {
        name: "an upgrade in steps",
        reset: &[1, 3],
        silent: &[1, 3],
        at_once: 24,
        statuses: &[0, 3],
        before: &[FIRST],
        pending: &[STEPS],
    },
    Scenario {
        name: "an upgrade by two",
        reset: &[1],
        silent: &[],
        at_once: 0,
        statuses: &[0],
        before: &[FIRST],
        pending: &[SECOND, THIRD],
    },
    Scenario {
        name: "an upgrade outside a transaction",
        // The one that holds the lock, the one that sees whether a second is to be had, and that of the statement.
        reset: &[1, 2, 3],
        silent: &[1, 2, 3],
        at_once: 24,
        statuses: &[0, 3],
        before: &[FIRST],
        pending: &[INDEX],
    },
];

const DIRECTIONS: [Direction; 2] = [Direction::Questions, Direction::Answers];

/// The first so many scenarios; `TEST_ROUNDS` adds the others, which take long or show little that these do not.
fn scenarios(in_short: usize) -> &'static [Scenario] {
    if rounds() > 2 {
        &SCENARIOS
    } else {
        &SCENARIOS[..in_short]
    }
}

/// What a run leaves in a database.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    catalog: Vec<String>,
    history: Vec<String>,
    done: Vec<String>,
    invalid: Vec<String>,
}

impl Outcome {
    fn of(database: &Database) -> Self {
        let session = database.session();
        Self {
            catalog: database.catalog(),
            history: database.history(),
            done: session.rows("SELECT version FROM done ORDER BY version"),
            invalid: session.rows("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"),
        }
    }
}

impl Scenario {
    fn command(&self, database: &Database) -> Command {
        let files = self.before.iter().chain(self.pending);
        files.fold(zerostarter_db(database), |command, (name, sql)| {
            command.migration(name, sql)
        })
    }

    /// A database as it is before the run.
    fn prepare(&self, server: &Server) -> Database {
        let database = server.database();
        if !self.before.is_empty() {
            let command = self
                .before
                .iter()
                .fold(zerostarter_db(&database), |command, (name, sql)| {
                    command.migration(name, sql)
                });
            assert_eq!(command.run().status, 0);
        }
        database
    }

    fn undisturbed(&self, server: &Server) -> Outcome {
        let database = self.prepare(server);
        let run = self.command(&database).run();
        assert_eq!(run.status, 0, "{}: {}", self.name, run.stderr);
        Outcome::of(&database)
    }

    /// One run with one cut; whether there was a message at which to cut.
    fn survives(&self, server: &Server, cut: Cut, expected: &Outcome) -> bool {
        let case = format!("{}, {cut:?}", self.name);
        let database = self.prepare(server);
        let proxy = CrashProxy::start(database.port(), cut);
        let started = Instant::now();
        let run = self
            .command(&database)
            .env("POSTGRES_URL", database.url_through(proxy.port()))
            .env("MIGRATE_LOCK_TIMEOUT", "100ms")
            .run();
        let took = started.elapsed();
        assert!(
            self.statuses.contains(&run.status),
            "{case}: {}: {}",
            run.status,
            run.stderr
        );
        assert!(took < LONGEST, "{case}: {took:?}: {}", run.stderr);
        let silences = run.stderr.matches("no answer within 1").count();
        assert!(silences <= 1, "{case}: {}", run.stderr);
        let next = self.command(&database).run();
        assert_eq!(next.status, 0, "{case}, next run: {}", next.stderr);
        assert_eq!(
            next.stderr.contains("nothing to do"),
            run.status == 0,
            "{case}, next run: {}",
            next.stderr
        );
        assert_eq!(Outcome::of(&database), *expected, "{case}: {}", run.stderr);
        proxy.has_cut()
    }
}

/// The cuts of one direction, without end. What comes after an answer is what comes before the next one, with less
/// done meanwhile: `TEST_ROUNDS` adds it.
fn cuts(connection: usize, direction: Direction, fate: Fate) -> impl Iterator<Item = Cut> {
    let with_after = direction == Direction::Questions || rounds() > 2;
    (1..)
        .flat_map(|message| [Moment::Before(message), Moment::After(message)])
        .filter(move |moment| with_after || matches!(moment, Moment::Before(_)))
        .map(move |moment| Cut {
            connection,
            direction,
            moment,
            fate,
        })
}

/// Does `each` for cut after cut, so many at a time, until a run has no more messages at which to cut. Returns how
/// many cuts there were.
fn exhaust(at_once: usize, mut cuts: impl Iterator<Item = Cut>, each: impl Fn(Cut) -> bool + Sync) -> usize {
    let mut made = 0;
    loop {
        let batch: Vec<Cut> = cuts.by_ref().take(at_once).collect();
        let is_cut: Vec<bool> = thread::scope(|scope| {
            let cases: Vec<_> = batch.iter().map(|cut| scope.spawn(|| each(*cut))).collect();
            let done = cases.into_iter().map(|case| case.join().expect("the case holds"));
            done.collect()
        });
        made += is_cut.iter().filter(|is_cut| **is_cut).count();
        if is_cut.last() != Some(&true) {
            return made;
        }
    }
}

/// Every cut of every connection of a scenario that is to be cut, so many at a time.
fn cut_everywhere(scenario: Scenario, server: &Server, fate: Fate, at_once: usize) {
    let expected = &scenario.undisturbed(server);
    let connections = match fate {
        Fate::Reset => scenario.reset,
        Fate::Silence => scenario.silent,
    };
    let sides = connections
        .iter()
        .flat_map(|connection| DIRECTIONS.map(|direction| (*connection, direction)));
    thread::scope(|scope| {
        for (connection, direction) in sides {
            let side = move || {
                let made = exhaust(at_once, cuts(connection, direction, fate), |cut| {
                    scenario.survives(server, cut, expected)
                });
                // The packet that begins it, a question, and the farewell; the server's greetings alone are 15.
                let least = if direction == Direction::Questions { 5 } else { 20 };
                let name = scenario.name;
                assert!(
                    made >= least,
                    "{name}: {made} {direction:?} of connection {connection}"
                );
            };
            // Who cuts one by one is not to be hurried.
            if fate == Fate::Silence {
                scope.spawn(side);
            } else {
                side();
            }
        }
    });
}

#[test]
fn a_reset_between_any_two_messages_loses_and_repeats_nothing() {
    for scenario in scenarios(3) {
        cut_everywhere(*scenario, Server::shared(), Fate::Reset, 4);
    }
}

/// Many at once, as each of them waits ten seconds.
#[test]
fn an_unresponsive_server_between_any_two_messages_loses_and_repeats_nothing() {
    let server = &Server::start(ServerOptions::new().setting("max_connections", "1000"));
    for scenario in scenarios(1) {
        cut_everywhere(*scenario, server, Fate::Silence, scenario.at_once);
    }
}

/// Somebody is at work on it for longer than any silence lasts: its lock is there.
#[test]
fn a_long_statement_is_not_taken_for_a_dead_connection() {
    let database = Server::shared().database();
    let run = zerostarter_db(&database)
        .migration("V1__slow.sql", "CREATE TABLE slow (); SELECT pg_sleep(13);")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("lost the connection"), "{}", run.stderr);
    assert_eq!(database.history().len(), 1);
}

/// The second connection only looks. Whatever becomes of it, the run does not care.
#[test]
fn a_cut_of_the_watching_connection_between_any_two_messages_changes_nothing() {
    let server = Server::start(ServerOptions::new().setting("max_connections", "500"));
    let applied_once = |cut: Cut| {
        let database = server.database();
        let proxy = CrashProxy::start(database.port(), cut);
        let run = zerostarter_db(&database)
            .env("POSTGRES_URL", database.url_through(proxy.port()))
            .migration(
                "V1__slow.sql",
                "CREATE TABLE done (version int); INSERT INTO done VALUES (1); SELECT pg_sleep(0.6);",
            )
            .migration("V2__quick.sql", "INSERT INTO done VALUES (2);")
            .run();
        assert_eq!(run.status, 0, "{cut:?}: {}", run.stderr);
        for applied in ["applied V1__slow in", "applied V2__quick in"] {
            assert_eq!(run.stderr.matches(applied).count(), 1, "{cut:?}: {}", run.stderr);
        }
        assert!(
            !run.stderr.contains("WARN") && !run.stderr.contains("ERROR"),
            "{cut:?}: {}",
            run.stderr
        );
        assert_eq!(
            database.rows("SELECT version FROM done ORDER BY version"),
            ["1", "2"],
            "{cut:?}"
        );
        assert_eq!(database.history().len(), 2, "{cut:?}");
        proxy.has_cut()
    };
    for fate in [Fate::Reset, Fate::Silence] {
        let made = DIRECTIONS.map(|direction| exhaust(24, cuts(2, direction, fate), applied_once));
        // The packet that begins it, and what it asks at least once in that time.
        assert!(made[0] >= 4 && made[1] > 15, "{fate:?}: {made:?}");
    }
}
