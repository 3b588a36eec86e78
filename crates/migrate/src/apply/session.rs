//! refinery's traits on our connection: one transaction and one round trip a migration.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use refinery_core::Migration as RefineryMigration;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use time::OffsetDateTime;
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError, is_transient};
use zerostarter_diagnostic::duration::millis;

use super::batch::Batch;
use super::failure::Failure;
use super::non_transactional::NonTransactionalRun;
use super::script::Script;
use crate::config::Config;
use crate::ledger::{CONFIRMATION, Snapshot};
use crate::source::Migration;
use crate::sql::{LockStrength, NonTransactional, locked_tables, only_statement};
use crate::watch::{Done, LockWait, Progress, Sent, Watcher, find_long_running, migrators_lock};

/// One pass over the pending migrations on one connection.
pub(super) struct Session<'a> {
    connection: &'a Connection,
    config: &'a Config,
    snapshot: &'a Snapshot,
    /// The applied migrations among ours: refinery needs no others.
    applied: Vec<RefineryMigration>,
    pending: VecDeque<&'a Migration>,
    /// The newest version in the history table, as it was read.
    last_version: Option<i64>,
    /// refinery's statement that creates the history table, until it was sent.
    create_history: Option<String>,
    progress: &'a Progress,
    /// The last lock wait that was seen of the failed migration.
    pub(super) blocked: Option<LockWait>,
    /// Why it stopped early. refinery passes errors on by reference only, so ours is kept here.
    pub(super) failure: Option<Failure>,
}

/// Makes refinery stop; the reason is in [`Session::failure`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the session failed")]
pub(super) struct Stopped;

impl<'a> Session<'a> {
    /// A session that applies `pending`, in this order, after what `snapshot` found to be applied.
    pub(super) fn new(
        connection: &'a Connection,
        config: &'a Config,
        snapshot: &'a Snapshot,
        files: &'a [Migration],
        pending: &[usize],
        progress: &'a Progress,
    ) -> Self {
        let is_applied = |file: &&Migration| {
            snapshot
                .applied()
                .binary_search_by_key(&file.version(), |row| row.version)
                .is_ok()
        };
        let as_applied = |file: &Migration| {
            let migration = file.refinery();
            // refinery reads the date and never uses it.
            RefineryMigration::applied(
                migration.version(),
                migration.name().to_owned(),
                OffsetDateTime::UNIX_EPOCH,
                migration.checksum(),
            )
        };
        Self {
            connection,
            config,
            snapshot,
            applied: files.iter().filter(is_applied).map(as_applied).collect(),
            pending: pending.iter().map(|index| &files[*index]).collect(),
            last_version: snapshot.applied().last().map(|row| row.version),
            create_history: None,
            progress,
            blocked: None,
            failure: None,
        }
    }

    /// Applies migrations, each with the statement that records it: in one transaction, or the one that is not transactional.
    async fn apply(&mut self, files: &[(&Migration, &str)]) -> Result<(), Failure> {
        let Some((&(first, insert), &(last, _))) = files.first().zip(files.last()) else {
            return Ok(());
        };
        if self.progress.lock().is_stopping {
            return Err(Failure::Stopped);
        }
        let name = if files.len() == 1 {
            first.label.clone()
        } else {
            format!("{} … {}", first.label, last.label)
        };
        let sent: Vec<&Migration> = files.iter().map(|(file, _)| *file).collect();
        self.progress.lock().running = Some(Sent::now(name.clone(), &sent));
        let started = Instant::now();
        let (outcome, manner) = match only_statement(first.sql()) {
            Some(statement) if files.len() == 1 => (
                self.apply_non_transactional(first, insert, &statement).await,
                ", without a transaction block".to_owned(),
            ),
            _ if files.len() == 1 => (self.apply_transaction(files, last, &name).await, String::new()),
            _ => (
                self.apply_transaction(files, last, &name).await,
                format!(", {} in one transaction", files.len()),
            ),
        };
        if outcome? != Some(last.version()) {
            return Err(Failure::Unconfirmed(name));
        }
        self.create_history = None;
        self.last_version = self
            .last_version
            .max(files.iter().map(|(file, _)| file.version()).max());
        self.note(files, started.elapsed(), &manner);
        Ok(())
    }

