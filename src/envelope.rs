//! What goes around a migration: the statements that make its transaction safe, and record it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalog::Snapshot;
use crate::config::Config;
use crate::duration::millis;
use crate::lock::{self, raise_unless};
use crate::message::{HISTORY_MOVED, Message, TRANSACTION_LEFT};
use crate::queue::{Excludes, raise_if_old};
use crate::source::SourceFile;
use crate::sql::{identifier, literal};

/// The column under which the server confirms what it has committed.
pub(crate) const CONFIRMATION: &str = "zerostarter_db_applied";

/// How long a transaction that failed may stay open before the server ends it, should we vanish then.
const IDLE_IN_TRANSACTION_LIMIT_MS: u32 = 60_000;

/// How long a guard may be idle before it is told to stay, and while a second connection is looked for.
pub(crate) const GUARD_LIMIT: Duration = Duration::from_secs(15);

/// Ends the session of a guard whose connection is dead, if it still is in the transaction that `guard` names.
pub(crate) fn end_guard(guard: &str) -> String {
    format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE pg_catalog.format('%s since %s', pid, {}) = {}",
        moment("xact_start"),
        literal(guard)
    )
}

/// A time that reads the same whatever the session's settings are.
fn moment(time: &str) -> String {
    format!("pg_catalog.to_char({time} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
}

/// What the statements depend on.
pub(crate) struct Envelope<'a> {
    pub(crate) config: &'a Config,
    pub(crate) snapshot: &'a Snapshot,
    /// Whether the server reads `'\'` as a whole string by default.
    pub(crate) reads_backslashes_literally: bool,
    /// refinery's statement that creates the history, where there is none.
    pub(crate) create_history: Option<&'a str>,
    /// The newest version in the history as far as we know.
    pub(crate) last_version: Option<i64>,
}

impl Envelope<'_> {
    /// One transaction, whole: the settings, the lock, the history as it was read, each file with its guard and
    /// its history row, the commit, and the confirmation. Behind old transactions on `locked_tables` it does not queue.
    pub(crate) fn message<'m>(
        &self,
        files: &[(&'m SourceFile, &str)],
        locked_tables: &BTreeMap<String, Excludes>,
    ) -> Message<'m> {
        let mut ahead = self.begin();
        ahead.extend(self.create_history.map(str::to_owned));
        ahead.push(self.check_history(files));
        ahead.extend(raise_if_old(locked_tables, self.config.lock_budget));
        ahead.push(note_transaction());
        let mut parts = Vec::new();
        for (file, insert) in files {
            parts.push((*file, std::mem::take(&mut ahead)));
            ahead = self.record(insert);
            // For the next file in the transaction; otherwise the same is done after the commit.
            if parts.len() < files.len() {
                ahead.push("RESET ALL".to_owned());
                ahead.extend(self.settings());
                ahead.push(note_transaction());
            }
        }
        let mut closing = ahead;
        closing.extend(files.last().map(|(file, _)| self.commit(file)));
        Message::new(&parts, &closing)
    }

    /// The transaction that creates the history, for a first file that runs outside one.
    pub(crate) fn history_alone(&self) -> String {
        let mut statements = self.begin();
        statements.extend(self.create_history.map(str::to_owned));
        statements.push("COMMIT".to_owned());
        statements.push("RESET ALL".to_owned());
        statements.join(";\n")
    }

    /// The beginning of the transaction that holds the lock while `file` runs outside of it, for as long as that
    /// takes. The file's statement may wait for transactions to end, and this one must not be among them: it has no
    /// snapshot between its statements, because it is READ COMMITTED, no transaction id, and no lock on the history,
    /// because that is given back with the savepoint.
    ///
    /// It is confirmed by what the server knows it by. Until it is told to [`stay`](Self::STAY) it ends by itself: its
    /// answer may never arrive.
    pub(crate) fn guard(&self, file: &SourceFile) -> String {
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

    /// Lets that transaction stay idle for as long as it takes.
    pub(crate) const STAY: &'static str = "SET LOCAL idle_in_transaction_session_timeout = 0";

    /// The end of that transaction: it records `file`, which is done.
    pub(crate) fn record_done(&self, file: &SourceFile, insert: &str) -> String {
        [insert.to_owned(), self.commit(file)].join(";\n")
    }

    fn begin(&self) -> Vec<String> {
        let mut statements = vec!["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned()];
        statements.extend(self.settings());
        statements.push(lock::take_or_raise(&self.snapshot.schema));
        statements
    }

    /// The commit, and the question for what it has committed.
    fn commit(&self, last: &SourceFile) -> String {
        format!("COMMIT;\nRESET ALL;\n{}", self.find_committed(last))
    }

    /// The question whether the history has `file`.
    pub(crate) fn find_committed(&self, file: &SourceFile) -> String {
        std::iter::once("SET LOCAL statement_timeout = 0".to_owned())
            .chain(self.set_role())
            .chain([self.read_back(file)])
            .collect::<Vec<_>>()
            .join(";\n")
    }

    /// The defaults of the database and the role must not matter, so what could be set there and would change
    /// the outcome is set here, for this transaction.
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
            // Without this the server would finish, and commit, the work of a client that was killed.
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

    /// What follows a file: the guard, and its history row. What the file did to the session is undone, for the
    /// next file and for whoever a pooler gives it to.
    fn record(&self, insert: &str) -> Vec<String> {
        vec![
            raise_unless(
                "pg_catalog.current_setting('zerostarter_db.transaction', true) IS NOT DISTINCT FROM CAST(pg_catalog.pg_current_xact_id() AS text)",
                TRANSACTION_LEFT,
            ),
            // The file may have become somebody who has no right to the history.
            "RESET SESSION AUTHORIZATION".to_owned(),
            self.set_role().unwrap_or_else(|| "RESET ROLE".to_owned()),
            insert.to_owned(),
        ]
    }

    fn read_back(&self, file: &SourceFile) -> String {
        format!(
            "SELECT version AS {CONFIRMATION} FROM {} WHERE version = {} AND checksum = {}",
            self.snapshot.history_table(),
            file.version(),
            literal(&file.checksum().to_string()),
        )
    }

    fn set_role(&self) -> Option<String> {
        self.config
            .role
            .as_deref()
            .map(|role| format!("SET LOCAL ROLE {}", identifier(role)))
    }

    /// Look-ups in the primary key, whatever the length of the history.
    fn check_history(&self, files: &[(&SourceFile, &str)]) -> String {
        let table = self.snapshot.history_table();
        let last = self
            .last_version
            .map_or_else(|| "NULL".to_owned(), |version| version.to_string());
        let versions: Vec<String> = files.iter().map(|(file, _)| file.version().to_string()).collect();
        raise_unless(
            &format!(
                "(SELECT max(version) FROM {table}) IS NOT DISTINCT FROM {last} \
                 AND NOT EXISTS (SELECT FROM {table} WHERE version IN ({}))",
                versions.join(", ")
            ),
            HISTORY_MOVED,
        )
    }
}

/// The guard after the file compares with this.
fn note_transaction() -> String {
    "SELECT pg_catalog.set_config('zerostarter_db.transaction', CAST(pg_catalog.pg_current_xact_id() AS text), true)"
        .to_owned()
}
