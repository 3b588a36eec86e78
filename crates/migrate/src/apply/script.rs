//! The transaction script: the statements before and after a migration that make its transaction safe and record it.

use std::collections::BTreeMap;
use std::time::Duration;

use zerostarter_connect::quote::{identifier, literal};
use zerostarter_diagnostic::duration::millis;

use super::batch::{Batch, HISTORY_CHANGED, TRANSACTION_ENDED};
use crate::config::Config;
use crate::ledger::{CONFIRMATION, Snapshot, raise_unless, take_or_raise};
use crate::source::Migration;
use crate::sql::LockStrength;
use crate::watch::raise_if_long_running;

/// How long a failed transaction may stay open before the server ends it, if this process is killed then.
const IDLE_IN_TRANSACTION_LIMIT_MS: u32 = 60_000;

/// The `idle_in_transaction_session_timeout` of a guard until the second connection is open.
pub(crate) const GUARD_LIMIT: Duration = Duration::from_secs(15);

/// Terminates the session of a guard whose connection is dead, if it still is in the transaction that `guard` names.
pub(crate) fn terminate_guard(guard: &str) -> String {
    format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE pg_catalog.format('%s since %s', pid, {}) = {}",
        moment("xact_start"),
        literal(guard)
    )
}

/// A time as text that does not depend on the settings of the session.
fn moment(time: &str) -> String {
    format!("pg_catalog.to_char({time} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
}

/// What the statements depend on.
pub(crate) struct Script<'a> {
    pub(crate) config: &'a Config,
    pub(crate) snapshot: &'a Snapshot,
    /// Whether `standard_conforming_strings` is on by default.
    pub(crate) reads_backslashes_literally: bool,
    /// refinery's statement that creates the history table, if it does not exist.
    pub(crate) create_history: Option<&'a str>,
    /// The newest version in the history table, as it was read.
    pub(crate) last_version: Option<i64>,
}

