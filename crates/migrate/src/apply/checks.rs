//! The checks before the first migration: history table, target, contents of the pending files, privileges.

use super::error::Error;
use super::preflight;
use crate::config::{Ahead, Config};
use crate::ledger::{self, Comparison, Conflict, Snapshot, check_privileges};
use crate::source::Migration;

/// Compares the history table with the migrations.
pub(super) fn compare(
    config: &Config,
    snapshot: &Snapshot,
    migrations: &[Migration],
) -> Result<Comparison, ledger::Error> {
    if let Some(found) = &snapshot.history_elsewhere {
        let is_explicit = config
            .database
            .url
            .parameters
            .options
            .as_deref()
            .is_some_and(|options| options.contains("search_path"));
        if !is_explicit {
            return Err(ledger::Error::Elsewhere {
                found: found.clone(),
                schema: snapshot.schema.clone(),
            });
        }
    }
    let mut comparison = snapshot.ledger.compare(snapshot.applied(), migrations);
    if let (false, Some(newest)) = (comparison.ahead.is_empty(), migrations.last()) {
        let applied = comparison.ahead.clone();
        match config.ahead {
            Ahead::Refuse => comparison.conflicts.push(Conflict::Ahead {
                applied,
                newest: newest.path.clone(),
            }),
            Ahead::Allow => tracing::warn!(
                ahead = applied.join(", "),
                "the database is ahead of this program: it has {}, and the newest migration here is {}",
                applied.join(", "),
                newest.label
            ),
        }
    }
    if comparison.conflicts.is_empty() {
        Ok(comparison)
    } else {
        Err(ledger::Error::Conflicts(comparison.conflicts))
    }
}

/// The pending migrations up to `MIGRATE_TARGET`, as indexes.
pub(super) fn up_to_target(
    config: &Config,
    migrations: &[Migration],
    comparison: &Comparison,
) -> Result<Vec<usize>, Error> {
    let Some(target) = config.target else {
        return Ok(comparison.pending.clone());
    };
    let has_target = |migration: &Migration| migration.version() == i64::from(target);
    if !migrations.iter().any(has_target) {
        return Err(Error::UnknownTarget {
            target,
            newest: migrations.last().map(|migration| migration.label.clone()),
        });
    }
    let pending = comparison.pending.iter().copied();
    Ok(pending
        .filter(|index| migrations[*index].version() <= i64::from(target))
        .collect())
}

/// Finds everything that is known to fail, before the first migration changes anything.
pub(super) fn inspect(
    config: &Config,
    snapshot: &Snapshot,
    migrations: &[Migration],
    pending: &[usize],
) -> Result<(), Error> {
    if pending.is_empty() {
        return Ok(());
    }
    let pending: Vec<&Migration> = pending.iter().map(|index| &migrations[*index]).collect();
    let behind_pooler = config.database.url.transaction_pooler_sign().is_some();
    let findings = preflight::inspect(&pending, behind_pooler, config.atomic);
    if !findings.is_empty() {
        return Err(Error::Preflight(findings));
    }
    check_privileges(snapshot).map_err(|denial| ledger::Error::from(denial).into())
}
