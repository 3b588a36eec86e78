//! The checks before the first migration: history table, target, contents of the pending files, privileges.

use super::error::Error;
use super::preflight::{Preflight, warn_of_quoted_placeholders};
use crate::config::{Ahead, Config, Target};
use crate::ledger::{self, Comparison, Conflict, Snapshot, check_privileges};
use crate::source::{self, Migration, memory_limit};
use crate::sql::{Contents, Outline};

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
    let mut comparison = snapshot.compare(migrations, config.policy);
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
    for warning in &comparison.warnings {
        tracing::warn!("{warning}");
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
    let Some(target) = &config.target else {
        return Ok(comparison.pending.clone());
    };
    let is_target = |migration: &Migration| match target {
        Target::Version(version) => migration.version() == *version,
        Target::Label(label) => migration.label == *label,
    };
    let Some(last) = migrations.iter().rposition(is_target) else {
        return Err(Error::UnknownTarget {
            target: target.clone(),
            newest: migrations.last().map(|migration| migration.label.clone()),
        });
    };
    let pending = comparison.pending.iter().copied();
    Ok(pending.filter(|index| *index <= last).collect())
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

/// Whether the file is what `drizzle-kit pull` writes as the first one.
fn is_commented_out(snapshot: &Snapshot, index: usize, sql: &str) -> bool {
    index == 0 && snapshot.ledger.own_schema().is_some() && Outline::of(sql, &[]).is_commented_out
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
        if file.is_ambiguous {
            return Err(source::Error::new(
                file.path.clone(),
                "is in the journal twice, and not applied",
                Some("remove one of the two entries from meta/_journal.json, or rename it and its file"),
            )
            .into());
        }
        let sql = file.sql()?;
        let parts = file.parts(&sql);
        let contents = if is_commented_out(snapshot, *index, &sql) {
            tracing::info!(
                migration = file.label,
                "{} is commented out, and the database has its tables: it is recorded and not run",
                file.label
            );
            Contents::default()
        } else {
            let contents = Contents::of_parts(&sql, &parts);
            let preflight = Preflight {
                is_behind_pooler: config.database.url.transaction_pooler_sign().is_some(),
                is_atomic: config.atomic,
                is_first: all.is_empty(),
            };
            warn_of_quoted_placeholders(file, &sql);
            findings.extend(preflight.inspect(file, (&sql, &parts), &contents));
            contents
        };
        check_memory(file, contents.largest_piece())?;
        if !contents.redundant.is_empty() {
            let statements = contents.redundant.iter().map(|span| &sql[span.clone()]);
            tracing::debug!(
                migration = file.label,
                "{}: not sent: {}",
                file.label,
                statements.collect::<Vec<_>>().join(", ")
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
