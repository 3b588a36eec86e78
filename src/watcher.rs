//! A second connection, opened only while a migration takes its time: it says who is in the way or how far the
//! migration has come, and ends the try when `MIGRATE_LOCK_BUDGET` is used up.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{Instant, sleep, timeout};

use crate::attempt::AttemptError;
use crate::blocker::{self, Wait, join};
use crate::config::Config;
use crate::connection::{ATTEMPT_LIMIT, Connection, attempt};
use crate::duration::{in_seconds, millis};
use crate::phase::{Phase, find_phase};
use crate::postgres_url::Host;
use crate::progress::{Progress, Stage};
use crate::silence::Silence;

/// Most migrations are done by then, and need no second connection.
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// How often to look. Each look takes the lock manager's own locks for a moment.
const INTERVAL: Duration = Duration::from_millis(100);

/// How often the log repeats who is in the way.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// After how long a migration is first said to be still running.
const FIRST_PHASE: Duration = Duration::from_secs(3);

/// How often to ask for the phase that a terminal shows.
const DRAWN_INTERVAL: Duration = Duration::from_secs(1);

/// How long to leave a server alone that would not let a second connection in.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What was seen of the lock waits of one try.
pub(crate) struct Watcher<'a> {
    config: &'a Config,
    progress: &'a Progress,
    /// The server that does the work: another one of the URL knows nothing of it.
    host: &'a Host,
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
    pub(crate) fn new(
        config: &'a Config,
        progress: &'a Progress,
        host: &'a Host,
        mine: String,
        stem: &'a str,
    ) -> Self {
        Self {
            config,
            progress,
            host,
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

    /// Does `work`, for which a message of so many bytes is sent on another connection, and watches it. It is given
    /// up when it is certain that its answer never comes.
    pub(crate) async fn over<T>(
        &mut self,
        bytes: usize,
        work: impl Future<Output = T>,
    ) -> Result<T, AttemptError> {
        match select(pin!(work), pin!(self.watch(bytes))).await {
            Either::Left((outcome, _)) => Ok(outcome),
            Either::Right((silence, _)) => Err(AttemptError::TimedOut(silence)),
        }
    }

    /// Ends when the answer was waited for in vain, with how long that was.
    async fn watch(&mut self, bytes: usize) -> Duration {
        sleep(self.first_look()).await;
        loop {
            // A pooler may have no second connection to give, and one that is not to be had hinders nobody.
            let connecting = attempt(self.config, self.host, Instant::now() + ATTEMPT_LIMIT);
            let reason = match connecting.await {
                Ok(connection) => match self.look(&connection, Silence::after(bytes)).await {
                    Ok(silence) => return silence,
                    Err(failure) => failure,
                },
                Err(failure) => failure,
            };
            let reason = format!("{}: {reason}", self.host);
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

    /// Looks again and again, until the second connection fails, or shows that the first one is dead.
    async fn look(
        &mut self,
        connection: &Connection,
        mut silence: Silence,
    ) -> Result<Duration, AttemptError> {
        loop {
            let looking = async {
                let pause = self.look_once(connection).await?;
                // While it waits for a lock, it is there.
                let is_dead = pause.is_none() && silence.is_certain(connection, &self.mine).await?;
                Ok((pause.unwrap_or(INTERVAL), is_dead))
            };
            let (pause, is_dead) = timeout(ATTEMPT_LIMIT, looking)
                .await
                .map_err(|_| AttemptError::TimedOut(ATTEMPT_LIMIT))?
                .map_err(AttemptError::Postgres)?;
            if is_dead {
                return Ok(silence.limit());
            }
            sleep(pause).await;
        }
    }

    /// Looks once, and returns when to look again if the migration waits for a lock.
    async fn look_once(
        &mut self,
        connection: &Connection,
    ) -> Result<Option<Duration>, tokio_postgres::Error> {
        let Some(wait) = blocker::find_wait(connection, &self.mine).await? else {
            if self.is_time_to_tell() {
                let phase = find_phase(connection, &self.mine).await?;
                self.tell_phase(phase);
            }
            return Ok(None);
        };
        let budget = self.budget;
        let sum = self.add_up(wait.clone());
        self.tell(&wait);
        if budget.is_zero() {
            return Ok(Some(INTERVAL));
        }
        if sum < budget {
            return Ok(Some(INTERVAL.min(budget.saturating_sub(sum))));
        }
        // Before it is sent: the statement may fail before the answer to this arrives.
        self.cancelled_after = Some(sum);
        if !blocker::cancel(connection, &self.mine, &wait).await? {
            self.cancelled_after = None;
        }
        Ok(Some(INTERVAL))
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
        let (first, interval) = if self.progress.lock().is_drawn {
            (Duration::ZERO, DRAWN_INTERVAL)
        } else {
            (FIRST_PHASE, LOG_INTERVAL)
        };
        let last = self.told_phase.map_or(self.started + first, |at| at + interval);
        Instant::now() >= last
    }

    /// On a terminal the last line shows it; the log tells it elsewhere.
    fn tell_phase(&mut self, phase: Option<Phase>) {
        self.told_phase = Some(Instant::now());
        let elapsed = self.started.elapsed();
        let percent = phase.as_ref().and_then(Phase::percent);
        let phase = phase.map(|phase| phase.to_string());
        let mut state = self.progress.lock();
        state.set_stage(phase.clone().map(|text| Stage { text, percent }));
        if state.is_drawn {
            return;
        }
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
        self.progress.lock().set_stage(Some(Stage {
            text: format!("waiting {} for {wait}", in_seconds(wait.waited)),
            percent: None,
        }));
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
