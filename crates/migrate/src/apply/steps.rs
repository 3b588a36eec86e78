//! The steps of a migration that does not run in one transaction: on a second connection, the worker, while the first one,
//! the guard, holds the migrators' lock in an open transaction.
//!
//! A note in the comment of the history table says how many steps have run. A step in a transaction writes it there; after a
//! statement without one, it follows. So the next run continues where this one was interrupted.

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError};

use super::error::Error;
use super::failure::Failure;
use super::guard::{Context, while_guarded};
use super::non_transactional::StatementRun;
use super::script::{Script, as_ourselves};
use super::transmission::{Part, transmit};
use super::worker::{self, Demand};
use crate::config::Config;
use crate::ledger::{self, Conflict, Notes};
use crate::sql::non_transactional::Effect;
use crate::sql::{LockedTables, NonTransactional, Step, TransactionModes};
use crate::watch::catalog_query::{rows, text};
use crate::watch::{LockWait, Progress, Watcher, find_long_running, steps_lock};

/// The steps of one migration.
pub(crate) struct StepsRun<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) steps: &'a [Step],
    /// The last lock that a statement was seen to wait for.
    pub(crate) blocked: Option<LockWait>,
    /// The notes on the history table, if a step depends on them.
    pub(crate) notes: Option<Notes>,
}

