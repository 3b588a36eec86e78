//! The progress of a run, visible from outside: for signals, the report and the terminal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zerostarter_connect::Canceller;
use zerostarter_diagnostic::duration::millis;

use crate::ledger::{Applied, Snapshot};
use crate::source::Migration;

/// A migration that the server has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The migration.
    pub label: String,
    /// Its version.
    pub version: i64,
    /// From sending the last attempt to its confirmation.
    pub took: Duration,
    /// The number of attempts; more than one after lock conflicts.
    pub attempts: u32,
}

/// What the server is doing with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// In words: the phase of the statement, or the lock that it waits for.
    pub text: String,
    /// How much of the phase is done, if the server reports it.
    pub percent: Option<u8>,
}

/// What has been sent in one transaction.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The migration, or the first and the last of several.
    pub name: String,
    migrations: Vec<SentMigration>,
    /// When it was sent.
    pub at: Instant,
    /// What the server is doing with it.
    pub activity: Option<Activity>,
}

#[derive(Clone, Debug)]
struct SentMigration {
    label: String,
    version: i64,
    checksum: String,
}

impl Sent {
    /// `migrations`, sent now under `name`.
    #[must_use]
    pub fn now(name: String, migrations: &[&Migration]) -> Self {
        let migrations = migrations.iter().map(|migration| SentMigration {
            label: migration.label.clone(),
            version: migration.version(),
            checksum: migration.checksum().to_string(),
        });
        Self {
            name,
            migrations: migrations.collect(),
            at: Instant::now(),
            activity: None,
        }
    }
}

/// The progress of a run.
#[derive(Debug, Default)]
pub struct Progress(Mutex<State>);

/// The state of a run at one moment.
#[derive(Debug, Default)]
pub struct State {
    /// The migrations that the run has applied, in order.
    pub applied: Vec<Done>,
    /// The schema of the history table.
    pub schema: Option<String>,
    /// How many migrations were pending at the first look.
    pub pending: Option<usize>,
    /// The position in the write-ahead log, and the time, before the first change.
    pub recovery_point: Option<(String, String)>,
    /// How many attempts at the next migration have failed with a lock conflict.
    pub lock_conflicts: u32,
    /// The blockers that were seen last.
    pub blocked_by: Option<String>,
    /// What was sent and is not answered yet.
    pub running: Option<Sent>,
    /// Whether a terminal shows the progress, so that the log does not repeat it.
    pub is_drawn: bool,
    /// What was running when the connection was lost, until the history table shows whether it was committed.
    pub(crate) in_doubt: Option<Sent>,
    /// The leftovers of a non-transactional migration that was not recorded.
    pub(crate) leftovers: Option<String>,
    /// The migration of which a step ran last, and how many of its steps have run.
    pub(crate) steps_done: Option<(String, usize)>,
    /// The transaction that holds the lock during a non-transactional migration: its process and start.
    pub(crate) guard: Option<String>,
    /// A signal has arrived: the run begins nothing more.
    pub(crate) is_stopping: bool,
    /// How many connections were given up for dead.
    pub(crate) given_up: u32,
    /// The server has confirmed that what was running failed.
    pub(crate) is_rolled_back: bool,
    /// The first schema of the search path that a migration has left, if the log has named it.
    next_schema: Option<String>,
    /// Cancels the statements of the connection that the run works on.
    pub(crate) canceller: Option<Arc<Canceller>>,
}

impl Progress {
    /// Locks the state. Do not await anything while the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes what the server is doing with what is running.
    pub(crate) fn set_activity(&mut self, activity: Option<Activity>) {
        if let Some(sent) = &mut self.running {
            sent.activity = activity;
        }
    }

    /// Notes the schema that the next run begins with. Whether that is news.
    pub(crate) fn note_next_schema(&mut self, schema: &str) -> bool {
        self.next_schema.replace(schema.to_owned()).as_deref() != Some(schema)
    }

    /// Notes that an attempt ended with a lock conflict and was rolled back.
    pub(crate) fn note_lock_conflict(&mut self, blocked_by: Option<String>) {
        self.running = None;
        self.leftovers = None;
        self.lock_conflicts += 1;
        self.blocked_by = blocked_by.or(self.blocked_by.take());
    }

    /// Notes that the connection was lost, and with it the answer to what is running.
    pub(crate) fn note_lost_connection(&mut self) {
        self.in_doubt = self.running.take().or(self.in_doubt.take());
    }

    /// Lists as applied what was in doubt and is in the history table. Another instance may have applied it meanwhile, so the
    /// log only says that it is committed. What is not in the history table stays in doubt: the server may not have noticed
    /// yet that its client is gone.
    ///
    /// What was applied and is gone from the history table is pending again: the server that answers now has lost it.
    pub(crate) fn settle(&mut self, history: &[Applied]) {
        let is_known = |version| history.iter().any(|row| row.version == version);
        let (applied, lost): (Vec<Done>, Vec<Done>) = std::mem::take(&mut self.applied)
            .into_iter()
            .partition(|done| is_known(done.version));
        self.applied = applied;
        for Done { label, version, .. } in lost {
            tracing::warn!(
                migration = label,
                version,
                "{label} was applied and confirmed, but the server that answers now does not have it, as after a failover to an asynchronous standby"
            );
        }
        let Some(sent) = self.in_doubt.take() else {
            return;
        };
        let is_in_history = |migration: &&SentMigration| {
            history.iter().any(|row| {
                row.version == migration.version && row.checksum.as_ref() == Some(&migration.checksum)
            })
        };
        let committed: Vec<_> = sent.migrations.iter().filter(is_in_history).collect();
        if committed.is_empty() {
            self.in_doubt = Some(sent);
            return;
        }
        self.leftovers = None;
        let (took, attempts) = (sent.at.elapsed(), 1 + std::mem::take(&mut self.lock_conflicts));
        for SentMigration { label, version, .. } in committed {
            tracing::info!(
                migration = label,
                version,
                ms = millis(took),
                "{label} was running when the connection was lost, and is committed"
            );
            self.applied.push(Done {
                label: label.clone(),
                version: *version,
                took,
                attempts,
            });
        }
    }

    /// What was sent and is not known to be applied.
    #[must_use]
    pub fn unfinished(&self) -> Option<String> {
        let sent = self.running.as_ref().or(self.in_doubt.as_ref());
        sent.map(|sent| sent.name.clone())
    }

    /// Notes what was found before the first change of the run.
    pub(crate) fn note(&mut self, snapshot: &Snapshot, pending: usize) {
        self.schema.get_or_insert_with(|| snapshot.schema.clone());
        self.pending.get_or_insert(pending);
        if self.recovery_point.is_none() {
            let time = snapshot.server_time.clone();
            self.recovery_point = snapshot.wal_position.clone().map(|position| (position, time));
        }
    }

    /// The migrations that were applied.
    pub(crate) fn applied_labels(&self) -> Vec<String> {
        self.applied.iter().map(|done| done.label.clone()).collect()
    }
}