impl Script<'_> {
    /// A complete transaction: the settings, the lock, the check of the history table, each migration with its guard and its
    /// history row, the commit, and the confirmation. It does not queue behind long-running transactions on
    /// `locked_tables`.
    pub(crate) fn batch<'m>(
        &self,
        files: &[(&'m Migration, &str)],
        locked_tables: &BTreeMap<String, LockStrength>,
    ) -> Batch<'m> {
        let mut ahead = self.begin();
        ahead.extend(self.create_history.map(str::to_owned));
        ahead.push(self.check_history(files));
        ahead.extend(raise_if_long_running(locked_tables, self.config.lock_budget));
        ahead.push(note_transaction());
        let mut parts = Vec::new();
        for (file, insert) in files {
            parts.push((*file, std::mem::take(&mut ahead)));
            ahead = self.record(insert);
            // For the next migration of the transaction; after the last one the same follows the commit.
            if parts.len() < files.len() {
                ahead.push("RESET ALL".to_owned());
                ahead.extend(self.settings());
                ahead.push(note_transaction());
            }
        }
        let mut closing = ahead;
        closing.extend(files.last().map(|(file, _)| self.commit(file)));
        Batch::new(self.snapshot.ledger, &parts, &closing)
    }

    /// The transaction that creates the history table before a non-transactional migration.
    pub(crate) fn create_history_table(&self) -> String {
        let mut statements = self.begin();
        statements.extend(self.create_history.map(str::to_owned));
        statements.push("COMMIT".to_owned());
        statements.push("RESET ALL".to_owned());
        statements.join(";\n")
    }

    /// Begins the guard: the transaction that holds the lock while the non-transactional statement of `file` runs on another
    /// connection. That statement may wait for transactions to end, and must not wait for this one. So the guard has no
    /// snapshot between its statements (READ COMMITTED), no transaction id, and no lock on the history table (released
    /// with the savepoint).
    ///
    /// The confirmation identifies the guard by process and start. Its `idle_in_transaction_session_timeout` is 15 s until
    /// [`KEEP_GUARD`](Self::KEEP_GUARD), because the confirmation may be lost.
    pub(crate) fn guard(&self, file: &Migration) -> String {
        let mut statements = self.begin();
        statements.push("SET LOCAL statement_timeout = 0".to_owned());
        statements.push(format!(
            "SET LOCAL idle_in_transaction_session_timeout = {}",
            millis(GUARD_LIMIT)
        ));
        statements.push("SAVEPOINT look".to_owned());
        statements.push(self.check_history(&[(file, "")]));
        statements.push("ROLLBACK TO SAVEPOINT look".to_owned());
        statements.push(format!(
            "SELECT pg_catalog.format('%s since %s', pg_catalog.pg_backend_pid(), {}) AS {CONFIRMATION}",
            moment("pg_catalog.now()")
        ));
        statements.join(";\n")
    }

    /// Lets the guard stay idle without limit.
    pub(crate) const KEEP_GUARD: &'static str = "SET LOCAL idle_in_transaction_session_timeout = 0";

    /// Ends the guard: records `file`, whose statement is done.
    pub(crate) fn record_done(&self, file: &Migration, insert: &str) -> String {
        [insert.to_owned(), self.commit(file)].join(";\n")
    }

    fn begin(&self) -> Vec<String> {
        let mut statements = vec!["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned()];
        statements.extend(self.settings());
        statements.push(take_or_raise(self.snapshot.ledger, &self.snapshot.schema));
        statements
    }

    /// The commit, and the query for what it has committed.
    fn commit(&self, last: &Migration) -> String {
        format!("COMMIT;\nRESET ALL;\n{}", self.find_committed(last))
    }

    /// The query whether the history table has `file`.
    pub(crate) fn find_committed(&self, file: &Migration) -> String {
        std::iter::once("SET LOCAL statement_timeout = 0".to_owned())
            .chain(self.set_role())
            .chain([self.snapshot.ledger.confirm(&self.snapshot.history_table(), file)])
            .collect::<Vec<_>>()
            .join(";\n")
    }

    /// Overrides, for this transaction, every default of the database or the role that could change the outcome.
    fn settings(&self) -> Vec<String> {
        let mut statements = vec![
            format!(
                "SET LOCAL lock_timeout = {}",
                millis(self.config.longest_lock_wait())
            ),
            format!(
                "SET LOCAL statement_timeout = {}",
                millis(self.config.statement_timeout)
            ),
            format!("SET LOCAL idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_LIMIT_MS}"),
        ];
        if self.snapshot.server_version >= 170_000 {
            statements.push("SET LOCAL transaction_timeout = 0".to_owned());
        }
        if self.snapshot.can_check_client {
            // Without this the server would finish and commit the work of a killed client.
            statements.push("SET LOCAL client_connection_check_interval = '1s'".to_owned());
        }
        if !self.reads_backslashes_literally {
            statements.push("SET LOCAL standard_conforming_strings = on".to_owned());
        }
        if !self.snapshot.schema_is_current {
            statements.push(format!(
                "SET LOCAL search_path = {}",
                identifier(&self.snapshot.schema)
            ));
        }
        statements.extend(self.set_role());
        statements
    }

    /// Follows a migration: checks that the transaction is still open, and inserts the history row. Before that it resets the
    /// session's role, which the migration may have changed.
    fn record(&self, insert: &str) -> Vec<String> {
        vec![
            raise_unless(
                "COALESCE(pg_catalog.current_setting('zerostarter_db.transaction', true) OPERATOR(pg_catalog.=) CAST(pg_catalog.pg_current_xact_id() AS pg_catalog.text), false)",
                TRANSACTION_ENDED,
            ),
            // The migration may have set a role without privileges on the history table.
            "RESET SESSION AUTHORIZATION".to_owned(),
            self.set_role().unwrap_or_else(|| "RESET ROLE".to_owned()),
            insert.to_owned(),
        ]
    }

    fn set_role(&self) -> Option<String> {
        self.config
            .role
            .as_deref()
            .map(|role| format!("SET LOCAL ROLE {}", identifier(role)))
    }

    fn check_history(&self, migrations: &[(&Migration, &str)]) -> String {
        let versions: Vec<i64> = migrations
            .iter()
            .map(|(migration, _)| migration.version())
            .collect();
        let condition =
            self.snapshot
                .ledger
                .is_unchanged(&self.snapshot.history_table(), self.last_version, &versions);
        raise_unless(&condition, HISTORY_CHANGED)
    }
}

/// Notes the transaction's id in a transaction-local setting, which [`Script::record`] compares.
fn note_transaction() -> String {
    "SELECT pg_catalog.set_config('zerostarter_db.transaction', CAST(pg_catalog.pg_current_xact_id() AS pg_catalog.text), true)"
        .to_owned()
}
