//! refinery's traits on our connection: one transaction and one round trip for each migration.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use refinery_core::Migration;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use time::OffsetDateTime;
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use crate::alone::Alone;
use crate::attempt::{AttemptError, is_transient};
use crate::blocker::{Wait, migrators_lock};
use crate::catalog::Snapshot;
use crate::config::Config;
use crate::connection::{ATTEMPT_LIMIT, Connection};
use crate::duration::millis;
use crate::envelope::{CONFIRMATION, Envelope};
use crate::message::{Message, SessionError};
use crate::outside::{Outside, only_statement};
use crate::progress::{Done, Progress, Sent};
use crate::queue::{Excludes, find_old, locked_tables};
use crate::source::SourceFile;
use crate::watcher::Watcher;

/// One pass over the pending migrations on one connection.
pub struct Session<'a> {
    connection: &'a Connection,
    config: &'a Config,
    snapshot: &'a Snapshot,
    /// What is applied of ours, which is all that refinery needs to know.
    applied: Vec<Migration>,
    pending: VecDeque<&'a SourceFile>,
    /// The newest version in the history as far as we know.
    last_version: Option<i64>,
    /// refinery's statement that creates the history, until it has been sent.
    create_history: Option<String>,
    progress: &'a Progress,
    /// The last lock that the migration which failed was seen to wait for.
    pub blocked: Option<Wait>,
    /// Why it stopped early. refinery hands errors on by reference only, so ours waits here.
    pub failure: Option<SessionError>,
}

/// Tells refinery to stop; the reason is in [`Session::failure`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the session failed")]
pub struct Stopped;

