//! Resolving a migration by decision of the operator: it counts as applied, or as pending.

use tokio::time::timeout;
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::{ATTEMPT_LIMIT, AttemptError};
use zerostarter_connect::connect::connect;

use super::error::Error;
use super::migrator::Migrator;
use super::pass_end::{PassEnd, pass_end};
use super::reading;
use super::retries::Retries;
use super::script::{Script, check_row};
use super::transmission::ask;
use crate::ledger::{Notes, Snapshot, StepsDone, check_privileges};
use crate::source::Migration;
use crate::watch::catalog_query::{rows, text};

/// What the operator has found out about a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It has run: record it.
    Applied,
    /// It has not run, or shall run again.
    Pending,
}

/// What resolving a migration changes, to be shown before it is done.
#[derive(Debug)]
pub struct Resolve<'a> {
    migrator: &'a Migrator,
    connection: Connection,
    snapshot: Snapshot,
    migration: &'a Migration,
    statements: Vec<String>,
    /// One line for each change; empty if there is nothing to change.
    pub changes: Vec<String>,
}

impl Migrator {
    /// Finds out what resolving the migration with `version` changes. Changes nothing.
    ///
    /// # Errors
    ///
    /// See [`Error`]: among others, no migration has this version, or the history table has another migration with it.
    pub async fn resolve(&self, version: i64, resolution: Resolution) -> Result<Resolve<'_>, Error> {
        let migrations = self.migrations();
        let index = migrations.binary_search_by_key(&version, Migration::version);
        let migration = &migrations[index.map_err(|_| Error::UnknownVersion {
            version,
            newest: migrations.last().map(|migration| migration.label.clone()),
        })?];
        let retries = Retries::new(self.config(), self.ledger());
        let connection = connect(&self.config().database, retries.connect_deadline()).await?;
        let snapshot = self.snapshot_or_error(&connection).await?;
        let row = snapshot.applied().iter().find(|row| row.version == version);
        let is_recorded = match row {
            Some(row) if row.is_same_as(migration) => true,
            Some(_) => {
                return Err(self
                    .compare(&snapshot)
                    .map_or_else(Error::from, |_| Error::Edited(version)));
            }
            None => false,
        };
        if snapshot.history.is_none() {
            return Err(Error::NoHistory);
        }
        check_privileges(&snapshot).map_err(crate::ledger::Error::from)?;
        let table = snapshot.history_table();
        let found = within_limit(rows(&connection, &Notes::query(&table))).await?;
        let comment = found.first().and_then(|row| text(row, 0));
        let notes = Notes::new(&table, comment, true);
        let (mut changes, mut statements) = (Vec::new(), Vec::new());
        let label = &migration.label;
        match resolution {
            // Only one of its steps was in doubt.
            Resolution::Applied if unfinished_after(&notes, migration).is_some() => {}
            Resolution::Applied if !is_recorded => {
                changes.push(format!("add {label} to {table}, without running it"));
                statements.push(snapshot.ledger.record(&table, migration));
                statements.push(check_row(&snapshot, migration));
            }
            Resolution::Pending if is_recorded => {
                let last = snapshot.applied().last().filter(|last| last.version != version);
                if let Some(last) = last.filter(|_| !migration.may_be_late()) {
                    return Err(Error::NotLast {
                        label: label.clone(),
                        last: last.label(),
                    });
                }
                changes.push(format!(
                    "remove {label} from {table}: the next run applies it again"
                ));
                statements.push(snapshot.ledger.remove(&table, migration));
            }
            Resolution::Applied | Resolution::Pending => {}
        }
        let left = match (resolution, unfinished_after(&notes, migration)) {
            (Resolution::Applied, Some(StepsDone { done, total, .. })) => {
                changes.push(format!(
                    "note that step {done} of {total} of {label} has run: the next run continues after it"
                ));
                notes.without_begun(migration).with_steps(migration, done, total)
            }
            (Resolution::Pending, _) if notes.has_begun(migration) => {
                changes.push(format!("remove the note that {label} was begun"));
                notes.without_begun(migration)
            }
            _ => {
                if notes.has_begun(migration) {
                    changes.push(format!("remove the note that {label} was begun"));
                }
                if let Some(StepsDone { done, total, .. }) = notes.steps_done(migration) {
                    changes.push(format!(
                        "remove the note that {done} of {total} steps of {label} have run"
                    ));
                }
                notes.without(migration)
            }
        };
        if left != notes {
            statements.push(left.write());
        }
        Ok(Resolve {
            migrator: self,
            connection,
            snapshot,
            migration,
            statements,
            changes,
        })
    }

    async fn snapshot_or_error(&self, connection: &Connection) -> Result<Snapshot, Error> {
        reading::read(connection, self.config(), self.ledger())
            .await
            .map_err(|end| error_of(end, self))
    }
}

impl Resolve<'_> {
    /// Makes the changes, in one transaction under the migrators' lock.
    ///
    /// # Errors
    ///
    /// See [`Error`]: among others, another migrator holds the lock, or the history table has changed meanwhile.
    pub async fn execute(self) -> Result<(), Error> {
        let script = Script {
            config: self.migrator.config(),
            snapshot: &self.snapshot,
            reads_backslashes_literally: true,
            create_history: None,
            last_version: self.snapshot.applied().last().map(|row| row.version),
        };
        let ledger = self.snapshot.ledger;
        let statements = script.resolving(self.statements);
        let asking = ask(&self.connection, ledger, self.migration, statements);
        let limit = self.migrator.config().query_limit();
        let outcome = match timeout(limit, asking).await {
            Ok(outcome) => outcome.map(drop),
            Err(_) => Err(super::failure::Failure::Lost(AttemptError::TimedOut(limit))),
        };
        let end = outcome.map_err(|failure| pass_end(failure, None, &self.snapshot.schema));
        self.connection.close().await;
        end.map_err(|end| error_of(end, self.migrator))
    }
}

/// What is known of the steps of `migration` after the one that was begun, if others follow it.
fn unfinished_after(notes: &Notes, migration: &Migration) -> Option<StepsDone> {
    let mut steps = notes
        .steps_done(migration)
        .filter(|_| notes.has_begun(migration))?;
    steps.done += 1;
    (steps.done < steps.total).then_some(steps)
}

async fn within_limit<T>(query: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
    let failed = |source| Error::Database {
        doing: "reading the comment of the history table",
        source,
    };
    match timeout(ATTEMPT_LIMIT, query).await {
        Ok(outcome) => outcome.map_err(failed),
        Err(_) => Err(Error::Engine(AttemptError::TimedOut(ATTEMPT_LIMIT).to_string())),
    }
}

/// A person waits for the answer, so nothing is retried.
fn error_of(end: PassEnd, migrator: &Migrator) -> Error {
    match end {
        PassEnd::Fatal(error) => error,
        PassEnd::Lost(lost) => Error::Connect(zerostarter_connect::Error::Unreachable {
            server: migrator.config().database.url.servers(),
            waited: std::time::Duration::ZERO,
            source: Box::new(lost),
        }),
        PassEnd::Contended { reason, holder, .. } => Error::Locked {
            waited: std::time::Duration::ZERO,
            reason,
            holder,
        },
        PassEnd::LockConflict(conflict) => Error::HistoryLocked {
            answer: conflict.reason,
            holder: None,
        },
    }
}
