//! A statement without a transaction block, on the worker.
//!
//! Invariant: nothing is sent on the guard while the statement runs. Each statement on it would take a snapshot, and
//! `CREATE INDEX CONCURRENTLY` waits for every transaction with an older snapshot.

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError, is_transient};

use super::error::Error;
use super::failure::Failure;
use super::guard::{Context, RECOVERY_LIMIT, while_guarded};
use super::leftovers::{self, Leftovers, tag, workers_lock};
use super::message::Message;
use super::script::{RESET, as_ourselves, clean_up};
use crate::ledger::{self, Conflict, Notes, advisory_key};
use crate::sql::non_transactional::Effect;
use crate::sql::{NonTransactional, Piece, Step};
use crate::watch::{LockWait, Watcher};

/// One such statement, and what is needed to run it.
pub(crate) struct StatementRun<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) worker: &'a Connection,
    pub(crate) step: &'a Step,
    pub(crate) statement: &'a NonTransactional,
    /// Whether no step follows.
    pub(crate) is_last: bool,
    /// The last lock that the statement was seen to wait for.
    pub(crate) blocked: Option<LockWait>,
    /// The notes on the history table, if the statement depends on them.
    pub(crate) notes: Option<&'a mut Notes>,
}

impl<'a> StatementRun<'a> {
    /// Runs the statement, or finds that an earlier attempt has completed it.
    pub(crate) async fn run(&mut self) -> Result<(), Failure> {
        self.repeat_settings().await?;
        self.run_or_recover().await
    }