impl<'a> Session<'a> {
    /// A session that will apply `pending`, in this order, on top of what `snapshot` found.
    #[must_use]
    pub fn new(
        connection: &'a Connection,
        config: &'a Config,
        snapshot: &'a Snapshot,
        files: &'a [SourceFile],
        pending: &[usize],
        progress: &'a Progress,
    ) -> Self {
        let is_applied = |file: &&SourceFile| {
            snapshot
                .applied()
                .binary_search_by_key(&file.version(), |row| row.version)
                .is_ok()
        };
        let as_applied = |file: &SourceFile| {
            let migration = file.migration();
            // refinery reads the date and never uses it.
            Migration::applied(
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

    /// Applies files, each with the statement that records it: in one transaction, or outside of any the one that
    /// has to be.
    async fn apply(&mut self, files: &[(&SourceFile, &str)]) -> Result<(), SessionError> {
        let Some((&(first, insert), &(last, _))) = files.first().zip(files.last()) else {
            return Ok(());
        };
        if self.progress.lock().is_stopping {
            return Err(SessionError::Stopped);
        }
        let name = if files.len() == 1 {
            first.stem.clone()
        } else {
            format!("{} … {}", first.stem, last.stem)
        };
        let sent: Vec<&SourceFile> = files.iter().map(|(file, _)| *file).collect();
        self.progress.lock().under_way = Some(Sent::now(name.clone(), &sent));
        let started = Instant::now();
        let (outcome, manner) = match only_statement(first.sql()) {
            Some(outside) if files.len() == 1 => (
                self.apply_alone(first, insert, &outside).await,
                ", outside a transaction".to_owned(),
            ),
            _ if files.len() == 1 => (self.apply_together(files, last, &name).await, String::new()),
            _ => (
                self.apply_together(files, last, &name).await,
                format!(", {} in one transaction", files.len()),
            ),
        };
        if outcome? != Some(last.version()) {
            return Err(SessionError::Unconfirmed(name));
        }
        self.create_history = None;
        self.last_version = self
            .last_version
            .max(files.iter().map(|(file, _)| file.version()).max());
        self.note(files, started.elapsed(), &manner);
        Ok(())
    }

    async fn apply_together(
        &mut self,
        files: &[(&SourceFile, &str)],
        last: &SourceFile,
        name: &str,
    ) -> Result<Option<i64>, SessionError> {
        let locked_tables = self.tables_to_queue_for(files);
        let message = self.envelope().message(files, &locked_tables);
        let host = self.connection.host();
        let mut watcher = Watcher::new(
            self.config,
            self.progress,
            host,
            migrators_lock(&self.snapshot.schema),
            name,
        );
        let outcome = watcher.over(message.text.len(), self.send(message)).await;
        let outcome = outcome.unwrap_or_else(|dead| Err(SessionError::Lost(dead)));
        let (blocked, cancelled_after) = (watcher.last, watcher.cancelled_after);
        let failure = match outcome {
            Err(failure) if !matches!(failure, SessionError::Lost(_)) => failure,
            outcome => return outcome,
        };
        self.blocked = blocked;
        let rejection = match failure {
            SessionError::Rejected(rejection) if rejection.sql_state == SqlState::QUERY_CANCELED => rejection,
            failure => {
                self.roll_back().await;
                if matches!(failure, SessionError::BehindOld(_)) {
                    let looking = find_old(self.connection, &locked_tables, self.config.lock_budget);
                    let found = timeout(ATTEMPT_LIMIT, looking).await;
                    self.blocked = found.ok().and_then(Result::ok).flatten();
                }
                return Err(failure);
            }
        };
        match (self.roll_back_or_find_committed(last).await?, cancelled_after) {
            (Some(version), _) => Ok(Some(version)),
            (None, Some(waited)) => Err(SessionError::OverBudget(rejection.stem, waited)),
            (None, None) => Err(SessionError::Rejected(rejection)),
        }
    }

    /// Holds the lock in a transaction of its own while the one statement of `file` runs on another connection.
    async fn apply_alone(
        &mut self,
        file: &SourceFile,
        insert: &str,
        outside: &Outside,
    ) -> Result<Option<i64>, SessionError> {
        let outcome = self.do_alone(file, insert, outside).await;
        match &outcome {
            // The guard may be there still, at the other end of a dead connection; the next pass looks after it.
            Err(SessionError::Lost(_)) => return outcome,
            Err(_) => self.roll_back().await,
            Ok(_) => {}
        }
        self.progress.lock().guard = None;
        outcome
    }

    async fn do_alone(
        &mut self,
        file: &SourceFile,
        insert: &str,
        outside: &Outside,
    ) -> Result<Option<i64>, SessionError> {
        if self.create_history.is_some() {
            self.ask(file, &self.envelope().history_alone()).await?;
            self.create_history = None;
        }
        let guard = self.ask(file, &self.envelope().guard(file)).await?;
        self.progress.lock().guard = guard;
        self.ask(file, Envelope::STAY).await?;
        let mut alone = Alone {
            config: self.config,
            snapshot: self.snapshot,
            progress: self.progress,
            guard: self.connection,
            file,
            outside,
            blocked: None,
        };
        let outcome = alone.run().await;
        self.blocked = alone.blocked;
        outcome?;
        self.progress.lock().remains = Some("it is done; the next run records it".to_owned());
        let confirmed = self.ask(file, &self.envelope().record_done(file, insert)).await?;
        Ok(confirmed.and_then(|version| version.parse().ok()))
    }

    /// Should this not get through, the connection is gone and the server rolls back by itself.
    async fn roll_back(&self) {
        let _ = timeout(ATTEMPT_LIMIT, self.connection.client().batch_execute("ROLLBACK")).await;
    }

    /// The last try joins the queue whatever is in the way: it may be let in before `MIGRATE_LOCK_TIMEOUT`.
    fn tables_to_queue_for(&self, files: &[(&SourceFile, &str)]) -> BTreeMap<String, Excludes> {
        let is_last_try = self.progress.lock().tries + 1 >= self.config.lock_retries;
        if is_last_try || self.config.lock_budget.is_zero() {
            return BTreeMap::new();
        }
        locked_tables(files.iter().map(|(file, _)| file.sql()))
    }

    fn envelope(&self) -> Envelope<'_> {
        Envelope {
            config: self.config,
            snapshot: self.snapshot,
            reads_backslashes_literally: self.connection.reads_backslashes_literally(),
            create_history: self.create_history.as_deref(),
            last_version: self.last_version,
        }
    }

    /// Logs and remembers what the server has confirmed.
    fn note(&self, files: &[(&SourceFile, &str)], took: Duration, manner: &str) {
        let ms = millis(took);
        let mut state = self.progress.lock();
        state.under_way = None;
        state.in_doubt = None;
        state.remains = None;
        let tries = 1 + std::mem::take(&mut state.tries);
        for (file, _) in files {
            tracing::info!(
                migration = file.stem,
                version = file.version(),
                ms,
                "applied {} in {ms} ms{manner}",
                file.stem
            );
            state.applied.push(Done {
                stem: file.stem.clone(),
                version: file.version(),
                took,
                tries,
            });
        }
    }

    /// Sends a message and returns the version that the server confirms after its commit.
    async fn send(&self, mut message: Message<'_>) -> Result<Option<i64>, SessionError> {
        let client = self.connection.client();
        if !self.connection.reads_backslashes_literally() {
            // The server reads a whole message before it runs the first statement of it, so the setting
            // that says how strings are read has to go ahead in a message of its own.
            let preamble = message.preamble().to_owned();
            client
                .batch_execute(&preamble)
                .await
                .map_err(|error| message.failure(error, 0))?;
            message.drop_preamble();
        }
        let confirmed = self.confirmation(&message).await?;
        Ok(confirmed.and_then(|version| version.parse().ok()))
    }

    /// Sends what goes around a file that runs outside a transaction.
    async fn ask(&self, file: &SourceFile, statements: &str) -> Result<Option<String>, SessionError> {
        let message = Message::around(file, statements);
        let limit = self.config.question_limit();
        let answer = timeout(limit, self.confirmation(&message)).await;
        answer.unwrap_or_else(|_| Err(SessionError::Lost(AttemptError::TimedOut(limit))))
    }

    /// Sends a message, and returns what the server confirms.
    async fn confirmation(&self, message: &Message<'_>) -> Result<Option<String>, SessionError> {
        let client = self.connection.client();
        let mut completed = 0;
        let mut confirmed = None;
        let mut answers = pin!(
            client
                .simple_query_raw(&message.text)
                .await
                .map_err(|error| message.failure(error, 0))?
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
                // What a file's own SELECT returns is nobody's business here.
                Ok(Some(_)) => {}
                Ok(None) => return Ok(confirmed),
                Err(error) => return Err(message.failure(error, completed)),
            }
        }
    }

    /// Rolls back what was cancelled, and asks in the same breath whether the history has `file` although its message
    /// ended in an error: what was cancelled may have been the confirmation of a commit. Whoever has sent a signal
    /// waits for the answer.
    async fn roll_back_or_find_committed(&self, file: &SourceFile) -> Result<Option<i64>, SessionError> {
        let question = format!("ROLLBACK;\n{}", self.envelope().find_committed(file));
        let answers = match timeout(ATTEMPT_LIMIT, self.connection.client().simple_query(&question)).await {
            Ok(Ok(answers)) => answers,
            // The next connection will ask.
            Ok(Err(error)) if is_transient(&error) => {
                return Err(SessionError::Lost(AttemptError::Postgres(error)));
            }
            Err(_) => return Err(SessionError::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT))),
            // There is no history, or it may not be read.
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

    /// refinery calls this once with the statement that creates its table, and then with each migration
    /// and its history row, or with all of them in turn. The table is created together with the first
    /// migration, under its lock.
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
        let files: Vec<(&SourceFile, &str)> = pairs
            .iter()
            .map(|[_, insert]| {
                let next = self.pending.pop_front();
                (
                    next.expect("refinery applies what we found to be pending"),
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

impl AsyncQuery<Vec<Migration>> for Session<'_> {
    /// The history was read before the session began; nothing is asked twice.
    async fn query<'a>(&'a mut self, _query: &'a str) -> Result<Vec<Migration>, Stopped> {
        Ok(std::mem::take(&mut self.applied))
    }
}

impl AsyncMigrate for Session<'_> {}
