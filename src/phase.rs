//! How far a long statement has come, where the server tells.

use std::fmt;

use crate::blocker::{rows, text};
use crate::connection::Connection;

/// What one of the server's `pg_stat_progress_…` views says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    command: String,
    stage: String,
    percent: Option<String>,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.command, self.stage)?;
        self.percent
            .as_ref()
            .map_or(Ok(()), |percent| write!(f, ", {percent} %"))
    }
}

/// How far the session that holds `mine` has come with its statement; `None` for the many commands of which the
/// server does not tell.
pub(crate) async fn find_phase(
    connection: &Connection,
    mine: &str,
) -> Result<Option<Phase>, tokio_postgres::Error> {
    let found = rows(
        connection,
        &format!(
            "SELECT told.command, told.phase, pg_catalog.trunc(100.0 * told.done / NULLIF(told.total, 0)) FROM ( \
             SELECT pid, command, phase, \
               CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END AS done, \
               CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END AS total \
               FROM pg_catalog.pg_stat_progress_create_index \
             UNION ALL SELECT pid, command, phase, heap_blks_scanned, heap_blks_total \
               FROM pg_catalog.pg_stat_progress_cluster \
             UNION ALL SELECT pid, command, 'copying', bytes_processed, bytes_total \
               FROM pg_catalog.pg_stat_progress_copy \
             UNION ALL SELECT pid, 'VACUUM', phase, heap_blks_scanned, heap_blks_total \
               FROM pg_catalog.pg_stat_progress_vacuum) AS told \
             JOIN pg_catalog.pg_locks AS mine ON mine.pid = told.pid WHERE {mine}"
        ),
    )
    .await?;
    Ok(found.first().map(|row| Phase {
        command: text(row, 0).unwrap_or_default(),
        stage: text(row, 1).unwrap_or_default(),
        percent: text(row, 2),
    }))
}
