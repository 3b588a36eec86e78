//! What is measured. The rules, for all tools alike:
//!
//! - one server, started for this, and a new database for every first run;
//! - the same statements, in each tool's own format, checked by what they have made;
//! - `sslmode=disable` in the URL: nobody spends a round trip on asking for TLS;
//! - each tool as its documentation starts it, without what it does beyond migrating (dbmate's dump);
//! - everything was run once before it is measured, so that files are in memory;
//! - turns: in each round each tool runs once, and each begins as often as the others, so that what else the
//!   machine does strikes all alike;
//! - medians, and failures are counted, not left out.

use std::time::Duration;

use crate::history::History;
use crate::large::{self, Row};
use crate::plan::{Instances, Long, Plan};
use crate::sample::{self, Measured, Outcome};
use crate::tool::Tool;
use zerostarter_test_harness::{Database, Proxy, Server};

/// The way to the far server, in each direction.
pub(crate) const DISTANCE: Duration = Duration::from_millis(10);

/// What one tool took for one history.
#[derive(Default)]
pub(crate) struct Runs {
    pub(crate) apply: Measured,
    pub(crate) noop: Measured,
}

/// The round trips of a tool: on the first run, and with nothing to do.
#[derive(Clone, Copy)]
pub(crate) struct RoundTrips {
    pub(crate) first: usize,
    pub(crate) noop: usize,
}

/// What became of instances that were started at the same time.
#[derive(Default)]
pub(crate) struct Meeting {
    pub(crate) walls: Vec<Duration>,
    pub(crate) failures: usize,
}

/// All figures, each list in the order of the tools. `None`: left out of a short run.
pub(crate) struct Results {
    /// How many there are for the first run.
    pub(crate) migrations: usize,
    pub(crate) round_trips: Vec<RoundTrips>,
    pub(crate) near: Vec<Option<Runs>>,
    pub(crate) far: Vec<Option<Runs>>,
    pub(crate) long: [Vec<Option<Runs>>; 2],
    pub(crate) instances: [Vec<Option<Meeting>>; 2],
    /// Those of the tools that take large files.
    pub(crate) large: Vec<Row>,
}

/// Measures all of `plan`.
pub(crate) fn measure(server: &Server, tools: &[Tool], plan: &Plan) -> Results {
    let embedded = History::embedded();
    let bench = Bench { server, tools };
    let round_trips = bench.round_trips(&embedded);
    let near = Course {
        rounds: plan.near,
        noops: 1,
        only_ours: false,
        limit: plan.limit,
        port: None,
    };
    let proxy = Proxy::builder().distance(DISTANCE).start(server.port());
    let far = Course {
        rounds: plan.far,
        port: Some(proxy.port()),
        ..near
    };
    Results {
        migrations: embedded.count,
        round_trips,
        near: bench.runs(&embedded, &near),
        far: bench.runs(&embedded, &far),
        long: plan.long.each_ref().map(|long| bench.long(long)),
        instances: plan
            .instances
            .each_ref()
            .map(|instances| bench.instances(&embedded, instances, plan.limit)),
        large: large::measure(server, tools, plan),
    }
}

struct Bench<'a> {
    server: &'a Server,
    tools: &'a [Tool],
}

/// How often, for whom, and by which way.
#[derive(Clone, Copy)]
struct Course {
    rounds: usize,
    noops: usize,
    only_ours: bool,
    limit: Duration,
    /// That of a proxy.
    port: Option<u16>,
}

