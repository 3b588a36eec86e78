//! The progress of a long statement, as `pg_stat_progress_*` shows it.

use std::fmt;

use zerostarter_connect::Connection;

use super::catalog_query::{rows, text};

/// A row of one of the views `pg_stat_progress_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatementProgress {
    command: String,
    phase: String,
    percent: Option<String>,
}

impl StatementProgress {
    pub(crate) fn percent(&self) -> Option<u8> {
        self.percent.as_ref().and_then(|percent| percent.parse().ok())
    }
}

impl fmt::Display for StatementProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.command, self.phase)?;
        self.percent
            .as_ref()
            .map_or(Ok(()), |percent| write!(f, ", {percent} %"))
    }
}

/// The progress of the session that holds `mine`; `None` for the many commands that the server does not report.
pub(crate) async fn find_progress(
    connection: &Connection,
    mine: &str,
) -> Result<Option<StatementProgress>, tokio_postgres::Error> {
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
    Ok(found.first().map(|row| StatementProgress {
        command: text(row, 0).unwrap_or_default(),
        phase: text(row, 1).unwrap_or_default(),
        percent: text(row, 2),
    }))
}
