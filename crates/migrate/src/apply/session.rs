//! refinery's traits on our connection: one transaction and one round trip a migration.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use refinery_core::Migration as RefineryMigration;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError, is_transient};
use zerostarter_diagnostic::duration::millis;

use super::failure::Failure;
use super::pending::{Pending, Recorded};
use super::rejection::Site;
use super::script::{Script, clean_up};
use super::steps::tables_to_queue_for;
use super::transmission::{Confirmation, Part, ask, transmit};
use crate::config::Config;
use crate::ledger::{CONFIRMATION, Snapshot, schema_of_history};
use crate::source::Migration;
use crate::sql::{Contents, LockedTables, add_all};
use crate::watch::{Done, LockWait, Progress, Sent, Watcher, find_long_running, migrators_lock};

/// How the log says that a migration had no transaction.
pub(super) const WITHOUT: &str = ", without a transaction block";

/// One pass over the pending migrations on one connection.
pub(super) struct Session<'a> {
    pub(super) connection: &'a Connection,
    pub(super) config: &'a Config,
    pub(super) snapshot: &'a Snapshot,
    pending: VecDeque<Pending<'a>>,
    /// The newest version in the history table, as it was read.
    last_version: Option<i64>,
    /// How many rows the history table has.
    rows: usize,
    /// The statements that create or upgrade the history table, until they were sent.
    pub(super) prepare_history: Vec<String>,
    /// Whether Drizzle's table stays readable, because another session reads it.
    shares_history: bool,
    pub(super) progress: &'a Progress,
    /// The last lock wait that was seen of the failed migration.
    pub(super) blocked: Option<LockWait>,
    /// Why it stopped early. refinery passes errors on by reference only, so ours is kept here.
    pub(super) failure: Option<Failure>,
}

/// The parts of a transaction of several migrations.
struct Parts<'f> {
    script: &'f Script<'f>,
    files: std::slice::Iter<'f, Recorded<'f>>,
}

impl<'f> Iterator for Parts<'f> {
    type Item = Part<'f>;