impl StepsRun<'_> {
    /// Runs the steps, from the first that has not run.
    pub(crate) async fn run(&mut self, demand: Demand) -> Result<(), Failure> {
        let Context {
            config,
            snapshot,
            progress,
            guard,
            ..
        } = self.context;
        let worker = worker::open(guard.host(), config, snapshot, demand).await?;
        progress.lock().canceller = Some(worker.canceller().clone());
        let outcome = self.run_on(&worker).await;
        progress.lock().canceller = Some(guard.canceller().clone());
        worker.close().await;
        outcome
    }

    async fn run_on(&mut self, worker: &Connection) -> Result<(), Failure> {
        let is_unknown = |statement: &NonTransactional| matches!(statement.effect, Effect::Unknown { .. });
        if self.steps.len() > 1
            || self
                .steps
                .iter()
                .any(|step| step.non_transactional.as_ref().is_none_or(is_unknown))
        {
            self.notes = Some(self.read_notes(worker).await?);
        }
        let done = self.count_done()?;
        for (number, step) in self.steps.iter().enumerate().skip(done) {
            self.note_position(number);
            if let Err(failure) = self.run_step(worker, number, step).await {
                return Err(self.place(failure, number));
            }
            self.context.progress.lock().steps_done =
                Some((self.context.file.migration.label.clone(), number + 1));
        }
        self.note_position(self.steps.len());
        Ok(())
    }

    async fn read_notes(&self, worker: &Connection) -> Result<Notes, Failure> {
        let table = self.context.snapshot.history_table();
        let query = Notes::query(&table);
        let found = timeout(ATTEMPT_LIMIT, rows(worker, &query)).await;
        let found = found.map_err(|_| Failure::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT)))?;
        let found = found.map_err(Failure::of_connection)?;
        let row = found.first();
        let comment = row.and_then(|row| text(row, 0));
        let is_writable = row.is_some_and(|row| row.get(1) == Some("t"));
        if !is_writable {
            let label = &self.context.file.migration.label;
            tracing::warn!(
                migration = label,
                "this role does not own the history table, so it cannot note there how far {label} has come; \
                 after an interruption the next run begins it again"
            );
        }
        Ok(Notes::new(&table, comment, is_writable))
    }

    /// How many steps have run.
    fn count_done(&self) -> Result<usize, Failure> {
        let Some(notes) = &self.notes else { return Ok(0) };
        let migration = self.context.file.migration;
        let conflict = |conflict| Failure::fatal(ledger::Error::Conflicts(vec![conflict]));
        let path = migration.path.clone();
        if notes.has_begun(migration) {
            return Err(conflict(Conflict::Begun { path }));
        }
        let total = self.steps.len();
        match notes.steps_done(migration) {
            Some(found) if found.checksum != migration.checksum().to_string() || found.total != total => {
                Err(conflict(Conflict::EditedMidway {
                    path,
                    done: found.done,
                    total: found.total,
                }))
            }
            Some(found) => {
                let (label, done) = (&migration.label, found.done.min(total));
                tracing::info!(
                    migration = label,
                    "{done} of the {total} steps of {label} have run before; continuing with the next"
                );
                Ok(done)
            }
            None if !notes.is_writable => {
                let known = self.context.progress.lock().steps_done.clone();
                Ok(known.map_or(0, |(label, done)| if label == migration.label { done } else { 0 }))
            }
            None => Ok(0),
        }
    }

    async fn run_step(&mut self, worker: &Connection, number: usize, step: &Step) -> Result<(), Failure> {
        if let Some(statement) = &step.non_transactional {
            return self.run_statement(worker, number, step, statement).await;
        }
        match (self.run_transaction(worker, number, step).await, &step.only) {
            (Err(Failure::Rejected(rejection)), Some(statement)) if rejection.demands_no_transaction() => {
                rejection.log_second_run();
                self.run_statement(worker, number, step, statement).await
            }
            (outcome, _) => outcome,
        }
    }

    /// Runs a statement without a transaction block, and notes that.
    async fn run_statement(
        &mut self,
        worker: &Connection,
        number: usize,
        step: &Step,
        statement: &NonTransactional,
    ) -> Result<(), Failure> {
        let mut run = StatementRun {
            context: self.context,
            worker,
            step,
            statement,
            blocked: None,
            is_last: number + 1 == self.steps.len(),
            notes: self.notes.as_mut(),
        };
        let outcome = run.run().await;
        self.blocked = run.blocked.or(self.blocked.take());
        outcome?;
        if self.steps.len() == 1 {
            return Ok(());
        }
        let migration = self.context.file.migration;
        if let Some(notes) = &mut self.notes
            && notes.is_writable
        {
            *notes = notes
                .without_begun(migration)
                .with_steps(migration, number + 1, self.steps.len());
            let noting = worker.client().batch_execute(&as_ourselves(notes)).await;
            noting.map_err(Failure::of_connection)?;
        }
        Ok(())
    }

    async fn run_transaction(
        &mut self,
        worker: &Connection,
        number: usize,
        step: &Step,
    ) -> Result<(), Failure> {
        let Context {
            config,
            snapshot,
            progress,
            guard,
            file,
        } = self.context;
        let Some(before) = self.notes.clone() else {
            return Err(Failure::Unconfirmed(file.migration.label.clone()));
        };
        let after = if before.is_writable {
            before.with_steps(file.migration, number + 1, self.steps.len())
        } else {
            before.clone()
        };
        let script = Script {
            config,
            snapshot,
            reads_backslashes_literally: worker.reads_backslashes_literally(),
            prepare_history: &[],
            last_version: None,
            rows: 0,
            shares_history: true,
        };
        let locked_tables = tables_to_queue_for(config, progress, &step.locked_tables);
        let part = Part {
            migration: file.migration,
            settings: &file.contents.settings[..step.settings],
            pieces: &step.pieces,
            record: script.step_record(&after),
            between: Vec::new(),
        };
        let modes = if number == 0 {
            file.contents.modes.clone()
        } else {
            TransactionModes::default()
        };
        let opening = script.step_opening(&before, &modes, &locked_tables);
        let closing = Script::step_closing(&after, number + 1);
        let sending = transmit(worker, snapshot.ledger, opening, [part], closing);
        let mine = steps_lock(snapshot.ledger, &snapshot.schema);
        let mut watcher = Watcher::new(config, progress, worker.host(), mine, &file.migration.label);
        let bytes = step.pieces.iter().map(crate::sql::Piece::size).sum();
        let outcome = while_guarded(guard, worker, Box::pin(watcher.over(bytes, sending))).await?;
        let outcome = outcome.unwrap_or_else(|dead| Err(Failure::Lost(dead)));
        let (blocked, cancelled_after) = (watcher.last, watcher.cancelled_after);
        let failure = match outcome {
            Ok(Some(confirmation)) if confirmation.value == Some((number + 1).to_string()) => {
                self.notes = Some(after);
                return Ok(());
            }
            Ok(_) => Failure::Unconfirmed(file.migration.label.clone()),
            Err(failure) => failure,
        };
        self.blocked = blocked;
        // So that the session can be used, and its locks are free.
        let rolling_back = worker.client().batch_execute("ROLLBACK; RESET ALL");
        let _ = timeout(ATTEMPT_LIMIT, rolling_back).await;
        match (failure, cancelled_after) {
            (Failure::Rejected(rejection), Some(waited))
                if rejection.sql_state == SqlState::QUERY_CANCELED =>
            {
                Err(Failure::OverBudget(rejection.label, waited))
            }
            (Failure::BehindLongRunning(label), _) => {
                let looking = find_long_running(worker, &locked_tables, config.lock_budget);
                let found = timeout(ATTEMPT_LIMIT, looking).await;
                self.blocked = found.ok().and_then(Result::ok).flatten();
                Err(Failure::BehindLongRunning(label))
            }
            (failure, _) => Err(failure),
        }
    }

    /// Notes for the report and for a signal what has run before step `number`.
    fn note_position(&self, number: usize) {
        let total = self.steps.len();
        if total > 1 && number > 0 {
            self.context.progress.lock().leftovers = Some(self.position(number));
        }
    }

    fn position(&self, number: usize) -> String {
        let total = self.steps.len();
        let is_noted = self.notes.as_ref().is_none_or(|notes| notes.is_writable);
        let what = match number {
            0 => return format!("step 1 of {total}; none has run before it"),
            1 => format!("step 1 of {total} has run and stays"),
            done => format!("steps 1 to {done} of {total} have run and stay"),
        };
        if is_noted {
            format!("{what}; the next run continues with step {}", number + 1)
        } else {
            format!("{what}; the next run begins with the first again")
        }
    }

    /// The failure of step `number`, with what has run before it.
    fn place(&self, mut failure: Failure, number: usize) -> Failure {
        if self.steps.len() > 1 {
            let rejection = match &mut failure {
                Failure::Rejected(rejection) => Some(rejection),
                Failure::Fatal(error) => match &mut **error {
                    Error::Migration { rejection, .. } => Some(rejection),
                    _ => None,
                },
                _ => None,
            };
            if let Some(rejection) = rejection {
                rejection.position = Some(self.position(number));
            }
        }
        failure
    }
}

/// The last attempt queues for its locks in any case: it may get them before `MIGRATE_LOCK_TIMEOUT`.
pub(super) fn tables_to_queue_for(
    config: &Config,
    progress: &Progress,
    tables: &LockedTables,
) -> LockedTables {
    let is_last_attempt = progress.lock().lock_conflicts + 1 >= config.lock_retries;
    if is_last_attempt || config.lock_budget.is_zero() {
        LockedTables::new()
    } else {
        tables.clone()
    }
}
