//! Which rows of Drizzle's table belong to which migrations of the folder.
//!
//! Drizzle compares times only (0.x) or names only (1.0). Both forget migrations: a row stands for one migration, so rows are
//! matched to migrations one to one, by the strongest evidence first.

use std::collections::BTreeSet;

use zerostarter_connect::quote::literal;

use super::applied::Applied;
use crate::source::Migration;

/// How a row and a migration belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The same name.
    Name,
    /// The same time and the same text.
    TimeAndText,
    /// The same time.
    Time,
    /// The same second: a folder of 1.0, or a row that 1.0 has written.
    Second,
    /// The same text, at another time.
    Text,
}

/// Whether a row belongs to the migration with this index.
type Rule<'r> = &'r dyn Fn(&Applied, usize) -> bool;

/// Rows and migrations, matched.
#[derive(Clone, Debug, Default)]
pub(super) struct Matching {
    /// For each migration the index of its row, and why.
    pub(super) of_migrations: Vec<Option<(usize, Evidence)>>,
    /// The rows without a migration, by index.
    pub(super) left_rows: Vec<usize>,
}

impl Matching {
    pub(super) fn of(rows: &[Applied], migrations: &[Migration]) -> Self {
        let mut matching = Self {
            of_migrations: vec![None; migrations.len()],
            left_rows: distinct(rows),
        };
        let checksums: Vec<String> = migrations
            .iter()
            .map(|file| file.checksum().to_string())
            .collect();
        let has_text = |row: &Applied, index: usize| row.checksum.as_ref() == Some(&checksums[index]);
        let is_in_second = |row: &Applied, file: &Migration| {
            let is_cut = row.version % 1000 == 0 || file.version() % 1000 == 0;
            row.is_timed() && is_cut && row.version.div_euclid(1000) == file.version().div_euclid(1000)
        };
        let rules: [(Evidence, Rule<'_>); 6] = [
            (Evidence::Name, &|row, index| {
                row.name.as_deref() == Some(migrations[index].name())
            }),
            (Evidence::TimeAndText, &|row, index| {
                row.version == migrations[index].version() && has_text(row, index)
            }),
            (Evidence::Time, &|row, index| {
                row.version == migrations[index].version()
            }),
            (Evidence::Second, &|row, index| {
                is_in_second(row, &migrations[index]) && has_text(row, index)
            }),
            (Evidence::Second, &|row, index| {
                is_in_second(row, &migrations[index])
            }),
            (Evidence::Text, &|row, index| has_text(row, index)),
        ];
        for (evidence, belongs) in rules {
            matching.apply(rows, evidence, belongs);
        }
        matching
    }

    /// Matches by one rule what is left.
    fn apply(&mut self, rows: &[Applied], evidence: Evidence, belongs: Rule<'_>) {
        for (index, slot) in self.of_migrations.iter_mut().enumerate() {
            if slot.is_some() {
                continue;
            }
            let found = self.left_rows.iter().position(|row| belongs(&rows[*row], index));
            *slot = found.map(|position| (self.left_rows.remove(position), evidence));
        }
    }

    /// Whether any row belongs to the folder.
    pub(super) fn has_any(&self) -> bool {
        self.of_migrations.iter().any(Option::is_some)
    }
}

/// The statements that give `table` the columns of drizzle-kit 1.0, and the rows the names of their folders, as 1.0 does.
pub(super) fn upgrade(table: &str, rows: &[Applied], migrations: &[Migration]) -> Vec<String> {
    let mut statements = vec![format!(
        "ALTER TABLE {table} ADD COLUMN name pg_catalog.text, ADD COLUMN applied_at pg_catalog.timestamptz, \
         ALTER COLUMN applied_at SET DEFAULT pg_catalog.now()"
    )];
    let matching = Matching::of(rows, migrations);
    let found = matching.of_migrations.iter().zip(migrations);
    statements.extend(found.filter_map(|(found, file)| {
        let row = &rows[found.as_ref()?.0];
        let time = if row.is_timed() {
            format!("created_at OPERATOR(pg_catalog.=) {}", row.version)
        } else {
            "created_at IS NULL".to_owned()
        };
        Some(format!(
            "UPDATE {table} SET name = {} WHERE {time} AND hash OPERATOR(pg_catalog.=) {}",
            literal(file.name()),
            literal(row.checksum.as_deref().unwrap_or_default())
        ))
    }));
    statements
}

/// The indexes of `rows`, of equal ones the first: several drizzle-kit at once write several rows for one migration.
fn distinct(rows: &[Applied]) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let numbered = rows.iter().enumerate();
    numbered
        .filter(|(_, row)| seen.insert((row.version, &row.checksum, &row.name)))
        .map(|(index, _)| index)
        .collect()
}