    fn next(&mut self) -> Option<Part<'f>> {
        let file = self.files.next()?;
        Some(Part {
            migration: file.migration(),
            settings: &[],
            pieces: &file.pending.contents.pieces,
            record: self.script.record(file),
            between: self.script.between(file),
        })
    }
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
        pending: Vec<Pending<'a>>,
        progress: &'a Progress,
    ) -> Self {
        Self {
            connection,
            config,
            snapshot,
            pending: pending.into(),
            last_version: snapshot.applied().last().map(|row| row.version),
            rows: snapshot.applied().len(),
            prepare_history: Vec::new(),
            shares_history: false,
            progress,
            blocked: None,
            failure: None,
        }
    }

    /// Applies migrations, each with the statement that records it: in one transaction, or the one that is not transactional.
    async fn apply(&mut self, files: &[Recorded<'_>]) -> Result<(), Failure> {
        let Some((first, last)) = files.first().zip(files.last()) else {
            return Ok(());
        };
        if self.progress.lock().is_stopping {
            return Err(Failure::Stopped);
        }
        let name = if files.len() == 1 {
            first.migration().label.clone()
        } else {
            format!("{} … {}", first.migration().label, last.migration().label)
        };
        let sent: Vec<&Migration> = files.iter().map(Recorded::migration).collect();
        self.progress.lock().running = Some(Sent::now(name.clone(), &sent));
        let started = Instant::now();
        let (outcome, manner) = match files {
            [file] => self.apply_one(file, &name).await,
            files => (
                self.apply_transaction(files, last, &name).await,
                format!(", {} in one transaction", files.len()),
            ),
        };
        if outcome? != Some(last.migration().version()) {
            return Err(Failure::Unconfirmed(name));
        }
        self.prepare_history = Vec::new();
        self.rows += files.len();
        let versions = files.iter().map(|file| file.migration().version());
        self.last_version = self.last_version.max(versions.max());
        self.note(&sent, started.elapsed(), &manner);
        Ok(())
    }

    /// Applies one migration, and says in which manner.
    async fn apply_one(&mut self, file: &Recorded<'_>, name: &str) -> (Result<Option<i64>, Failure>, String) {
        let contents = &file.pending.contents;
        if !contents.is_whole() {
            let manner = match contents.steps.len() {
                1 => WITHOUT.to_owned(),
                count => format!(", in {count} steps"),
            };
            return (self.apply_steps(file, &contents.steps).await, manner);
        }
        if let Some(statement) = &contents.non_transactional {
            return self.apply_without(file, statement).await;
        }
        let outcome = self
            .apply_transaction(std::slice::from_ref(file), file, name)
            .await;
        match (&outcome, &contents.only) {
            (Err(Failure::Rejected(rejection)), Some(statement))
                if rejection.demands_no_transaction() && !self.config.atomic =>
            {
                // It was the only statement, and was rolled back: nothing has happened.
                rejection.log_second_run();
                self.apply_without(file, statement).await
            }
            _ => (outcome, String::new()),
        }
    }

    /// Applies all migrations of a folder of drizzle-kit, without refinery.
    pub(super) async fn apply_drizzle(&mut self, preparation: Vec<String>) -> Result<(), Failure> {
        self.prepare_history = preparation;
        let Snapshot { ledger, drizzle, .. } = self.snapshot;
        let table = self.snapshot.history_table();
        let has_names = drizzle.has_names || ledger.has_names_after_upgrade();
        let files: Vec<Recorded<'_>> = std::mem::take(&mut self.pending)
            .into_iter()
            .map(|pending| Recorded {
                insert: ledger.record(&table, pending.migration, has_names),
                pending,
            })
            .collect();
        if self.config.atomic {
            return self.apply(&files).await;
        }
        for file in &files {
            self.apply(std::slice::from_ref(file)).await?;
        }
        Ok(())
    }

    /// Applies a transaction; once more if it could not lock Drizzle's table because another session reads it.
    async fn apply_transaction(
        &mut self,
        files: &[Recorded<'_>],
        last: &Recorded<'_>,
        name: &str,
    ) -> Result<Option<i64>, Failure> {
        let outcome = self.try_transaction(files, last, name).await;
        match &outcome {
            Err(Failure::Rejected(rejection))
                if rejection.sql_state == SqlState::LOCK_NOT_AVAILABLE
                    && rejection.site == Site::Preparation
                    && self.snapshot.ledger.own_schema().is_some()
                    && !self.shares_history =>
            {
                self.shares_history = true;
                self.try_transaction(files, last, name).await
            }
            _ => outcome,
        }
    }

    async fn try_transaction(
        &mut self,
        files: &[Recorded<'_>],
        last: &Recorded<'_>,
        name: &str,
    ) -> Result<Option<i64>, Failure> {
        let locked_tables = self.tables_to_queue_for(files);
        let mut watcher = Watcher::new(
            self.config,
            self.progress,
            self.connection.host(),
            migrators_lock(self.snapshot.ledger, &self.snapshot.schema),
            name,
        );
        let bytes = files.iter().map(|file| file.pending.contents.size()).sum();
        let has_snapshot = files
            .first()
            .is_some_and(|file| file.pending.contents.modes.keeps_snapshot());
        if has_snapshot && !self.prepare_history.is_empty() {
            // The transaction locks the history table before anything else.
            self.ask(last.migration(), self.script().create_history_table())
                .await?;
            self.prepare_history = Vec::new();
        }
        let script = self.script();
        let parts = Parts {
            script: &script,
            files: files.iter(),
        };
        let opening = script.opening(files, &locked_tables);
        let closing = script.closing(files, last);
        let sending = transmit(self.connection, self.snapshot.ledger, opening, parts, closing);
        let outcome = watcher.over(bytes, sending).await;
        let outcome = outcome.unwrap_or_else(|dead| Err(Failure::Lost(dead)));
        let (blocked, cancelled_after) = (watcher.last, watcher.cancelled_after);
        let failure = match outcome {
            Ok(confirmed) => return Ok(self.confirmed(confirmed)),
            Err(failure) if matches!(failure, Failure::Lost(_)) => return Err(failure),
            Err(failure) => failure,
        };
        self.blocked = blocked;
        let rejection = match failure {
            Failure::Rejected(rejection) if rejection.sql_state == SqlState::QUERY_CANCELED => rejection,
            failure => {
                self.roll_back(files.iter().map(|file| &file.pending.contents))
                    .await;
                if matches!(failure, Failure::BehindLongRunning(_)) {
                    let looking = find_long_running(self.connection, &locked_tables, self.config.lock_budget);
                    let found = timeout(ATTEMPT_LIMIT, looking).await;
                    self.blocked = found.ok().and_then(Result::ok).flatten();
                }
                return Err(failure);
            }
        };
        match (
            self.roll_back_or_find_committed(files, last).await?,
            cancelled_after,
        ) {
            (Some(version), _) => Ok(Some(version)),
            (None, Some(waited)) => Err(Failure::OverBudget(rejection.label, waited)),
            (None, None) => Err(Failure::Rejected(rejection)),
        }
    }

    /// The version that the server has confirmed. If a migration has changed the schema that the next run would begin with,
    /// the log says so.
    pub(super) fn confirmed(&self, confirmation: Option<Confirmation>) -> Option<i64> {
        let Confirmation {
            value,
            current_schema,
        } = confirmation?;
        let schema = &self.snapshot.schema;
        let next = schema_of_history(current_schema.as_deref());
        if self.config.database.url.parameters.schema.is_none()
            && next != schema
            && self.progress.lock().note_next_schema(next)
        {
            tracing::warn!(
                schema,
                next_schema = next,
                "the search path now begins with the schema {next}; this run continues in {schema}. \
                 The next run would look for its history table in {next}: \
                 add schema={schema} to POSTGRES_URL, or change the search path of the role"
            );
        }
        value.and_then(|version| version.parse().ok())
    }

    /// If this does not reach the server, the connection is lost and the server rolls back by itself.
    pub(super) async fn roll_back<'c>(&self, files: impl IntoIterator<Item = &'c Contents>) {
        let statements = roll_back(files).join(";\n");
        let rolling_back = self.connection.client().batch_execute(&statements);
        let _ = timeout(ATTEMPT_LIMIT, rolling_back).await;
    }

    fn tables_to_queue_for(&self, files: &[Recorded<'_>]) -> LockedTables {
        let mut tables = LockedTables::new();
        for file in files {
            add_all(&mut tables, file.pending.contents.locked_tables.clone());
        }
        tables_to_queue_for(self.config, self.progress, &tables)
    }

    pub(super) fn script(&self) -> Script<'_> {
        Script {
            config: self.config,
            snapshot: self.snapshot,
            reads_backslashes_literally: self.connection.reads_backslashes_literally(),
            prepare_history: &self.prepare_history,
            last_version: self.last_version,
            rows: self.rows,
            shares_history: self.shares_history,
        }
    }

    /// Logs and notes what the server has confirmed.
    fn note(&self, files: &[&Migration], took: Duration, manner: &str) {
        let ms = millis(took);
        let mut state = self.progress.lock();
        state.running = None;
        state.in_doubt = None;
        state.leftovers = None;
        let attempts = 1 + std::mem::take(&mut state.lock_conflicts);
        for file in files {
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

    /// Sends statements of ours on behalf of a non-transactional migration.
    pub(super) async fn ask(
        &self,
        file: &Migration,
        statements: Vec<String>,
    ) -> Result<Option<Confirmation>, Failure> {
        let limit = self.config.query_limit();
        let asking = ask(self.connection, self.snapshot.ledger, file, statements);
        let answer = timeout(limit, asking).await;
        answer.unwrap_or_else(|_| Err(Failure::Lost(AttemptError::TimedOut(limit))))
    }

    /// Rolls back what was cancelled, and in the same round trip queries whether the history table has `file`: the cancelled
    /// statement may have been the confirmation of a commit. After a signal the run waits for this answer.
    async fn roll_back_or_find_committed(
        &self,
        files: &[Recorded<'_>],
        last: &Recorded<'_>,
    ) -> Result<Option<i64>, Failure> {
        let mut statements = roll_back(files.iter().map(|file| &file.pending.contents));
        statements.extend(self.script().find_committed(&last.pending));
        let query = statements.join(";\n");
        let answers = match timeout(ATTEMPT_LIMIT, self.connection.client().simple_query(&query)).await {
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
            SimpleQueryMessage::Row(row)
                if row
                    .columns()
                    .first()
                    .is_some_and(|column| column.name() == CONFIRMATION) =>
            {
                row.try_get(0).ok().flatten().and_then(|text| text.parse().ok())
            }
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
                self.prepare_history = vec![create_history.trim_end_matches(';').to_owned()];
            }
            return Ok(1);
        }
        let (pairs, _) = queries.as_chunks::<2>();
        let files: Vec<Recorded<'_>> = pairs
            .iter()
            .map(|[_, insert]| {
                let next = self.pending.pop_front();
                Recorded::new(
                    next.expect("refinery applies what the comparison found to be pending"),
                    insert,
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
    /// The history table was read and compared before the session began. refinery gets the pending migrations alone.
    async fn query<'a>(&'a mut self, _query: &'a str) -> Result<Vec<RefineryMigration>, Stopped> {
        Ok(Vec::new())
    }
}

impl AsyncMigrate for Session<'_> {}

/// Rolls back, and removes what the migrations may have left in the session.
fn roll_back<'c>(files: impl IntoIterator<Item = &'c Contents>) -> Vec<String> {
    let mut statements = vec!["ROLLBACK".to_owned()];
    statements.extend(clean_up(files));
    statements
}
