//! The transaction script: the statements before and after a migration that make its transaction safe and record it.

use std::process;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use zerostarter_connect::quote::{identifier, literal};
use zerostarter_connect::search_path::{captured, enter};
use zerostarter_diagnostic::duration::millis;

use super::effect_check::check_effect;
use super::failure::{ROW_MISSING, TRANSACTION_ENDED};
use super::message::HISTORY_CHANGED;
use super::pending::{Pending, Recorded};
use crate::config::Config;
use crate::ledger::{
    Access, CONFIRMATION, Notes, Scrutiny, Snapshot, advisory_key, lock, raise_if_untrusted, raise_unless,
    steps_key, take_or_raise,
};
use crate::source::Migration;
use crate::sql::{Contents, LockedTables, TransactionModes};
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
    /// The statements that create the history table if it does not exist, or upgrade it.
    pub(crate) prepare_history: &'a [String],
    /// The newest version in the history table, as it was read.
    pub(crate) last_version: Option<i64>,
    /// How many rows it has.
    pub(crate) rows: usize,
    /// Whether Drizzle's table stays readable, because another session reads it.
    pub(crate) shares_history: bool,
}

impl Script<'_> {
    /// Begins the transaction of `files`: the settings, the lock, the check of the history table. It does not queue behind
    /// long-running transactions on `locked_tables`.
    pub(crate) fn opening(&self, files: &[Recorded<'_>], locked_tables: &LockedTables) -> Vec<String> {
        let versions: Vec<i64> = files.iter().map(|file| file.migration().version()).collect();
        let modes = files.first().map(|file| file.pending.contents.modes.clone());
        let mut statements = self.begin(&modes.unwrap_or_default());
        statements.extend(self.lock_history(files));
        statements.extend(self.prepare_history());
        statements.extend(self.check_history(&versions));
        statements.extend(raise_if_long_running(locked_tables, self.config.lock_budget));
        statements.push(note_transaction());
        statements
    }

    /// Locks Drizzle's table, so that a drizzle-kit that starts meanwhile finds its migration applied. It reads the table before it
    /// waits for SHARE ROW EXCLUSIVE, so only DDL fails then instead of running twice. ACCESS EXCLUSIVE makes it wait before it
    /// reads; but a backup reads the table too, and must not become the victim of a deadlock.
    fn lock_history(&self, files: &[Recorded<'_>]) -> Option<String> {
        let is_lockable = self.snapshot.ledger.own_schema().is_some()
            && self.snapshot.history.is_some()
            && self.snapshot.drizzle.may_lock;
        let changes_data = !files.iter().all(|file| file.pending.contents.is_ddl);
        let mode = if changes_data && !self.shares_history {
            "ACCESS EXCLUSIVE MODE NOWAIT"
        } else {
            "SHARE ROW EXCLUSIVE MODE"
        };
        is_lockable.then(|| format!("LOCK TABLE {} IN {mode}", self.snapshot.history_table()))
    }

    /// Follows a migration: checks that the transaction is still open, and inserts the history row. Before that it resets the
    /// session's role, which the migration may have changed.
    pub(crate) fn record(&self, file: &Recorded<'_>) -> Vec<String> {
        let mut statements = self.check();
        statements.push(file.insert.clone());
        statements.push(check_row(self.snapshot, file.migration()));
        statements
    }

    fn check(&self) -> Vec<String> {
        vec![
            // The migration may have set a short one for itself.
            "SET LOCAL statement_timeout = 0".to_owned(),
            check_transaction(),
            // The migration may have set a role without privileges on the history table.
            "RESET SESSION AUTHORIZATION".to_owned(),
            self.set_role().unwrap_or_else(|| "RESET ROLE".to_owned()),
        ]
    }

    /// Stands between two migrations of one transaction.
    pub(crate) fn between(&self, file: &Recorded<'_>) -> Vec<String> {
        let mut statements = clean_up([&file.pending.contents]);
        statements.extend(self.settings());
        statements.push(note_transaction());
        statements
    }

    /// The commit, and the query for what it has committed.
    pub(crate) fn closing(&self, files: &[Recorded<'_>], last: &Recorded<'_>) -> Vec<String> {
        let mut statements = commit().to_vec();
        statements.extend(clean_up(files.iter().map(|file| &file.pending.contents)));
        statements.extend(self.find_committed(&last.pending));
        statements
    }

    /// The transaction that creates the history table before a non-transactional migration.
    pub(crate) fn create_history_table(&self) -> Vec<String> {
        let mut statements = self.begin(&TransactionModes::default());
        statements.extend(self.prepare_history());
        statements.push("COMMIT".to_owned());
        statements.push("RESET ALL".to_owned());
        statements
    }

    /// The owner reads its table in full, whatever an event trigger has made of it.
    fn prepare_history(&self) -> Vec<String> {
        let no_force = format!(
            "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
            self.snapshot.history_table()
        );
        let is_created = self.snapshot.history.is_none() && !self.prepare_history.is_empty();
        let mut statements = self.prepare_history.to_vec();
        statements.extend(is_created.then_some(no_force));
        statements
    }

    /// Begins the guard: the transaction that holds the lock while the non-transactional statement of `file` runs on another
    /// connection. That statement may wait for transactions to end, and must not wait for this one. So the guard has no
    /// snapshot between its statements (READ COMMITTED), no transaction id, and no lock on the history table (released
    /// with the savepoint).
    ///
    /// The confirmation identifies the guard by process and start. Its `idle_in_transaction_session_timeout` is 15 s until
    /// [`KEEP_GUARD`](Self::KEEP_GUARD), because the confirmation may be lost.
    pub(crate) fn guard(&self, file: &Migration) -> Vec<String> {
        let mut statements = self.begin(&TransactionModes::default());
        statements.push("SET LOCAL statement_timeout = 0".to_owned());
        statements.push(format!(
            "SET LOCAL idle_in_transaction_session_timeout = {}",
            millis(GUARD_LIMIT)
        ));
        statements.push("SAVEPOINT look".to_owned());
        statements.extend(self.check_history(&[file.version()]));
        statements.push("ROLLBACK TO SAVEPOINT look".to_owned());
        statements.push(format!(
            "SELECT pg_catalog.format('%s since %s', pg_catalog.pg_backend_pid(), {}) AS {CONFIRMATION}",
            moment("pg_catalog.now()")
        ));
        statements
    }

    /// Lets the guard stay idle without limit.
    pub(crate) const KEEP_GUARD: &'static str = "SET LOCAL idle_in_transaction_session_timeout = 0";

    /// Begins the transaction of a step on the worker. `notes` are those that its predecessor has left.
    pub(crate) fn step_opening(
        &self,
        notes: &Notes,
        modes: &TransactionModes,
        locked_tables: &LockedTables,
    ) -> Vec<String> {
        let mut statements = vec![format!("BEGIN {}", modes.begin())];
        statements.extend(self.settings());
        // An orphan of a lost guard may still be in its transaction.
        statements.push(take_or_raise(steps_key(
            self.snapshot.ledger,
            &self.snapshot.schema,
        )));
        statements.push(raise_unless(&notes.are_unchanged(), HISTORY_CHANGED));
        statements.extend(raise_if_long_running(locked_tables, self.config.lock_budget));
        statements.push(note_transaction());
        statements
    }

    /// Follows the statements of a step: checks that its transaction is still open, and notes that it has run.
    pub(crate) fn step_record(&self, notes: &Notes) -> Vec<String> {
        let mut statements = self.check();
        statements.extend(notes.is_writable.then(|| notes.write()));
        statements
    }

    /// The commit of step number `done`, and its confirmation. Temporary objects stay for the steps that follow.
    pub(crate) fn step_closing(notes: &Notes, done: usize) -> Vec<String> {
        let mut statements = commit().to_vec();
        statements.extend(RESET.iter().map(|&statement| statement.to_owned()));
        statements.push(format!(
            "SELECT {done} AS {CONFIRMATION}, pg_catalog.current_schema() WHERE {}",
            notes.are_unchanged()
        ));
        statements
    }

    /// Ends the guard: records `file`, whose statements are done, and writes `notes`.
    pub(crate) fn record_done(&self, file: &Pending<'_>, insert: &str, notes: Option<&Notes>) -> Vec<String> {
        let mut statements = self.trust_history();
        let effect = file.contents.non_transactional.as_ref();
        statements.extend(effect.and_then(|statement| check_effect(&statement.effect)));
        statements.extend([insert.to_owned(), check_row(self.snapshot, file.migration)]);
        statements.extend(notes.map(Notes::write));
        statements.extend(commit());
        statements.push("RESET ALL".to_owned());
        statements.extend(self.find_committed(file));
        statements
    }

    /// A transaction of `changes` to the history table alone.
    pub(crate) fn resolving(&self, changes: Vec<String>) -> Vec<String> {
        let mut statements = self.begin(&TransactionModes::default());
        statements.extend(self.prepare_history());
        statements.extend(self.check_history(&[]));
        statements.extend(changes);
        statements.extend(commit());
        statements.push("RESET ALL".to_owned());
        statements
    }

    /// A transaction with one snapshot takes that with its first query, which would be the one for the lock: the snapshot would
    /// be older than the lock, and the check of the history table out of date. So such a transaction locks the history table
    /// first, which takes no snapshot. Another migrator then has committed its row, or cannot insert it and still has the
    /// advisory lock.
    fn begin(&self, modes: &TransactionModes) -> Vec<String> {
        let mut statements = vec![format!("BEGIN {}", modes.begin())];
        statements.extend(self.settings());
        if modes.keeps_snapshot() {
            let table = self.snapshot.history_table();
            statements.push(format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"));
        }
        // Temporary tables that another client has left in the session of a pool come before ours.
        statements.push("DISCARD TEMP".to_owned());
        statements.push(take_or_raise(advisory_key(
            self.snapshot.ledger,
            &self.snapshot.schema,
        )));
        statements
    }

    /// The query whether the history table has `file`, and which schema the next session begins with.
    pub(crate) fn find_committed(&self, file: &Pending<'_>) -> Vec<String> {
        let mut statements = vec!["SET LOCAL statement_timeout = 0".to_owned()];
        statements.extend(self.set_role());
        if file.contents.may_set_search_path {
            statements.extend(next_search_path());
        }
        let table = self.snapshot.history_table();
        statements.push(self.snapshot.ledger.confirm(&table, file.migration));
        if file.contents.may_set_search_path {
            statements.push("RESET ALL".to_owned());
        }
        statements
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
            // Else an error ends the connection, and with it what the next message could find out.
            "SET LOCAL exit_on_error = off".to_owned(),
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
        // Of the whole run, also if a migration creates a schema that comes first in the path.
        statements.push(format!("SET LOCAL search_path = {}", self.snapshot.search_path));
        statements.extend(self.set_role());
        statements
    }

    fn set_role(&self) -> Option<String> {
        self.config
            .role
            .as_deref()
            .map(|role| format!("SET LOCAL ROLE {}", identifier(role)))
    }

    /// Checks that the history table still is what was read: the table, before anything runs that another session may have
    /// attached to it, and then its rows.
    fn check_history(&self, versions: &[i64]) -> Vec<String> {
        let table = self.snapshot.history_table();
        let ledger = self.snapshot.ledger;
        let mut statements = self.trust_history();
        statements.push(raise_unless(
            &ledger.is_unchanged(&table, self.last_version, self.rows, versions),
            HISTORY_CHANGED,
        ));
        statements
    }

    /// Another look at the table explains what is wrong with it.
    fn trust_history(&self) -> Vec<String> {
        let table = self.snapshot.history_table();
        let oid = format!(
            "CAST(pg_catalog.to_regclass({}) AS pg_catalog.oid)",
            literal(&table)
        );
        // An event trigger may have attached something to the table that this run has created.
        let scrutiny = if self.snapshot.history.is_none() {
            Scrutiny::Thorough
        } else {
            self.snapshot.scrutiny
        };
        vec![
            lock(&table, Access::Write),
            raise_if_untrusted(scrutiny, &oid, HISTORY_CHANGED),
        ]
    }
}

/// Raises unless the history table has kept the row: a rule or a trigger may have taken it away.
pub(crate) fn check_row(snapshot: &Snapshot, file: &Migration) -> String {
    raise_unless(&snapshot.ledger.has(&snapshot.history_table(), file), ROW_MISSING)
}

/// Commits so that a crash of the server cannot undo it: with `synchronous_commit = off`, by default or in a migration, what
/// was reported as applied could be gone. Stronger settings stay.
fn commit() -> [String; 2] {
    let flush = "SELECT pg_catalog.set_config('synchronous_commit', 'local', true) \
                 WHERE pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'";
    [flush.to_owned(), "COMMIT".to_owned()]
}

/// Notes this run in a setting that ends with the transaction, which [`check_transaction`] looks for. The transaction's id
/// would do too, but a transaction that has one cannot create a replication slot.
fn note_transaction() -> String {
    format!(
        "SELECT pg_catalog.set_config('zerostarter_db.transaction', {}, true)",
        literal(run_id())
    )
}

/// Raises unless the transaction that [`note_transaction`] has noted is still open.
pub(crate) fn check_transaction() -> String {
    raise_unless(
        &format!(
            "COALESCE(pg_catalog.current_setting('zerostarter_db.transaction', true) OPERATOR(pg_catalog.=) {}, false)",
            literal(run_id())
        ),
        TRANSACTION_ENDED,
    )
}

/// What no migration sets by accident: the process and the time of its first transaction.
fn run_id() -> &'static str {
    static RUN_ID: LazyLock<String> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        format!("{}-{}", process::id(), now.unwrap_or_default().as_nanos())
    });
    &RUN_ID
}

