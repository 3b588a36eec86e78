//! Resolving a migration by decision of the operator: it counts as applied, or as pending.

use zerostarter_connect::Connection;
use zerostarter_connect::connect::connect;

use super::decision::{Decision, error_of, within_limit};
use super::error::Error;
use super::migrator::Migrator;
use super::reading;
use super::retries::Retries;
use super::script::check_row;
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

impl Migrator {
    /// Finds out what resolving the migration with `version` changes. Changes nothing.
    ///
    /// # Errors
    ///
    /// See [`Error`]: among others, no migration has this version, or the history table has another migration with it.
    pub async fn resolve(&self, version: i64, resolution: Resolution) -> Result<Decision<'_>, Error> {
        let migrations = self.migrations();
        let index = migrations
            .iter()
            .position(|migration| migration.version() == version);
        let index = index.ok_or_else(|| Error::UnknownVersion {
            version,
            newest: migrations.last().map(|migration| migration.label.clone()),
        })?;
        let migration = &migrations[index];
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
        let query = Notes::query(&table);
        let reading = rows(&connection, &query);
        let found = within_limit("reading the comment of the history table", reading).await?;
        let comment = found.first().and_then(|row| text(row, 0));
        let notes = Notes::new(&table, comment, true);
        let (mut changes, mut statements) = (Vec::new(), Vec::new());
        let label = &migration.label;
        match resolution {
            // Only one of its steps was in doubt.
            Resolution::Applied if unfinished_after(&notes, migration).is_some() => {}
            Resolution::Applied if !is_recorded => {
                changes.push(format!("add {label} to {table}, without running it"));
                statements.push(
                    snapshot
                        .ledger
                        .record(&table, migration, snapshot.drizzle.has_names),
                );
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
        Ok(Decision {
            migrator: self,
            connection,
            snapshot,
            migration: index,
            preparation: Vec::new(),
            statements,
            changes,
        })
    }

    pub(super) async fn snapshot_or_error(&self, connection: &Connection) -> Result<Snapshot, Error> {
        reading::read(connection, self.config(), self.ledger(), self.migrations())
            .await
            .map_err(|end| error_of(end, self))
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
