//! What the log says before the first migration of a run.

use crate::ledger::Snapshot;
use crate::source::Migration;

/// Logs that nothing is pending.
pub(super) fn log_nothing_to_do(snapshot: &Snapshot, migrations: &[Migration]) {
    let applied = snapshot.applied().len();
    let versions: Vec<i64> = snapshot.applied().iter().map(|row| row.version).collect();
    let newest = migrations
        .iter()
        .rfind(|migration| versions.binary_search(&migration.version()).is_ok())
        .map_or("none", |migration| migration.label.as_str());
    tracing::info!(
        applied,
        newest,
        "nothing to do: the database has all migrations up to {newest}"
    );
}

/// Logs that `count` of `total` migrations are pending, and where a recovery would begin.
pub(super) fn log_pending(snapshot: &Snapshot, count: usize, total: usize, database: &str) {
    let schema = &snapshot.schema;
    tracing::info!(
        pending = count,
        total,
        schema,
        database,
        "{count} of {total} migrations are pending in {database}, schema {schema}"
    );
    if snapshot.is_read_only_by_default {
        tracing::warn!(
            "default_transaction_read_only is on, and this run overrides it: providers set it when a disk is full"
        );
    }
    if let Some(wal_position) = &snapshot.wal_position {
        let time = &snapshot.server_time;
        tracing::info!(
            wal_position,
            recovery_time = time,
            "recovery point: {wal_position} at {time}, for a point-in-time recovery from a backup"
        );
    }
}