/// Removes from the session what the migrations may have left in it: what `DISCARD ALL` removes, which cannot run in a
/// transaction block. The next client of a pool would find it, and the next migration.
///
/// Connection poolers keep prepared statements of other clients in the session. So they are removed only after a migration
/// that may have prepared some.
pub(crate) fn clean_up<'c>(files: impl IntoIterator<Item = &'c Contents>) -> Vec<String> {
    let all = RESET.iter().chain(&CLEAN_UP);
    let mut statements: Vec<String> = all.map(|&statement| statement.to_owned()).collect();
    if files.into_iter().any(|contents| contents.may_prepare) {
        statements.push("DEALLOCATE ALL".to_owned());
    }
    statements
}

/// Writes `notes` with the role and the settings that the session began with: a migration may have set others.
pub(crate) fn as_ourselves(notes: &Notes) -> String {
    format!("{};\n{}", RESET.join(";\n"), notes.write())
}

/// Gives the session the role and the settings that it began with.
pub(crate) const RESET: [&str; 3] = ["RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET ALL"];

const CLEAN_UP: [&str; 5] = [
    "CLOSE ALL",
    "UNLISTEN *",
    "SELECT pg_catalog.pg_advisory_unlock_all()",
    "DISCARD TEMP",
    "DISCARD SEQUENCES",
];

/// Sets the search path that the role's next session begins with: a migration may have changed it with `ALTER ROLE` or
/// `ALTER DATABASE`. The most special setting wins.
fn next_search_path() -> [String; 3] {
    let [keep, safe] = enter(&[]);
    let next = format!(
        "SELECT pg_catalog.set_config('search_path', COALESCE((\
           SELECT pg_catalog.substr(c.setting, 13) FROM pg_catalog.pg_db_role_setting AS s, \
             pg_catalog.unnest(s.setconfig) AS c (setting) \
           WHERE pg_catalog.starts_with(c.setting, 'search_path=') \
             AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user)) \
             AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) \
           ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC LIMIT 1), {}), true)",
        captured("search_path")
    );
    [keep, safe, next]
}
