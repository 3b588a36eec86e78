//! refinery's traits on our connection: one transaction and one round trip for each migration.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use refinery_core::Migration;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use time::OffsetDateTime;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use crate::blocker::Wait;
use crate::catalog::Snapshot;
use crate::config::Config;
use crate::connection::Connection;
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

    async fn apply(&mut self, file: &SourceFile, insert: &str) -> Result<(), SessionError> {
        if self.connection.brake().is_pulled() {
            return Err(SessionError::Stopped);
        }
        self.progress.lock().under_way = Some(file.stem.clone());
        let started = Instant::now();
        let preamble = self.preamble(file);
        let closing = self.closing(file, insert);
        let mut watcher = Watcher::new(self.config, &self.snapshot.schema, &file.stem);
        let outcome = watcher
            .over(self.send(Message::new(file, &preamble, &closing)))
            .await;
        let (blocked, cancelled_after) = (watcher.last, watcher.cancelled_after);
        let confirmed = match outcome {
            Err(failure) if !matches!(failure, SessionError::Lost(_)) => {
                // Should this not get through, the connection is gone and the server rolls back by itself.
                let _ = self.connection.client().batch_execute("ROLLBACK").await;
                self.blocked = blocked;
                match (failure, cancelled_after) {
                    (SessionError::Rejected(rejection), waited)
                        if rejection.sql_state == SqlState::QUERY_CANCELED =>
                    {
                        // What was cancelled may have been the confirmation of a commit.
                        match (self.find_committed(file).await, waited) {
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
        if confirmed != Some(file.version()) {
            return Err(SessionError::Unconfirmed(file.stem.clone()));
        }
        self.create_history = None;
        self.last_version = self.last_version.max(Some(file.version()));
        let done = Done {
            stem: file.stem.clone(),
            version: file.version(),
            took: started.elapsed(),
            tries: 1 + std::mem::take(&mut self.progress.lock().tries),
        };
        let ms = millis(done.took);
        tracing::info!(
            migration = done.stem,
            version = done.version,
            ms,
            "applied {} in {ms} ms",
            done.stem
        );
        let mut state = self.progress.lock();
        state.under_way = None;
        state.applied.push(done);
        Ok(())
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

    /// Everything up to the file. The defaults of the database and the role must not matter, so what
    /// could be set there and would change the outcome is set here, for this transaction.
    fn preamble(&self, file: &SourceFile) -> Vec<String> {
        let mut statements = vec![
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned(),
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
        statements.push(lock::take_or_raise(&self.snapshot.schema));
        statements.extend(self.create_history.clone());
        statements.push(self.check_history(file));
        statements.push(
            "SELECT pg_catalog.set_config('zerostarter_db.transaction', CAST(pg_catalog.pg_current_xact_id() AS text), true)"
                .to_owned(),
        );
        statements
    }

    /// Everything after the file: the guard, the history row, the commit, and the server's confirmation.
    /// What the file did to the session is undone, for the next file and for whoever a pooler gives it to.
    fn closing(&self, file: &SourceFile, insert: &str) -> Vec<String> {
        let mut statements = vec![raise_unless(
            "pg_catalog.current_setting('zerostarter_db.transaction', true) IS NOT DISTINCT FROM CAST(pg_catalog.pg_current_xact_id() AS text)",
            TRANSACTION_LEFT,
        )];
        // The file may have become somebody who has no right to the history.
        statements.push("RESET SESSION AUTHORIZATION".to_owned());
        statements.push(self.set_role().unwrap_or_else(|| "RESET ROLE".to_owned()));
        statements.push(insert.to_owned());
        statements.push("COMMIT".to_owned());
        statements.push("RESET ALL".to_owned());
        statements.push("SET LOCAL statement_timeout = 0".to_owned());
        statements.extend(self.set_role());
        statements.push(self.read_back(file));
        statements
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
    async fn find_committed(&self, file: &SourceFile) -> Option<i64> {
        let statements: Vec<String> = std::iter::once("SET LOCAL statement_timeout = 0".to_owned())
            .chain(self.set_role())
            .chain([self.read_back(file)])
            .collect();
        let question = statements.join(";\n");
        let answers = self.connection.client().simple_query(&question).await.ok()?;
        answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).and_then(|text| text.parse().ok()),
            _ => None,
        })
    }

    fn set_role(&self) -> Option<String> {
        self.config
            .role
            .as_deref()
            .map(|role| format!("SET LOCAL ROLE {}", identifier(role)))
    }

    /// Two look-ups in the primary key, whatever the length of the history.
    fn check_history(&self, file: &SourceFile) -> String {
        let table = self.snapshot.history_table();
        let last = self
            .last_version
            .map_or_else(|| "NULL".to_owned(), |version| version.to_string());
        let version = file.version();
        raise_unless(
            &format!(
                "(SELECT max(version) FROM {table}) IS NOT DISTINCT FROM {last} \
                 AND NOT EXISTS (SELECT FROM {table} WHERE version = {version})"
            ),
            HISTORY_MOVED,
        )
    }
}

impl AsyncTransaction for Session<'_> {
    type Error = Stopped;

    /// refinery calls this once with the statement that creates its table, and then with each migration
    /// and its history row. The table is created together with the first migration, under its lock.
    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Stopped> {
        let queries: Vec<&str> = queries.collect();
        match queries[..] {
            [create_history] => {
                if self.snapshot.history.is_none() {
                    self.create_history = Some(create_history.trim_end_matches(';').to_owned());
                }
            }
            [_, insert] => {
                let file = self
                    .pending
                    .pop_front()
                    .expect("refinery applies what we found to be pending");
                self.apply(file, insert).await.map_err(|failure| {
                    self.failure = Some(failure);
                    Stopped
                })?;
            }
            _ => unreachable!("refinery does not group migrations here"),
        }
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