    /// Gives the session the settings of the file that precede the statement.
    async fn repeat_settings(&self) -> Result<(), Failure> {
        let file = self.context.file;
        if self.step.settings == 0 {
            return Ok(());
        }
        let sql = file.migration.sql().map_err(Failure::fatal)?;
        let mut message = Message::new(self.worker, self.context.snapshot.ledger, file.migration);
        for setting in &file.contents.settings[..self.step.settings] {
            message.push_piece(&sql, setting.clone(), 1);
        }
        let setting = timeout(ATTEMPT_LIMIT, self.worker.client().batch_execute(message.text())).await;
        let outcome = setting.map_err(|_| Failure::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT)))?;
        outcome.map_err(|error| message.failure(error, 0))
    }

    async fn run_or_recover(&mut self) -> Result<(), Failure> {
        let migration = self.context.file.migration;
        let label = &migration.label;
        match self.find_leftovers().await? {
            Leftovers::Nothing => {
                if let Effect::Unknown { commits } = self.statement.effect {
                    return self.send_noted(commits).await;
                }
                self.send(self.file_message()?).await
            }
            Leftovers::Complete(what) => {
                tracing::info!(migration = label, "{label} is already done: {what}");
                Ok(())
            }
            Leftovers::Invalid(indexes) => {
                for index in indexes {
                    tracing::warn!(
                        migration = label,
                        index,
                        "an earlier attempt at {label} was interrupted; dropping the invalid index {index} that it left"
                    );
                    let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {index}");
                    self.send(self.own_message(&drop)).await?;
                }
                self.send(self.file_message()?).await
            }
            Leftovers::Pending { what, finish } => {
                tracing::warn!(
                    migration = label,
                    "an earlier attempt at {label} was interrupted: {what}; finishing it"
                );
                self.send(self.own_message(&finish)).await
            }
            Leftovers::InProgress(who) => Err(Failure::InProgress(who)),
            Leftovers::Different { what, hint } => {
                let path = migration.path.clone();
                let conflict = Conflict::Occupied { path, what, hint };
                Err(Failure::fatal(ledger::Error::Conflicts(vec![conflict])))
            }
        }
    }

    /// Notes that the statement was begun, and runs it. The note stays if the statement may have committed a part of its work.
    async fn send_noted(&mut self, commits: bool) -> Result<(), Failure> {
        let worker = self.worker;
        let before = self.notes.as_deref().cloned().filter(|notes| notes.is_writable);
        if let (Some(before), Some(notes)) = (&before, &mut self.notes) {
            **notes = before.with_begun(self.context.file.migration);
            let noting = worker.client().batch_execute(&as_ourselves(notes)).await;
            noting.map_err(Failure::of_connection)?;
            self.repeat_settings().await?;
        }
        let outcome = self.send(self.file_message()?).await;
        if let Err(Failure::Lost(_)) = outcome {
            return outcome;
        }
        // A procedure may have left something in the session, which a pool gives to others. Temporary objects may be for the
        // steps that follow.
        let mut cleaning = if self.is_last || outcome.is_err() {
            clean_up([&self.context.file.contents])
        } else {
            RESET.map(str::to_owned).to_vec()
        };
        let is_undecided = match &outcome {
            Ok(()) => false,
            // Without a context, the server refused the statement before it ran anything.
            Err(Failure::Rejected(rejection)) => commits && rejection.context.is_some(),
            Err(_) => commits && !matches!(outcome, Err(Failure::Stopped)),
        };
        if outcome.is_err() && !is_undecided {
            cleaning.extend(before.as_ref().map(Notes::write));
        }
        worker
            .client()
            .batch_execute(&cleaning.join(";\n"))
            .await
            .map_err(Failure::of_connection)?;
        match outcome {
            // Another attempt would do again what it has committed.
            Err(Failure::Rejected(mut rejection)) if commits => {
                rejection.leftovers = Some(if is_undecided {
                    "what it committed before the error stays; the next run exits with 6 until zerostarter-db resolve"
                        .to_owned()
                } else {
                    "nothing of it has run".to_owned()
                });
                Err(Failure::fatal(Error::Migration {
                    rejection,
                    applied: Vec::new(),
                }))
            }
            outcome => outcome,
        }
    }

    async fn find_leftovers(&self) -> Result<Leftovers, Failure> {
        let tag = self.tag();
        let found = timeout(ATTEMPT_LIMIT, leftovers::find(self.worker, self.statement, &tag)).await;
        let found = found.map_err(|_| Failure::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT)))?;
        found.map_err(|error| {
            if is_transient(&error) {
                Failure::Lost(AttemptError::Postgres(error))
            } else {
                Failure::fatal(Error::Database {
                    doing: "looking for leftovers of an earlier attempt",
                    source: error,
                })
            }
        })
    }

    fn tag(&self) -> String {
        let Context { snapshot, file, .. } = self.context;
        tag(
            advisory_key(snapshot.ledger, &snapshot.schema),
            file.migration.version(),
        )
    }

    fn file_message(&self) -> Result<Message<'a>, Failure> {
        let sql = self.context.file.migration.sql().map_err(Failure::fatal)?;
        let mut message = self.own_message("");
        for piece in &self.step.pieces {
            if let Piece::Statements { span, count } = piece {
                message.push_piece(&sql, span.clone(), *count);
            }
        }
        Ok(message)
    }

    fn own_message(&self, statement: &str) -> Message<'a> {
        let Context { snapshot, file, .. } = self.context;
        let mut message = Message::new(self.worker, snapshot.ledger, file.migration);
        message.push_tag(&self.tag());
        message.push_tag(statement);
        message
    }

    /// Runs one statement while the guard is connected.
    async fn send(&mut self, message: Message<'_>) -> Result<(), Failure> {
        let Context {
            config,
            progress,
            guard,
            file,
            ..
        } = self.context;
        if progress.lock().is_stopping {
            return Err(Failure::Stopped);
        }
        let (worker, tag) = (self.worker, self.tag());
        let mine = workers_lock(&tag);
        let mut watcher = Watcher::new(config, progress, worker.host(), mine, &file.migration.label);
        let commits = matches!(self.statement.effect, Effect::Unknown { commits: true });
        if !self.statement.blocks_readers || commits {
            watcher.remove_budget();
        }
        let work = watcher.over(
            message.text().len(),
            worker.client().batch_execute(message.text()),
        );
        let outcome = while_guarded(guard, worker, work).await?.map_err(Failure::Lost)?;
        let Err(error) = outcome else {
            return Ok(());
        };
        let cancelled_after = watcher.cancelled_after;
        self.blocked = watcher.last;
        match message.failure(error, 0) {
            Failure::Rejected(mut rejection) => {
                let looking = timeout(RECOVERY_LIMIT, self.find_leftovers());
                let leftovers = looking.await.ok().and_then(Result::ok);
                let leftovers = leftovers.map_or_else(
                    || "the next run looks for its leftovers".to_owned(),
                    |leftovers| leftovers.describe(),
                );
                progress.lock().leftovers = Some(leftovers.clone());
                rejection.leftovers = Some(leftovers);
                match cancelled_after {
                    Some(waited) if rejection.sql_state == SqlState::QUERY_CANCELED => {
                        Err(Failure::OverBudget(rejection.label, waited))
                    }
                    _ => Err(Failure::Rejected(rejection)),
                }
            }
            failure => Err(failure),
        }
    }
}
