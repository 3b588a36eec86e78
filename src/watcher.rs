//! A second connection, opened only while a migration takes its time: it says who is in the way or how far the
//! migration has come, and ends the try when `MIGRATE_LOCK_BUDGET` is used up.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{Instant, sleep};

use crate::attempt::describe;
use crate::blocker::{self, Wait, join};
use crate::config::Config;
use crate::connect::attempt_each_host;
use crate::connection::{ATTEMPT_LIMIT, Connection};
use crate::duration::{in_seconds, millis};
use crate::phase::{Phase, find_phase};

/// Most migrations are done by then, and need no second connection.
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// How often to look. Each look takes the lock manager's own locks for a moment.
const INTERVAL: Duration = Duration::from_millis(100);

/// How often the log repeats who is in the way.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// After how long a migration is first said to be still running.
const FIRST_PHASE: Duration = Duration::from_secs(3);

/// How long to leave a server alone that would not let a second connection in.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What was seen of the lock waits of one try.
pub(crate) struct Watcher<'a> {
    config: &'a Config,
    /// Which lock the session holds that is watched: a condition of the questions of [`blocker`].
    mine: String,
    stem: &'a str,
    budget: Duration,
    /// The last wait that was seen.
    pub(crate) last: Option<Wait>,
    /// The sum of lock waits after which the statement was cancelled, if it was.
    pub(crate) cancelled_after: Option<Duration>,
    /// The sum of the waits before the last one.
    earlier: Duration,
    seen_at: Instant,
    told: Option<(Instant, String)>,
    started: Instant,
    told_phase: Option<Instant>,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(config: &'a Config, mine: String, stem: &'a str) -> Self {
        Self {
            config,
            mine,
            stem,
            budget: config.lock_budget,
            last: None,
            cancelled_after: None,
            earlier: Duration::ZERO,
            seen_at: Instant::now(),
            told: None,
            started: Instant::now(),
            told_phase: None,
        }
    }

    /// Lets the statement wait for as long as it likes.
    pub(crate) fn forget_the_budget(&mut self) {
        self.budget = Duration::ZERO;
    }

    /// Does `work`, which is under way on another connection, and watches it.
    pub(crate) async fn over<T>(&mut self, work: impl Future<Output = T>) -> T {
        match select(pin!(work), pin!(self.watch())).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right((never, _)) => match never {},
        }
    }

    async fn watch(&mut self) -> Infallible {
        sleep(self.first_look()).await;
        loop {
            // A pooler may have no second connection to give, and one that is not to be had hinders nobody.
            let connecting = attempt_each_host(self.config, Instant::now() + ATTEMPT_LIMIT);
            let reason = match connecting.await {
                Ok(connection) => describe(&self.look(&connection).await),
                Err((server, failure)) => format!("{server}: {failure}"),
            };
            tracing::debug!(reason, "cannot look who is in the way: {reason}");
            sleep(PAUSE_AFTER_FAILURE).await;
        }
    }

    /// Early enough to say who is in the way before a short timeout ends the wait.
    fn first_look(&self) -> Duration {
        [self.config.lock_timeout, self.config.lock_budget]
            .into_iter()
            .filter(|limit| !limit.is_zero())
            .fold(FIRST_LOOK, |first, limit| first.min(limit / 2))
    }

    /// Looks again and again, until the second connection fails.
    async fn look(&mut self, connection: &Connection) -> tokio_postgres::Error {
        loop {
            let wait = match blocker::find_wait(connection, &self.mine).await {
                Ok(wait) => wait,
                Err(error) => return error,
            };
            let mut pause = INTERVAL;
            if wait.is_none() && self.is_time_to_tell() {
                let phase = match find_phase(connection, &self.mine).await {
                    Ok(phase) => phase,
                    Err(error) => return error,
                };
                self.tell_phase(phase);
            }
            if let Some(wait) = wait {
                let budget = self.budget;
                let sum = self.add_up(wait.clone());
                self.tell(&wait);
                if !budget.is_zero() && sum >= budget {
                    // Before it is sent: the statement may fail before the answer to this arrives.
                    self.cancelled_after = Some(sum);
                    match blocker::cancel(connection, &self.mine, &wait).await {
                        Ok(true) => {}
                        Ok(false) => self.cancelled_after = None,
                        Err(error) => return error,
                    }
                } else if !budget.is_zero() {
                    pause = pause.min(budget.saturating_sub(sum));
                }
            }
            sleep(pause).await;
        }
    }

    /// The sum of all waits up to this one. One that ended between two looks counts as if it had lasted until
    /// this look: rather too much than too little of the application's patience.
    fn add_up(&mut self, wait: Wait) -> Duration {
        if let Some(last) = self.last.as_ref().filter(|last| last.since != wait.since) {
            let unseen = self.seen_at.elapsed().saturating_sub(wait.waited);
            self.earlier += last.waited + unseen;
        }
        self.seen_at = Instant::now();
        let sum = self.earlier + wait.waited;
        self.last = Some(wait);
        sum
    }

    fn is_time_to_tell(&self) -> bool {
        let last = self
            .told_phase
            .map_or(self.started + FIRST_PHASE, |at| at + LOG_INTERVAL);
        Instant::now() >= last
    }

    fn tell_phase(&mut self, phase: Option<Phase>) {
        self.told_phase = Some(Instant::now());
        let elapsed = self.started.elapsed();
        let phase = phase.map(|phase| phase.to_string());
        tracing::info!(
            migration = self.stem,
            elapsed_ms = millis(elapsed),
            phase,
            "{} is still running after {}{}",
            self.stem,
            in_seconds(elapsed),
            phase
                .as_ref()
                .map_or_else(String::new, |phase| format!(": {phase}"))
        );
    }

    fn tell(&mut self, wait: &Wait) {
        let pids: Vec<String> = wait
            .blockers
            .iter()
            .filter_map(|blocker| blocker.pid)
            .map(|pid| pid.to_string())
            .collect();
        let key = format!("{:?} {}", wait.relation, pids.join(","));
        let is_news = self
            .told
            .as_ref()
            .is_none_or(|(at, told)| *told != key || at.elapsed() >= LOG_INTERVAL);
        if is_news && !wait.blockers.is_empty() {
            tracing::warn!(
                migration = self.stem,
                relation = wait.relation,
                waited_ms = millis(wait.waited),
                blockers = join(&wait.blockers),
                "{} has waited {} for {wait}",
                self.stem,
                in_seconds(wait.waited)
            );
            self.told = Some((Instant::now(), key));
        }
    }
}
