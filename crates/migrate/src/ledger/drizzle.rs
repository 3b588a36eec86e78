//! The comparison of Drizzle's table with a folder of drizzle-kit: by identity, not by the newest time.
//!
//! Drizzle forgets a migration that is older than the newest one, without a word. It is right wherever it does not: edits,
//! removed files and squashing under the old time are practice. So those are warnings here.

use std::collections::BTreeSet;

use super::applied::Applied;
use super::comparison::{Comparison, Conflict, State};
use super::facts::{Facts, newest};
use super::matching::{Evidence, Matching};
use crate::source::{Layout, Migration, readable};
use crate::sql::{Object, ObjectKind, Outline};

/// `MIGRATE_OUT_OF_ORDER`: what to do about a migration of a Drizzle folder that is older than the newest applied one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutOfOrder {
    /// Apply it if it only creates what does not exist.
    #[default]
    Auto,
    /// Apply it.
    Apply,
    /// Warn, and do not apply it.
    Skip,
    /// Treat it as a conflict.
    Refuse,
}

/// What decides, beside table, folder and database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `MIGRATE_OUT_OF_ORDER`.
    pub out_of_order: OutOfOrder,
    /// `MIGRATE_STRICT`: warnings are conflicts.
    pub strict: bool,
}

/// How many objects a message names.
const NAMED: usize = 8;

/// Compares the rows of Drizzle's table with the folder, of which `begun` are the migrations that an earlier run has begun.
pub(super) fn compare(
    rows: &[Applied],
    (migrations, begun): (&[Migration], &BTreeSet<usize>),
    facts: &Facts,
    layout: Layout,
    policy: Policy,
) -> Comparison {
    let mut judge = Judge {
        rows,
        migrations,
        begun,
        facts,
        layout,
        policy,
        comparison: Comparison {
            states: vec![State::Pending; migrations.len()],
            rows: vec![None; migrations.len()],
            ..Comparison::default()
        },
    };
    if rows.is_empty() {
        judge.judge_new();
    } else {
        let matching = Matching::of(rows, migrations);
        if matching.has_any() {
            judge.judge_known(&matching);
        } else {
            judge.judge_foreign();
        }
    }
    judge.comparison
}

struct Judge<'a> {
    rows: &'a [Applied],
    migrations: &'a [Migration],
    /// Of which some steps have run.
    begun: &'a BTreeSet<usize>,
    facts: &'a Facts,
    layout: Layout,
    policy: Policy,
    comparison: Comparison,
}

