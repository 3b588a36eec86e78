//! A second connection that watches a migration which takes longer than a moment. It logs blockers and progress, and
//! cancels the statement when `MIGRATE_LOCK_BUDGET` is used up.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{Instant, sleep, timeout};

use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError};
use zerostarter_connect::connection::attempt;
use zerostarter_connect::host::Host;
use zerostarter_diagnostic::duration::{in_seconds, millis};

use super::blocker::join;
use super::liveness::Liveness;
use super::lock_wait::{LockWait, cancel, find_wait};
use super::progress::{Activity, Progress};
use super::statement_progress::{StatementProgress, find_progress};
use crate::config::Config;

/// When to look first. Most migrations are done by then and need no second connection.
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// How often to look. Each look takes the lock manager's internal locks for a moment.
const INTERVAL: Duration = Duration::from_millis(100);

/// How often the log repeats a blocker, and the progress.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// When the log first says that a migration is still running.
const FIRST_PROGRESS: Duration = Duration::from_secs(3);

/// How often to query the progress for a terminal.
const DRAWN_INTERVAL: Duration = Duration::from_secs(1);

/// How long to pause after the second connection failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Watches one attempt, and adds up its lock waits.
pub(crate) struct Watcher<'a> {
    config: &'a Config,
    progress: &'a Progress,
    /// The server that runs the migration: another host of the URL does not know its locks.
    host: &'a Host,
    /// Identifies the watched session by a lock that it holds: a condition on `pg_locks AS mine`.
    mine: String,
    label: &'a str,
    budget: Duration,
    /// The last lock wait that was seen.
    pub(crate) last: Option<LockWait>,
    /// The sum of lock waits after which the statement was cancelled, if it was.
    pub(crate) cancelled_after: Option<Duration>,
    /// The sum of the lock waits before the last one.
    earlier: Duration,
    seen_at: Instant,
    logged: Option<(Instant, String)>,
    started: Instant,
    logged_progress: Option<Instant>,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(
        config: &'a Config,
        progress: &'a Progress,
        host: &'a Host,
        mine: String,
        label: &'a str,
    ) -> Self {
        Self {
            config,
            progress,
            host,
            mine,
            label,
            budget: config.lock_budget,
            last: None,
            cancelled_after: None,
            earlier: Duration::ZERO,
            seen_at: Instant::now(),
            logged: None,
            started: Instant::now(),
            logged_progress: None,
        }
    }

    /// Lets the statement wait without limit.
    pub(crate) fn remove_budget(&mut self) {
        self.budget = Duration::ZERO;
    }

    /// Does `work`, which sends a batch of `bytes` on another connection, and watches it. Ends with
    /// [`AttemptError::TimedOut`] when that connection is dead.
    pub(crate) async fn over<T>(
        &mut self,
        bytes: usize,
        work: impl Future<Output = T>,
    ) -> Result<T, AttemptError> {
        let progress = self.progress;
        match select(pin!(work), pin!(self.watch(bytes))).await {
            Either::Left((outcome, _)) => Ok(outcome),
            Either::Right((limit, _)) => {
                progress.lock().given_up += 1;
                Err(AttemptError::TimedOut(limit))
            }
        }
    }

    /// Ends when the watched connection is dead, with how long that took to find out.
    async fn watch(&mut self, bytes: usize) -> Duration {
        sleep(self.first_look()).await;
        let given_up = self.progress.lock().given_up;
        loop {
            // A connection pooler may have no second connection. Without it the migration runs unwatched.
            let connecting = attempt(&self.config.database, self.host, Instant::now() + ATTEMPT_LIMIT);
            let reason = match connecting.await {
                Ok(connection) => match self.look(&connection, Liveness::after(bytes, given_up)).await {
                    Ok(limit) => return limit,
                    Err(failure) => failure,
                },
                Err(failure) => failure,
            };
            let reason = format!("{}: {reason}", self.host);
            tracing::debug!(reason, "the lock waits cannot be watched: {reason}");
            sleep(PAUSE_AFTER_FAILURE).await;
        }
    }

    /// Early enough to find the blocker before a short timeout ends the wait.
    fn first_look(&self) -> Duration {
        [self.config.lock_timeout, self.config.lock_budget]
            .into_iter()
            .filter(|limit| !limit.is_zero())
            .fold(FIRST_LOOK, |first, limit| first.min(limit / 2))
    }

    /// Looks at intervals, until the second connection fails or shows that the watched one is dead.
    async fn look(
        &mut self,
        connection: &Connection,
        mut liveness: Liveness,
    ) -> Result<Duration, AttemptError> {
        loop {
            let looking = async {
                let pause = self.look_once(connection).await?;
                // A session that waits for a lock is alive.
                let is_dead = pause.is_none() && liveness.is_dead(connection, &self.mine).await?;
                Ok((pause.unwrap_or(INTERVAL), is_dead))
            };
            let (pause, is_dead) = timeout(ATTEMPT_LIMIT, looking)
                .await
                .map_err(|_| AttemptError::TimedOut(ATTEMPT_LIMIT))?
                .map_err(AttemptError::Postgres)?;
            if is_dead {
                return Ok(liveness.limit());
            }
            sleep(pause).await;
        }
    }

    /// Looks once. If the migration waits for a lock, returns when to look again.
    async fn look_once(
        &mut self,
        connection: &Connection,
    ) -> Result<Option<Duration>, tokio_postgres::Error> {
        let Some(wait) = find_wait(connection, &self.mine).await? else {
            if self.is_progress_due() {
                let progress = find_progress(connection, &self.mine).await?;
                self.report_progress(progress);
            }
            return Ok(None);
        };
        let budget = self.budget;
        let sum = self.add_up(wait.clone());
        self.report_wait(&wait);
        if budget.is_zero() {
            return Ok(Some(INTERVAL));
        }
        if sum < budget {
            return Ok(Some(INTERVAL.min(budget.saturating_sub(sum))));
        }
        // Before the request is sent: the statement may fail before the answer to it arrives.
        self.cancelled_after = Some(sum);
        if !cancel(connection, &self.mine, &wait).await? {
            self.cancelled_after = None;
        }
        Ok(Some(INTERVAL))
    }

    /// The sum of all waits up to this one. A wait that ended between two looks counts as if it had lasted until this
    /// look, because the application waits as long as the migration does.
    fn add_up(&mut self, wait: LockWait) -> Duration {
        if let Some(last) = self.last.as_ref().filter(|last| last.since != wait.since) {
            let unseen = self.seen_at.elapsed().saturating_sub(wait.waited);
            self.earlier += last.waited + unseen;
        }
        self.seen_at = Instant::now();
        let sum = self.earlier + wait.waited;
        self.last = Some(wait);
        sum
    }

    fn is_progress_due(&self) -> bool {
        let (first, interval) = if self.progress.lock().is_drawn {
            (Duration::ZERO, DRAWN_INTERVAL)
        } else {
            (FIRST_PROGRESS, LOG_INTERVAL)
        };
        let last = self
            .logged_progress
            .map_or(self.started + first, |at| at + interval);
        Instant::now() >= last
    }

    /// Reports to the last line of a terminal, else to the log.
    fn report_progress(&mut self, progress: Option<StatementProgress>) {
        self.logged_progress = Some(Instant::now());
        let elapsed = self.started.elapsed();
        let percent = progress.as_ref().and_then(StatementProgress::percent);
        let phase = progress.map(|progress| progress.to_string());
        let mut state = self.progress.lock();
        state.set_activity(phase.clone().map(|text| Activity { text, percent }));
        if state.is_drawn {
            return;
        }
        tracing::info!(
            migration = self.label,
            elapsed_ms = millis(elapsed),
            phase,
            "{} is still running after {}{}",
            self.label,
            in_seconds(elapsed),
            phase
                .as_ref()
                .map_or_else(String::new, |phase| format!(": {phase}"))
        );
    }

    fn report_wait(&mut self, wait: &LockWait) {
        self.progress.lock().set_activity(Some(Activity {
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
            .logged
            .as_ref()
            .is_none_or(|(at, logged)| *logged != key || at.elapsed() >= LOG_INTERVAL);
        if is_news && !wait.blockers.is_empty() {
            tracing::warn!(
                migration = self.label,
                relation = wait.relation,
                waited_ms = millis(wait.waited),
                blockers = join(&wait.blockers),
                "{} has waited {} for {wait}",
                self.label,
                in_seconds(wait.waited)
            );
            self.logged = Some((Instant::now(), key));
        }
    }
}
