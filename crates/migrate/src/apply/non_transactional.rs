//! A non-transactional migration: it runs on a second connection, the worker, while the first one, the guard, holds the
//! migrators' lock in an open transaction.
//!
//! Invariant: nothing is sent on the guard while the statement runs. Each statement on it would take a snapshot, and
//! `CREATE INDEX CONCURRENTLY` waits for every transaction with an older snapshot.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{sleep, timeout};
use tokio_postgres::error::SqlState;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError, is_transient};

use super::error::Error;
use super::failure::Failure;
use super::leftovers::{self, Leftovers, tag, workers_lock};
use super::message::Message;
use super::script::clean_up;
use super::worker;
use crate::config::Config;
use crate::ledger::{
    self, Conflict, Snapshot, advisory_key, comment_query, has_note, set_comment, with_note,
};
use crate::source::Migration;
use crate::sql::non_transactional::Effect;
use crate::sql::{Contents, NonTransactional, Piece};
use crate::watch::catalog_query::{rows, text};
use crate::watch::{LockWait, Progress, Watcher};

/// How often to check whether the guard is still connected.
const GUARD_INTERVAL: Duration = Duration::from_millis(100);

/// How long the server may take to cancel a statement whose guard is lost, or to report its leftovers.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);

/// One such migration, and what is needed to run it.
pub(crate) struct NonTransactionalRun<'a> {
    pub(crate) config: &'a Config,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) progress: &'a Progress,
    pub(crate) guard: &'a Connection,
    pub(crate) file: &'a Migration,
    pub(crate) contents: &'a Contents,
    pub(crate) statement: &'a NonTransactional,
    /// The last lock that the statement was seen to wait for.
    pub(crate) blocked: Option<LockWait>,
    /// Removes the note that the statement was begun.
    pub(crate) remove_note: Option<String>,
}

impl<'a> NonTransactionalRun<'a> {
    /// Runs the statement, or finds that an earlier attempt has completed it.
    pub(crate) async fn run(&mut self) -> Result<(), Failure> {
        let worker = worker::open(self.guard.host(), self.config, self.snapshot, self.statement).await?;
        self.progress.lock().canceller = Some(worker.canceller().clone());
        let outcome = self.run_on(&worker).await;
        self.progress.lock().canceller = Some(self.guard.canceller().clone());
        worker.close().await;
        outcome
    }