    async fn apply_transaction(
        &mut self,
        files: &[(&Migration, &str)],
        last: &Migration,
        name: &str,
    ) -> Result<Option<i64>, Failure> {
        let locked_tables = self.tables_to_queue_for(files);
        let batch = self.script().batch(files, &locked_tables);
        let host = self.connection.host();
        let mut watcher = Watcher::new(
            self.config,
            self.progress,
            host,
            migrators_lock(self.snapshot.ledger, &self.snapshot.schema),
            name,
        );
        let outcome = watcher.over(batch.text.len(), self.send(batch)).await;
        let outcome = outcome.unwrap_or_else(|dead| Err(Failure::Lost(dead)));
        let (blocked, cancelled_after) = (watcher.last, watcher.cancelled_after);
        let failure = match outcome {
            Err(failure) if !matches!(failure, Failure::Lost(_)) => failure,
            outcome => return outcome,
        };
        self.blocked = blocked;
        let rejection = match failure {
            Failure::Rejected(rejection) if rejection.sql_state == SqlState::QUERY_CANCELED => rejection,
            failure => {
                self.roll_back().await;
                if matches!(failure, Failure::BehindLongRunning(_)) {
                    let looking = find_long_running(self.connection, &locked_tables, self.config.lock_budget);
                    let found = timeout(ATTEMPT_LIMIT, looking).await;
                    self.blocked = found.ok().and_then(Result::ok).flatten();
                }
                return Err(failure);
            }
        };
        match (self.roll_back_or_find_committed(last).await?, cancelled_after) {
            (Some(version), _) => Ok(Some(version)),
            (None, Some(waited)) => Err(Failure::OverBudget(rejection.label, waited)),
            (None, None) => Err(Failure::Rejected(rejection)),
        }
    }

    /// Holds the lock in a separate transaction, the guard, while the statement of `file` runs on another connection.
    async fn apply_non_transactional(
        &mut self,
        file: &Migration,
        insert: &str,
        statement: &NonTransactional,
    ) -> Result<Option<i64>, Failure> {
        let outcome = self.run_guarded(file, insert, statement).await;
        match &outcome {
            // The server may still have the guard's session; the next pass terminates it.
            Err(Failure::Lost(_)) => return outcome,
            Err(_) => self.roll_back().await,
            Ok(_) => {}
        }
        self.progress.lock().guard = None;
        outcome
    }

    async fn run_guarded(
        &mut self,
        file: &Migration,
        insert: &str,
        statement: &NonTransactional,
    ) -> Result<Option<i64>, Failure> {
        if self.create_history.is_some() {
            self.ask(file, &self.script().create_history_table()).await?;
            self.create_history = None;
        }
        let guard = self.ask(file, &self.script().guard(file)).await?;
        self.progress.lock().guard = guard;
        self.ask(file, Script::KEEP_GUARD).await?;
        let mut run = NonTransactionalRun {
            config: self.config,
            snapshot: self.snapshot,
            progress: self.progress,
            guard: self.connection,
            file,
            statement,
            blocked: None,
        };
        let outcome = run.run().await;
        self.blocked = run.blocked;
        outcome?;
        self.progress.lock().leftovers = Some("it is done; the next run records it".to_owned());
        let confirmed = self.ask(file, &self.script().record_done(file, insert)).await?;
        Ok(confirmed.and_then(|version| version.parse().ok()))
    }

    /// If this does not reach the server, the connection is lost and the server rolls back by itself.
    async fn roll_back(&self) {
        let _ = timeout(ATTEMPT_LIMIT, self.connection.client().batch_execute("ROLLBACK")).await;
    }

    /// The last attempt queues for its locks in any case: it may get them before `MIGRATE_LOCK_TIMEOUT`.
    fn tables_to_queue_for(&self, files: &[(&Migration, &str)]) -> BTreeMap<String, LockStrength> {
        let is_last_attempt = self.progress.lock().lock_conflicts + 1 >= self.config.lock_retries;
        if is_last_attempt || self.config.lock_budget.is_zero() {
            return BTreeMap::new();
        }
        locked_tables(files.iter().map(|(file, _)| file.sql()))
    }

