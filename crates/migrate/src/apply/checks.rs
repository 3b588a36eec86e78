//! The checks before the first migration: history table, target, contents of the pending files, privileges.

use super::error::Error;
use super::preflight::{Preflight, warn_of_quoted_placeholders};
use crate::config::{Ahead, Config};
use crate::ledger::{self, Comparison, Conflict, Snapshot, check_privileges};
use crate::source::{self, Migration, memory_limit};
use crate::sql::Contents;

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

/// How much memory a run takes beside the text of a migration and its messages, in bytes.
const BASE_MEMORY: u64 = 8_000_000;

/// The server's limit for a message, in bytes (`PQ_LARGE_MESSAGE_LIMIT`).
const LARGEST_MESSAGE: u64 = (1 << 30) - 1000;

/// Checks that the container has the memory for `file`, the largest piece of which has so many bytes. A process that
/// exceeds its limit is killed without a word.
fn check_memory(file: &Migration, largest_piece: usize) -> Result<(), source::Error> {
    let message = u64::try_from(largest_piece).unwrap_or(u64::MAX);
    if message >= LARGEST_MESSAGE {
        return Err(source::Error::new(
            file.path.clone(),
            "has a statement of more than 1 GB, which PostgreSQL does not accept",
            Some("write it as several statements"),
        ));
    }
    let needed = BASE_MEMORY.saturating_add(file.size()).saturating_add(message);
    // A small file fits whatever the limit is, and most runs need not ask.
    let limit = if needed > 2 * BASE_MEMORY {
        memory_limit()
    } else {
        None
    };
    match limit {
        Some(limit) if limit < needed => Err(source::Error::new(
            file.path.clone(),
            format!(
                "takes about {} MB of memory to apply, and this container has a limit of {} MB",
                needed.div_ceil(1_000_000),
                limit / 1_000_000
            ),
            Some("raise the memory limit of the container, or split the migration into several"),
        )),
        _ => Ok(()),
    }
}

/// Finds everything that is known to fail, before the first migration changes anything. Returns the contents of the files.
pub(super) fn inspect(
    config: &Config,
    snapshot: &Snapshot,
    migrations: &[Migration],
    pending: &[usize],
) -> Result<Vec<Contents>, Error> {
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for index in pending {
        let file = &migrations[*index];
        check_memory(file, 0)?;
        let sql = file.sql()?;
        let contents = Contents::of(&sql);
        check_memory(file, contents.largest_piece())?;
        let preflight = Preflight {
            is_behind_pooler: config.database.url.transaction_pooler_sign().is_some(),
            is_atomic: config.atomic,
            is_first: all.is_empty(),
        };
        warn_of_quoted_placeholders(file, &sql);
        findings.extend(preflight.inspect(file, &sql, &contents));
        if let Some([begin, commit]) = &contents.wrapper {
            let (begin, commit) = (&sql[begin.clone()], &sql[commit.clone()]);
            tracing::debug!(
                migration = file.label,
                "{}: {begin} and {commit} are not sent",
                file.label
            );
        }
        all.push(contents);
    }
    if !findings.is_empty() {
        return Err(Error::Preflight(findings));
    }
    check_privileges(snapshot).map_err(ledger::Error::from)?;
    Ok(all)
}
