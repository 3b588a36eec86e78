//! The history table: the record of applied migrations.
//!
//! A [`Ledger`] is one kind of such a table: its name, how its rows are read and compared, and the SQL that checks and
//! confirms them. How a row is written depends on who drives the run; refinery's `Runner` brings its own INSERT.

mod applied;
mod comparison;
mod drizzle;
mod error;
mod facts;
mod kind;
mod lock;
mod matching;
mod notes;
mod objects;
mod privileges;
mod snapshot;
mod trust;

pub use self::applied::Applied;
pub use self::comparison::{Comparison, Conflict, State};
pub(crate) use self::drizzle::names;
pub use self::drizzle::{OutOfOrder, Policy};
pub use self::error::Error;
pub(crate) use self::facts::Facts;
pub(crate) use self::kind::CONFIRMATION;
pub use self::kind::Ledger;
pub use self::lock::advisory_key;
pub(crate) use self::lock::{LOCK_TAKEN, raise_unless, steps_key, take_or_raise};
use self::matching::upgrade;
pub(crate) use self::notes::{Noted, Notes, StepsDone};
pub(crate) use self::objects::Objects;
pub use self::privileges::Denial;
pub(crate) use self::privileges::check_privileges;
pub(crate) use self::snapshot::schema_of_history;
pub use self::snapshot::{Snapshot, SnapshotQuery, read};
pub use self::trust::Untrusted;
pub(crate) use self::trust::{Access, Scrutiny, lock, may_act_as_us, raise_if_untrusted};

use crate::source::Migration;

impl Snapshot {
    /// The statements that create Drizzle's table or upgrade it for drizzle-kit 1.0, as that does; none if it is as it should be.
    pub(crate) fn prepare_drizzle(&self, migrations: &[Migration]) -> Vec<String> {
        let table = self.history_table();
        if self.history.is_none() {
            return self.ledger.create(&table, self.drizzle.has_schema);
        }
        if self.drizzle.has_names || !self.ledger.has_names_after_upgrade() {
            return Vec::new();
        }
        upgrade(&table, self.applied(), migrations)
    }

    /// The notes in the comment of the history table, as they were read.
    pub(crate) fn notes(&self) -> Notes {
        Notes::new(&self.history_table(), self.comment.clone(), false)
    }

    /// Compares the rows of the history table with the migrations, in the order in which those are applied.
    #[must_use]
    pub fn compare(&self, migrations: &[Migration], policy: Policy) -> Comparison {
        let noted = self.notes().all();
        let mut comparison = match self.ledger {
            Ledger::Refinery => comparison::compare(self.applied(), migrations),
            Ledger::Drizzle { .. } if self.drizzle.other_table.is_some() => self.other_table(migrations),
            Ledger::Drizzle { layout, .. } => {
                let is_begun = |file: &Migration| noted.iter().any(|noted| noted.label == file.label);
                let numbered = migrations.iter().enumerate();
                let begun = numbered
                    .filter(|(_, file)| is_begun(file))
                    .map(|(index, _)| index);
                let facts = &self.drizzle.facts;
                drizzle::compare(
                    self.applied(),
                    (migrations, &begun.collect()),
                    facts,
                    layout,
                    policy,
                )
            }
        };
        let conflicts = noted
            .into_iter()
            .filter_map(|noted| conflict_of(noted, migrations));
        comparison.conflicts.extend(conflicts);
        comparison
    }

    fn other_table(&self, migrations: &[Migration]) -> Comparison {
        let conflict = |found: &String| Conflict::OtherTable {
            found: found.clone(),
            wanted: self.history_table(),
        };
        Comparison {
            conflicts: self.drizzle.other_table.iter().map(conflict).collect(),
            states: vec![State::Pending; migrations.len()],
            rows: vec![None; migrations.len()],
            ..Comparison::default()
        }
    }
}

/// Whatever a file is now, what has run of it must not run again.
fn conflict_of(noted: Noted, migrations: &[Migration]) -> Option<Conflict> {
    let Noted { label, steps } = noted;
    let Some(file) = migrations.iter().find(|file| file.label == label) else {
        return Some(Conflict::BegunAndGone { label });
    };
    let path = file.path.clone();
    match steps {
        None => Some(Conflict::Begun { path }),
        Some(steps) if steps.checksum != file.checksum().to_string() => Some(Conflict::EditedMidway {
            path,
            done: steps.done,
            total: steps.total,
        }),
        Some(_) => None,
    }
}