    fn script(&self) -> Script<'_> {
        Script {
            config: self.config,
            snapshot: self.snapshot,
            reads_backslashes_literally: self.connection.reads_backslashes_literally(),
            create_history: self.create_history.as_deref(),
            last_version: self.last_version,
        }
    }

    /// Logs and notes what the server has confirmed.
    fn note(&self, files: &[(&Migration, &str)], took: Duration, manner: &str) {
        let ms = millis(took);
        let mut state = self.progress.lock();
        state.running = None;
        state.in_doubt = None;
        state.leftovers = None;
        let attempts = 1 + std::mem::take(&mut state.lock_conflicts);
        for (file, _) in files {
            tracing::info!(
                migration = file.label,
                version = file.version(),
                ms,
                "applied {} in {ms} ms{manner}",
                file.label
            );
            state.applied.push(Done {
                label: file.label.clone(),
                version: file.version(),
                took,
                attempts,
            });
        }
    }

    /// Sends a batch, and returns the version that the server confirms after the commit.
    async fn send(&self, mut batch: Batch<'_>) -> Result<Option<i64>, Failure> {
        let client = self.connection.client();
        if !self.connection.reads_backslashes_literally() {
            // The server parses a whole message before it runs the first statement, so the setting that changes how it parses
            // strings needs a message before.
            let preamble = batch.preamble().to_owned();
            client
                .batch_execute(&preamble)
                .await
                .map_err(|error| batch.failure(error, 0))?;
            batch.drop_preamble();
        }
        let confirmed = self.confirmation(&batch).await?;
        Ok(confirmed.and_then(|version| version.parse().ok()))
    }

    /// Sends statements of ours on behalf of a non-transactional migration.
    async fn ask(&self, file: &Migration, statements: &str) -> Result<Option<String>, Failure> {
        let batch = Batch::around(self.snapshot.ledger, file, statements);
        let limit = self.config.query_limit();
        let answer = timeout(limit, self.confirmation(&batch)).await;
        answer.unwrap_or_else(|_| Err(Failure::Lost(AttemptError::TimedOut(limit))))
    }

    /// Sends a batch, and returns what the server confirms.
    async fn confirmation(&self, batch: &Batch<'_>) -> Result<Option<String>, Failure> {
        let client = self.connection.client();
        let mut completed = 0;
        let mut confirmed = None;
        let mut answers = pin!(
            client
                .simple_query_raw(&batch.text)
                .await
                .map_err(|error| batch.failure(error, 0))?
        );
        loop {
            match answers.try_next().await {
                Ok(Some(SimpleQueryMessage::CommandComplete(_))) => completed += 1,
                Ok(Some(SimpleQueryMessage::Row(row)))
                    if row
                        .columns()
                        .first()
                        .is_some_and(|column| column.name() == CONFIRMATION) =>
                {
                    confirmed = row.get(0).map(str::to_owned);
                }
                // The rows of a migration's own SELECT.
                Ok(Some(_)) => {}
                Ok(None) => return Ok(confirmed),
                Err(error) => return Err(batch.failure(error, completed)),
            }
        }
    }

    /// Rolls back what was cancelled, and in the same round trip queries whether the history table has `file`: the cancelled
    /// statement may have been the confirmation of a commit. After a signal the run waits for this answer.
    async fn roll_back_or_find_committed(&self, file: &Migration) -> Result<Option<i64>, Failure> {
        let question = format!("ROLLBACK;\n{}", self.script().find_committed(file));
        let answers = match timeout(ATTEMPT_LIMIT, self.connection.client().simple_query(&question)).await {
            Ok(Ok(answers)) => answers,
            // The next connection queries again.
            Ok(Err(error)) if is_transient(&error) => {
                return Err(Failure::Lost(AttemptError::Postgres(error)));
            }
            Err(_) => return Err(Failure::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT))),
            // The history table does not exist, or cannot be read.
            Ok(Err(_)) => Vec::new(),
        };
        Ok(answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).and_then(|text| text.parse().ok()),
            _ => None,
        }))
    }
}

impl AsyncTransaction for Session<'_> {
    type Error = Stopped;

    /// refinery calls this once with the statement that creates its table, and then with each migration and its history
    /// row, or with all of them. The table is created together with the first migration, under the lock.
    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Stopped> {
        let queries: Vec<&str> = queries.collect();
        if let [create_history] = queries[..] {
            if self.snapshot.history.is_none() {
                self.create_history = Some(create_history.trim_end_matches(';').to_owned());
            }
            return Ok(1);
        }
        let (pairs, _) = queries.as_chunks::<2>();
        let files: Vec<(&Migration, &str)> = pairs
            .iter()
            .map(|[_, insert]| {
                let next = self.pending.pop_front();
                (
                    next.expect("refinery applies what the comparison found to be pending"),
                    *insert,
                )
            })
            .collect();
        self.apply(&files).await.map_err(|failure| {
            self.failure = Some(failure);
            Stopped
        })?;
        Ok(queries.len())
    }
}

impl AsyncQuery<Vec<RefineryMigration>> for Session<'_> {
    /// The history table was read before the session began; it is not read twice.
    async fn query<'a>(&'a mut self, _query: &'a str) -> Result<Vec<RefineryMigration>, Stopped> {
        Ok(std::mem::take(&mut self.applied))
    }
}

impl AsyncMigrate for Session<'_> {}