impl Judge<'_> {
    /// Nothing is recorded: the database must be new to the folder too.
    fn judge_new(&mut self) {
        let Some(first) = self.migrations.first() else {
            return;
        };
        if let Some(outline) = self
            .facts
            .outlines
            .get(&0)
            .filter(|outline| outline.is_commented_out)
        {
            let creates = outline.creates.iter().map(|(object, _)| object);
            let tables = creates.filter(|object| object.kind == ObjectKind::Table);
            let (there, missing): (Vec<&Object>, Vec<&Object>) =
                tables.partition(|object| self.facts.objects.has(object));
            if !missing.is_empty() {
                return self.comparison.conflicts.push(Conflict::CommentedOut {
                    path: first.path.clone(),
                    existing: names(&there),
                    missing: names(&missing),
                });
            }
        } else if self.facts.outlines.is_empty() && first.is_commented_out() {
            return self.comparison.conflicts.push(Conflict::CommentedOut {
                path: first.path.clone(),
                existing: String::new(),
                missing: "all its tables".to_owned(),
            });
        }
        // What exists comes from the steps that have run.
        if self.begun.is_empty()
            && let Some(existing) = self.find_existing()
        {
            return self.comparison.conflicts.push(Conflict::NotNew {
                existing: names(&existing),
                adopt: self.last_that_exists(),
            });
        }
        self.comparison.pending.extend(0..self.migrations.len());
    }

    /// The objects that a migration would create unguarded, and that exist.
    fn find_existing(&self) -> Option<Vec<&Object>> {
        let mut dropped = BTreeSet::new();
        let mut existing = Vec::new();
        let outlines = self.facts.outlines.values();
        for outline in outlines.filter(|outline| !outline.is_commented_out) {
            dropped.extend(&outline.drops);
            let unguarded = outline.creates.iter().filter(|(_, is_guarded)| !is_guarded);
            let whole = unguarded
                .map(|(object, _)| object)
                .filter(|object| object.part.is_none());
            existing
                .extend(whole.filter(|object| self.facts.objects.has(object) && !dropped.contains(object)));
        }
        (!existing.is_empty()).then_some(existing)
    }

    /// The last migration up to which everything exists that the folder creates and does not drop.
    fn last_that_exists(&self) -> Option<String> {
        let exists = |index: &usize| self.facts.missing(*index).is_empty();
        let last = self.facts.outlines.keys().copied().take_while(exists).last();
        last.map(|index| self.migrations[index].label.clone())
    }

    /// Rows, and not one of them belongs to the folder.
    fn judge_foreign(&mut self) {
        self.comparison.conflicts.push(Conflict::Foreign {
            rows: self.rows.len(),
            newest: newest(self.rows).map_or_else(|| "no time".to_owned(), readable),
        });
    }

    fn judge_known(&mut self, matching: &Matching) {
        let found = matching.of_migrations.iter();
        self.comparison.rows = found.map(|found| found.map(|(row, _)| row)).collect();
        let newest = newest(self.rows);
        let mut changed = Vec::new();
        for (index, found) in matching.of_migrations.iter().enumerate() {
            let file = &self.migrations[index];
            match found {
                Some((row, Evidence::Text)) => {
                    self.comparison.states[index] = State::Elsewhere;
                    let (recorded, ours) = (self.rows[*row].version, file.version());
                    self.warn(format!(
                        "{} is applied under another time: {} ({recorded}) in the table, {} ({ours}) in the folder",
                        file.label,
                        readable(recorded),
                        readable(ours)
                    ));
                }
                Some(_) if self.facts.changed.contains(&index) => {
                    self.comparison.states[index] = State::Changed;
                    changed.push(index);
                }
                Some(_) => self.comparison.states[index] = State::Applied,
                None if Some(file.version()) > newest => self.comparison.pending.push(index),
                None => self.judge_late(index, newest),
            }
        }
        self.judge_changed(&changed);
        self.judge_left_rows(matching);
    }

    fn judge_changed(&mut self, changed: &[usize]) {
        for index in changed {
            let Some(outline) = self.facts.outlines.get(index) else {
                continue;
            };
            let missing: Vec<&Object> = outline
                .tables_and_columns()
                .filter(|object| !self.facts.objects.has(object) && !self.facts.is_dropped(object))
                .collect();
            if !missing.is_empty() {
                self.comparison.conflicts.push(Conflict::ChangedAndMissing {
                    path: self.migrations[*index].path.clone(),
                    missing: names(&missing),
                });
            }
        }
        if !changed.is_empty() {
            let labels: Vec<&str> = changed
                .iter()
                .map(|index| &*self.migrations[*index].label)
                .collect();
            self.warn(format!("changed since they were applied: {}", labels.join(", ")));
        }
    }

    /// Rows without a migration: removed files, or a database that is ahead.
    fn judge_left_rows(&mut self, matching: &Matching) {
        let last = self.migrations.iter().map(Migration::version).max();
        let (mut removed, mut unnamed) = (Vec::new(), 0);
        for row in &matching.left_rows {
            let row = &self.rows[*row];
            if row.is_timed() && Some(row.version) > last {
                self.comparison.ahead.push(label(row));
            } else if row.is_timed() {
                removed.push(label(row));
            } else {
                unnamed += 1;
            }
        }
        if unnamed > 0 {
            self.warn(format!("{unnamed} rows of Drizzle's table have no time, and drizzle-kit 0.x would apply everything again"));
        }
        if !removed.is_empty() {
            let count = removed.len();
            removed.truncate(NAMED);
            self.warn(format!(
                "{count} applied migrations are not in the folder any more: {}{}",
                removed.join(", "),
                if count > NAMED { ", …" } else { "" }
            ));
        }
    }

    /// A migration without a row that is not newer than the newest row.
    fn judge_late(&mut self, index: usize, newest: Option<i64>) {
        let file = &self.migrations[index];
        let label = file.label.clone();
        if self.begun.contains(&index) {
            return self.comparison.pending.push(index);
        }
        self.comparison.states[index] = State::Late;
        let behind = self.newest_label(newest);
        if self.layout == Layout::Folders && self.policy.out_of_order == OutOfOrder::Auto {
            self.comparison.remarks.push(format!(
                "{label} is older than {behind}, which is applied; drizzle-kit applies it too"
            ));
            return self.comparison.pending.push(index);
        }
        let default = Outline::default();
        let outline = self.facts.outlines.get(&index).unwrap_or(&default);
        let objects = outline.creates.iter().map(|(object, _)| object);
        let (existing, missing): (Vec<&Object>, Vec<&Object>) =
            objects.partition(|object| self.facts.objects.has(object));
        let (existing, missing) = (names(&existing), names(&missing));
        let verdict = match self.policy.out_of_order {
            OutOfOrder::Apply => Some(true),
            OutOfOrder::Skip => Some(false),
            OutOfOrder::Refuse => None,
            OutOfOrder::Auto
                if outline.does_more.is_some() || (!existing.is_empty() && !missing.is_empty()) =>
            {
                None
            }
            OutOfOrder::Auto => Some(existing.is_empty()),
        };
        match verdict {
            Some(true) => {
                self.comparison.remarks.push(format!(
                    "{label} is older than {behind}, which is applied; drizzle-kit would never apply it"
                ));
                self.comparison.pending.push(index);
            }
            Some(false) if self.policy.out_of_order == OutOfOrder::Skip => {
                self.warn(format!("{label} is not applied: it is older than {behind}, which is applied"));
            }
            Some(false) => self.warn(format!(
                "{label} is not recorded, and all that it creates exists; zerostarter-db adopt --only {label} records it"
            )),
            None => {
                let conflict = Conflict::Late {
                    label,
                    time: readable(file.version()),
                    behind,
                    after: newest.unwrap_or_default(),
                    does_more: outline.does_more.clone(),
                    existing,
                    missing,
                };
                self.comparison.conflicts.push(conflict);
            }
        }
    }

    /// How messages name the newest row.
    fn newest_label(&self, newest: Option<i64>) -> String {
        let row = self.rows.iter().find(|row| Some(row.version) == newest);
        let file = self.migrations.iter().find(|file| Some(file.version()) == newest);
        let name = file
            .map(|file| file.label.clone())
            .or_else(|| row.and_then(|row| row.name.clone()));
        let time = newest.map_or_else(String::new, readable);
        name.map_or_else(|| time.clone(), |name| format!("{name} ({time})"))
    }

    fn warn(&mut self, warning: String) {
        if self.policy.strict {
            self.comparison.conflicts.push(Conflict::Strict(warning));
        } else {
            self.comparison.warnings.push(warning);
        }
    }
}

/// How messages name a row.
fn label(row: &Applied) -> String {
    row.name
        .clone()
        .unwrap_or_else(|| format!("{} ({})", readable(row.version), row.version))
}

/// How messages name objects.
pub(crate) fn names(objects: &[&Object]) -> String {
    let named: Vec<String> = objects.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if objects.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}