impl Bench<'_> {
    /// Through a proxy that counts; its figures are exact, so once is enough. Also the first run of all, which
    /// has to succeed and to make the same for everybody.
    fn round_trips(&self, history: &History) -> Vec<RoundTrips> {
        let mut made = None;
        let count = |tool: &Tool, database: &Database| {
            let proxy = Proxy::start(database.port());
            let url = database.url_through(proxy.port());
            let output = tool
                .command(&tool.program, history, &url)
                .args(tool.arguments(history, &url))
                .output()
                .expect("to run");
            let said = [&output.stdout[..], &output.stderr[..]].concat();
            assert!(
                output.status.success(),
                "{}: {}",
                tool.name,
                String::from_utf8_lossy(&said)
            );
            proxy.round_trips()
        };
        let round_trips = self.tools.iter().map(|tool| {
            let database = self.server.database();
            let first = count(tool, &database);
            check(tool, &database, &mut made);
            RoundTrips {
                first,
                noop: count(tool, &database),
            }
        });
        round_trips.collect()
    }

    fn long(&self, long: &Long) -> Vec<Option<Runs>> {
        let course = Course {
            rounds: long.rounds,
            noops: long.noops,
            only_ours: long.only_ours,
            limit: long.limit,
            port: None,
        };
        self.runs(&History::generated(long.count), &course)
    }

    fn runs(&self, history: &History, course: &Course) -> Vec<Option<Runs>> {
        let url = |database: &Database| {
            course
                .port
                .map_or_else(|| database.url(), |port| database.url_through(port))
        };
        let mut made = None;
        let mut runs: Vec<Option<Runs>> = self.takes_part(course.only_ours);
        // Nothing is to do in these.
        let mut settled: Vec<Option<Database>> = self.tools.iter().map(|_| None).collect();
        for round in 0..course.rounds {
            for index in self.turns(round) {
                let (tool, Some(runs)) = (&self.tools[index], &mut runs[index]) else {
                    continue;
                };
                let database = self.server.database();
                let outcome = sample::run(tool, history, &url(&database), course.limit);
                if matches!(outcome, Outcome::Done(_)) {
                    check(tool, &database, &mut made);
                    settled[index] = Some(database);
                }
                runs.apply.record(&outcome);
            }
            for noop in 0..course.noops {
                for index in self.turns(round + noop) {
                    if let (Some(runs), Some(database)) = (&mut runs[index], &settled[index]) {
                        let outcome = sample::run(&self.tools[index], history, &url(database), course.limit);
                        runs.noop.record(&outcome);
                    }
                }
            }
        }
        runs
    }

    fn instances(&self, history: &History, instances: &Instances, limit: Duration) -> Vec<Option<Meeting>> {
        let mut made = None;
        let mut meetings: Vec<Option<Meeting>> = self.takes_part(instances.only_ours);
        for round in 0..instances.rounds {
            for index in self.turns(round) {
                let (tool, Some(meeting)) = (&self.tools[index], &mut meetings[index]) else {
                    continue;
                };
                let database = self.server.database();
                let (wall, failures) =
                    sample::instances(tool, history, &database.url(), instances.count, limit);
                meeting.walls.push(wall);
                meeting.failures += failures;
                if failures == 0 {
                    check(tool, &database, &mut made);
                }
            }
        }
        meetings
    }

    fn turns(&self, round: usize) -> impl Iterator<Item = usize> + use<> {
        let tools = self.tools.len();
        (0..tools).map(move |turn| (round + turn) % tools)
    }

    fn takes_part<T: Default>(&self, only_ours: bool) -> Vec<Option<T>> {
        let takes_part = |tool: &Tool| (tool.is_ours() || !only_ours).then(T::default);
        self.tools.iter().map(takes_part).collect()
    }
}

/// Whoever says that it has migrated has made what the others make: so many columns in so many tables, beside
/// its own history.
fn check(tool: &Tool, database: &Database, made: &mut Option<Vec<String>>) {
    let rows = database.session().rows(
        "SELECT count(DISTINCT relation.oid), count(*) \
         FROM pg_class relation JOIN pg_attribute part ON part.attrelid = relation.oid \
         WHERE relation.relkind = 'r' AND relation.relnamespace = 'public'::regnamespace AND part.attnum > 0 \
           AND relation.relname NOT IN ('refinery_schema_history', '_sqlx_migrations', 'schema_migrations')",
    );
    let made = made.get_or_insert_with(|| rows.clone());
    assert_eq!(*made, rows, "{} made something else", tool.name);
}
