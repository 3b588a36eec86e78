//! Recording migrations of a folder of drizzle-kit without running them.

use zerostarter_connect::Connection;
use zerostarter_connect::connect::connect;

use super::decision::{Decision, within_limit};
use super::error::Error;
use super::facts::find_objects;
use super::migrator::Migrator;
use super::retries::Retries;
use super::script::check_row;
use crate::config::Target;
use crate::ledger::{self, Conflict, Facts, Snapshot, StepsDone, check_privileges, names};

/// Which migrations are recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// All up to the one with this label.
    To(String),
    /// The one with this label.
    Only(String),
    /// As many as the database has, from the first on.
    Existing,
}

impl Migrator {
    /// Finds out which migrations are to be recorded, and checks that the database has what they create, unless
    /// `is_unchecked`. Changes nothing.
    ///
    /// # Errors
    ///
    /// See [`Error`]: among others, the migrations are not a folder of drizzle-kit, or the database lacks something.
    pub async fn adopt(&self, adoption: &Adoption, is_unchecked: bool) -> Result<Decision<'_>, Error> {
        if self.ledger().own_schema().is_none() {
            return Err(Error::NothingToAdopt);
        }
        let retries = Retries::new(self.config(), self.ledger());
        let connection = connect(&self.config().database, retries.connect_deadline()).await?;
        let snapshot = self.snapshot_or_error(&connection).await?;
        check_privileges(&snapshot).map_err(ledger::Error::from)?;
        let mut facts = Facts::of_all(self.migrations());
        let looking = find_objects(connection.client(), &mut facts, &snapshot.schema);
        within_limit("looking for the objects of migrations", looking).await?;
        let unrecorded = self.unrecorded(&snapshot, adoption, &facts)?;
        if !is_unchecked {
            self.check_existence(&unrecorded, &facts)?;
        }
        Ok(self.decide(connection, snapshot, &unrecorded))
    }

    /// The migrations to record, as indexes.
    fn unrecorded(
        &self,
        snapshot: &Snapshot,
        adoption: &Adoption,
        facts: &Facts,
    ) -> Result<Vec<usize>, Error> {
        let migrations = self.migrations();
        let find = |label: &String| {
            let found = migrations.iter().rposition(|migration| migration.label == *label);
            found.ok_or_else(|| Error::UnknownTarget {
                target: Target::Label(label.clone()),
                newest: migrations.last().map(|migration| migration.label.clone()),
            })
        };
        let range = match adoption {
            Adoption::To(label) => 0..find(label)? + 1,
            Adoption::Only(label) => {
                let index = find(label)?;
                index..index + 1
            }
            Adoption::Existing => {
                let existing = (0..migrations.len()).take_while(|index| facts.missing(*index).is_empty());
                0..existing.count()
            }
        };
        let rows = self.comparison(snapshot).rows;
        let is_recorded = |index: &usize| rows.get(*index).copied().flatten().is_some();
        Ok(range.filter(|index| !is_recorded(index)).collect())
    }

    fn check_existence(&self, indexes: &[usize], facts: &Facts) -> Result<(), ledger::Error> {
        let conflicts: Vec<Conflict> = indexes
            .iter()
            .filter_map(|index| {
                let missing = facts.missing(*index);
                (!missing.is_empty()).then(|| Conflict::NotThere {
                    label: self.migrations()[*index].label.clone(),
                    missing: names(&missing),
                })
            })
            .collect();
        if conflicts.is_empty() {
            Ok(())
        } else {
            Err(ledger::Error::Conflicts(conflicts))
        }
    }

    fn decide(&self, connection: Connection, snapshot: Snapshot, indexes: &[usize]) -> Decision<'_> {
        let migrations = self.migrations();
        let table = snapshot.history_table();
        let preparation = if indexes.is_empty() {
            Vec::new()
        } else {
            snapshot.prepare_drizzle(migrations)
        };
        let has_names = snapshot.drizzle.has_names || snapshot.ledger.has_names_after_upgrade();
        let (mut statements, mut changes) = (Vec::new(), Vec::new());
        let notes = snapshot.notes();
        let mut left = notes.clone();
        for index in indexes {
            let migration = &migrations[*index];
            statements.push(snapshot.ledger.record(&table, migration, has_names));
            statements.push(check_row(&snapshot, migration));
            changes.push(format!(
                "record {} in {table}, without running it",
                migration.label
            ));
            if let Some(StepsDone { done, total, .. }) = left.steps_done(migration) {
                let label = &migration.label;
                changes.push(format!(
                    "remove the note that {done} of {total} steps of {label} have run"
                ));
                left = left.without(migration);
            }
        }
        if left != notes {
            statements.push(left.write());
        }
        Decision {
            migrator: self,
            connection,
            snapshot,
            migration: indexes.last().map_or(0, |index| *index),
            preparation,
            statements,
            changes,
        }
    }
}
