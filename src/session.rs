//! refinery's traits on our connection: one transaction and one round trip for each migration.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use refinery_core::Migration;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use time::OffsetDateTime;
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use crate::attempt::{AttemptError, is_transient};
use crate::blocker::Wait;
use crate::catalog::Snapshot;
use crate::config::Config;
use crate::connection::{ATTEMPT_LIMIT, Connection};
use crate::duration::millis;
use crate::lock::{self, raise_unless};
use crate::message::{HISTORY_MOVED, Message, SessionError, TRANSACTION_LEFT};
use crate::progress::{Done, Progress};
use crate::source::SourceFile;
use crate::sql::{identifier, literal};
use crate::watcher::Watcher;

/// The column under which the server confirms what it has committed.
const CONFIRMATION: &str = "zerostarter_db_applied";

/// How long a transaction that failed may stay open before the server ends it, should we vanish then.
const IDLE_IN_TRANSACTION_LIMIT_MS: u32 = 60_000;

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

    /// Applies files, each with the statement that records it, in one transaction.
    async fn apply(&mut self, files: &[(&SourceFile, &str)]) -> Result<(), SessionError> {
        let Some((&(first, _), &(last, _))) = files.first().zip(files.last()) else {
            return Ok(());
        };
        if self.connection.brake().is_pulled() {
            return Err(SessionError::Stopped);
        }
        let name = if files.len() == 1 {
            first.stem.clone()
        } else {
            format!("{} … {}", first.stem, last.stem)
        };
        self.progress.lock().under_way = Some(name.clone());
        let started = Instant::now();
        let message = self.message(files);
        let host = self.connection.host();
        let mut watcher = Watcher::new(self.config, host, &self.snapshot.schema, &name);
        let outcome = watcher.over(message.text.len(), self.send(message)).await;
        let outcome = outcome.unwrap_or_else(|dead| Err(SessionError::Lost(dead)));
        let (blocked, cancelled_after) = (watcher.last, watcher.cancelled_after);
        let confirmed = match outcome {
            Err(failure) if !matches!(failure, SessionError::Lost(_)) => {
                // Should this not get through, the connection is gone and the server rolls back by itself.
                let _ = timeout(ATTEMPT_LIMIT, self.connection.client().batch_execute("ROLLBACK")).await;
                self.blocked = blocked;
                match (failure, cancelled_after) {
                    (SessionError::Rejected(rejection), waited)
                        if rejection.sql_state == SqlState::QUERY_CANCELED =>
                    {
                        // What was cancelled may have been the confirmation of a commit.
                        match (self.find_committed(last).await?, waited) {
                            (Some(version), _) => Some(version),
                            (None, Some(waited)) => {
                                return Err(SessionError::OverBudget(rejection.stem, waited));
                            }
                            (None, None) => return Err(SessionError::Rejected(rejection)),
                        }
                    }
                    (failure, _) => return Err(failure),
                }
            }
            outcome => outcome?,
        };
        if confirmed != Some(last.version()) {
            return Err(SessionError::Unconfirmed(name));
        }
        self.create_history = None;
        self.last_version = self
            .last_version
            .max(files.iter().map(|(file, _)| file.version()).max());
        self.note(files, started.elapsed());
        Ok(())
    }

    /// Logs and remembers what the server has confirmed.
    fn note(&self, files: &[(&SourceFile, &str)], took: Duration) {
        let ms = millis(took);
        let together = if files.len() == 1 {
            String::new()
        } else {
            format!(", {} in one transaction", files.len())
        };
        let mut state = self.progress.lock();
        state.under_way = None;
        let tries = 1 + std::mem::take(&mut state.tries);
        for (file, _) in files {
            tracing::info!(
                migration = file.stem,
                version = file.version(),
                ms,
                "applied {} in {ms} ms{together}",
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

    /// One transaction, whole: the settings, the lock, the history as it was read, each file with its guard and
    /// its history row, the commit, and the confirmation.
    fn message<'m>(&self, files: &[(&'m SourceFile, &str)]) -> Message<'m> {
        let mut ahead = vec!["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned()];
        ahead.extend(self.settings());
        ahead.push(lock::take_or_raise(&self.snapshot.schema));
        ahead.extend(self.create_history.clone());
        ahead.push(self.check_history(files));
        ahead.push(note_transaction());
        let mut parts = Vec::new();
        for (file, insert) in files {
            parts.push((*file, std::mem::take(&mut ahead)));
            ahead = self.record(insert);
            // For the next file in the transaction; otherwise the same is done after the commit.
            if parts.len() < files.len() {
                ahead.push("RESET ALL".to_owned());
                ahead.extend(self.settings());
                ahead.push(note_transaction());
            }
        }
        let mut closing = ahead;
        closing.push("COMMIT".to_owned());
        closing.push("RESET ALL".to_owned());
        closing.push("SET LOCAL statement_timeout = 0".to_owned());
        closing.extend(self.set_role());
        closing.extend(files.last().map(|(file, _)| self.read_back(file)));
        Message::new(&parts, &closing)
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
                    confirmed = row.get(0).and_then(|text| text.parse().ok());
                }
                // What a file's own SELECT returns is nobody's business here.
                Ok(Some(_)) => {}
                Ok(None) => return Ok(confirmed),
                Err(error) => return Err(message.failure(error, completed)),
            }
        }
    }

    /// The defaults of the database and the role must not matter, so what could be set there and would change
    /// the outcome is set here, for this transaction.
    fn settings(&self) -> Vec<String> {
        let mut statements = vec![
            format!(
                "SET LOCAL lock_timeout = {}",
                millis(self.config.longest_lock_wait())
            ),
            format!(
                "SET LOCAL statement_timeout = {}",
                millis(self.config.statement_timeout)
            ),
            format!("SET LOCAL idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_LIMIT_MS}"),
        ];
        if self.snapshot.server_version >= 170_000 {
            statements.push("SET LOCAL transaction_timeout = 0".to_owned());
        }
        if self.snapshot.can_check_client {
            // Without this the server would finish, and commit, the work of a client that was killed.
            statements.push("SET LOCAL client_connection_check_interval = '1s'".to_owned());
        }
        if !self.connection.reads_backslashes_literally() {
            statements.push("SET LOCAL standard_conforming_strings = on".to_owned());
        }
        if !self.snapshot.schema_is_current {
            statements.push(format!(
                "SET LOCAL search_path = {}",
                identifier(&self.snapshot.schema)
            ));
        }
        statements.extend(self.set_role());
        statements
    }

    /// What follows a file: the guard, and its history row. What the file did to the session is undone, for the
    /// next file and for whoever a pooler gives it to.
    fn record(&self, insert: &str) -> Vec<String> {
        vec![
            raise_unless(
                "pg_catalog.current_setting('zerostarter_db.transaction', true) IS NOT DISTINCT FROM CAST(pg_catalog.pg_current_xact_id() AS text)",
                TRANSACTION_LEFT,
            ),
            // The file may have become somebody who has no right to the history.
            "RESET SESSION AUTHORIZATION".to_owned(),
            self.set_role().unwrap_or_else(|| "RESET ROLE".to_owned()),
            insert.to_owned(),
        ]
    }

    fn read_back(&self, file: &SourceFile) -> String {
        format!(
            "SELECT version AS {CONFIRMATION} FROM {} WHERE version = {} AND checksum = {}",
            self.snapshot.history_table(),
            file.version(),
            literal(&file.checksum().to_string()),
        )
    }

    /// Whether the history has `file` although its message ended in an error.
    async fn find_committed(&self, file: &SourceFile) -> Result<Option<i64>, SessionError> {
        let statements: Vec<String> = std::iter::once("SET LOCAL statement_timeout = 0".to_owned())
            .chain(self.set_role())
            .chain([self.read_back(file)])
            .collect();
        let question = statements.join(";\n");
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

    fn set_role(&self) -> Option<String> {
        self.config
            .role
            .as_deref()
            .map(|role| format!("SET LOCAL ROLE {}", identifier(role)))
    }

    /// Look-ups in the primary key, whatever the length of the history.
    fn check_history(&self, files: &[(&SourceFile, &str)]) -> String {
        let table = self.snapshot.history_table();
        let last = self
            .last_version
            .map_or_else(|| "NULL".to_owned(), |version| version.to_string());
        let versions: Vec<String> = files.iter().map(|(file, _)| file.version().to_string()).collect();
        raise_unless(
            &format!(
                "(SELECT max(version) FROM {table}) IS NOT DISTINCT FROM {last} \
                 AND NOT EXISTS (SELECT FROM {table} WHERE version IN ({}))",
                versions.join(", ")
            ),
            HISTORY_MOVED,
        )
    }
}

/// The guard after the file compares with this.
fn note_transaction() -> String {
    "SELECT pg_catalog.set_config('zerostarter_db.transaction', CAST(pg_catalog.pg_current_xact_id() AS text), true)"
        .to_owned()
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