    async fn run_on(&mut self, worker: &Connection) -> Result<(), Failure> {
        let label = &self.file.label;
        match self.find_leftovers(worker).await? {
            Leftovers::Nothing => {
                if let Effect::Unknown { commits } = self.statement.effect {
                    return self.send_noted(worker, commits).await;
                }
                self.send(worker, self.file_message(worker)?).await
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
                    self.send(worker, self.own_message(worker, &drop)).await?;
                }
                self.send(worker, self.file_message(worker)?).await
            }
            Leftovers::Pending { what, finish } => {
                tracing::warn!(
                    migration = label,
                    "an earlier attempt at {label} was interrupted: {what}; finishing it"
                );
                self.send(worker, self.own_message(worker, &finish)).await
            }
            Leftovers::InProgress(who) => Err(Failure::InProgress(who)),
            Leftovers::Different { what, hint } => {
                let path = self.file.path.clone();
                let conflict = Conflict::Occupied { path, what, hint };
                Err(Failure::fatal(ledger::Error::Conflicts(vec![conflict])))
            }
        }
    }

    /// Notes that the statement was begun, and runs it. The note stays if the statement may have committed a part of its work.
    async fn send_noted(&mut self, worker: &Connection, commits: bool) -> Result<(), Failure> {
        let table = self.snapshot.history_table();
        let query = comment_query(&table);
        let found = timeout(ATTEMPT_LIMIT, rows(worker, &query)).await;
        let found = found.map_err(|_| Failure::Lost(AttemptError::TimedOut(ATTEMPT_LIMIT)))?;
        let found = found.map_err(Failure::of_connection)?;
        let comment = found.first().and_then(|row| text(row, 0));
        if has_note(comment.as_deref(), self.file) {
            let path = self.file.path.clone();
            let conflict = Conflict::Begun { path };
            return Err(Failure::fatal(ledger::Error::Conflicts(vec![conflict])));
        }
        let note = with_note(comment.as_deref(), self.file);
        let noting = worker
            .client()
            .batch_execute(&set_comment(&table, Some(&note)))
            .await;
        match noting {
            Ok(()) => self.remove_note = Some(set_comment(&table, comment.as_deref())),
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => tracing::warn!(
                migration = self.file.label,
                "this role does not own the history table, so it cannot note there that {} was begun; \
                 after an interruption the next run begins it again",
                self.file.label
            ),
            Err(error) => return Err(Failure::of_connection(error)),
        }
        let outcome = self.send(worker, self.file_message(worker)?).await;
        if let Err(Failure::Lost(_)) = outcome {
            return outcome;
        }
        // A procedure may have left something in the session, which a pool gives to others.
        let mut cleaning = clean_up([self.contents]);
        let is_undecided = match &outcome {
            Ok(()) => false,
            // Without a context, the server refused the statement before it ran anything.
            Err(Failure::Rejected(rejection)) => commits && rejection.context.is_some(),
            Err(_) => commits && !matches!(outcome, Err(Failure::Stopped)),
        };
        if outcome.is_err() && !is_undecided {
            cleaning.extend(self.remove_note.take());
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

    async fn find_leftovers(&self, worker: &Connection) -> Result<Leftovers, Failure> {
        let tag = self.tag();
        let found = timeout(ATTEMPT_LIMIT, leftovers::find(worker, self.statement, &tag)).await;
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
        tag(
            advisory_key(self.snapshot.ledger, &self.snapshot.schema),
            self.file.version(),
        )
    }

    fn file_message(&self, worker: &Connection) -> Result<Message<'a>, Failure> {
        let sql = self.file.sql().map_err(Failure::fatal)?;
        let mut message = Message::new(worker, self.snapshot.ledger, self.file);
        message.push_tag(&self.tag());
        for piece in &self.contents.pieces {
            if let Piece::Statements { span, count } = piece {
                message.push_piece(&sql, span.clone(), *count);
            }
        }
        Ok(message)
    }

    fn own_message(&self, worker: &Connection, statement: &str) -> Message<'a> {
        let mut message = Message::new(worker, self.snapshot.ledger, self.file);
        message.push_tag(&self.tag());
        message.push_tag(statement);
        message
    }

    /// Runs one statement while the guard is connected.
    async fn send(&mut self, worker: &Connection, message: Message<'_>) -> Result<(), Failure> {
        if self.progress.lock().is_stopping {
            return Err(Failure::Stopped);
        }
        let tag = self.tag();
        let mut watcher = Watcher::new(
            self.config,
            self.progress,
            worker.host(),
            workers_lock(&tag),
            &self.file.label,
        );
        let commits = matches!(self.statement.effect, Effect::Unknown { commits: true });
        if !self.statement.blocks_readers || commits {
            watcher.remove_budget();
        }
        let outcome = {
            let work = pin!(watcher.over(
                message.text().len(),
                worker.client().batch_execute(message.text())
            ));
            match select(work, pin!(self.lose_guard())).await {
                Either::Left((outcome, _)) => outcome.map_err(Failure::Lost)?,
                Either::Right((lost, work)) => {
                    // Without the lock, another migrator may begin the same statement.
                    worker.canceller().cancel().await;
                    let _ = timeout(RECOVERY_LIMIT, work).await;
                    return Err(Failure::Lost(AttemptError::Postgres(lost)));
                }
            }
        };
        let Err(error) = outcome else {
            return Ok(());
        };
        let cancelled_after = watcher.cancelled_after;
        self.blocked = watcher.last;
        match message.failure(error, 0) {
            Failure::Rejected(mut rejection) => {
                let looking = timeout(RECOVERY_LIMIT, self.find_leftovers(worker));
                let leftovers = looking.await.ok().and_then(Result::ok);
                let leftovers = leftovers.map_or_else(
                    || "the next run looks for its leftovers".to_owned(),
                    |leftovers| leftovers.describe(),
                );
                self.progress.lock().leftovers = Some(leftovers.clone());
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

    /// Ends when the guard's connection is closed, with the driver's error.
    async fn lose_guard(&self) -> tokio_postgres::Error {
        let client = self.guard.client();
        loop {
            if client.is_closed()
                && let Err(error) = client.batch_execute("").await
            {
                return error;
            }
            sleep(GUARD_INTERVAL).await;
        }
    }
}
