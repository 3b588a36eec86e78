//! How far a run has come: known outside of it, so that it can be stopped, and said when it was.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::catalog::Snapshot;
use crate::connection::Brake;
use crate::duration::millis;
use crate::history::Applied;
use crate::source::SourceFile;

/// A migration that the server has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The migration.
    pub stem: String,
    /// Its version.
    pub version: i64,
    /// From sending it to its confirmation, the last time.
    pub took: Duration,
    /// How often it was tried; more than once where it lost against the locks of others.
    pub tries: u32,
}

/// How far the server has come with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) text: String,
    /// Of the statement's present phase, where the server tells.
    pub(crate) percent: Option<u8>,
}

/// What has been sent in one transaction.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// How messages name it.
    pub(crate) name: String,
    migrations: Vec<SentMigration>,
    /// When.
    pub(crate) at: Instant,
    /// How far the server has come with it, or whom it waits for.
    pub(crate) stage: Option<Stage>,
}

#[derive(Clone, Debug)]
struct SentMigration {
    stem: String,
    version: i64,
    checksum: String,
}

impl Sent {
    pub(crate) fn now(name: String, files: &[&SourceFile]) -> Self {
        let migrations = files.iter().map(|file| SentMigration {
            stem: file.stem.clone(),
            version: file.version(),
            checksum: file.checksum().to_string(),
        });
        Self {
            name,
            migrations: migrations.collect(),
            at: Instant::now(),
            stage: None,
        }
    }
}

/// How far a run has come.
#[derive(Debug, Default)]
pub struct Progress(Mutex<State>);

/// What is known of a run at one moment.
#[derive(Debug, Default)]
pub struct State {
    /// What the run has applied, in order.
    pub applied: Vec<Done>,
    /// The schema of the history.
    pub(crate) schema: Option<String>,
    /// How many migrations were pending when the run first looked.
    pub(crate) pending: Option<usize>,
    /// The position in the write-ahead log and the time before the first change.
    pub(crate) recovery_point: Option<(String, String)>,
    /// How often the migration that is up next has lost against the locks of others.
    pub(crate) tries: u32,
    /// Who was last seen in the way.
    pub(crate) blocked_by: Option<String>,
    /// The migration that has been sent and not been answered.
    pub(crate) under_way: Option<Sent>,
    /// Whether the progress is drawn on a terminal, so that the log need not tell it.
    pub(crate) is_drawn: bool,
    /// What was under way when the connection was lost, until the history says what became of it.
    pub(crate) in_doubt: Option<Sent>,
    /// What remains of a migration that ran outside a transaction and was not recorded.
    pub(crate) remains: Option<String>,
    /// The transaction that holds the lock while a migration runs outside of it, as the server knows it.
    pub(crate) guard: Option<String>,
    /// A signal has come: nothing more is begun.
    pub(crate) is_stopping: bool,
    /// The server has said that what was under way failed.
    pub(crate) is_rolled_back: bool,
    /// What stops the connection that the run works on.
    pub(crate) brake: Option<Arc<Brake>>,
}

impl Progress {
    /// The state, for as long as what is returned lives. Nothing that waits may be done meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The server has come so far with what is under way.
    pub(crate) fn set_stage(&mut self, stage: Option<Stage>) {
        if let Some(sent) = &mut self.under_way {
            sent.stage = stage;
        }
    }

    /// A try has lost against the locks of others, and was rolled back.
    pub(crate) fn lose(&mut self, blocked_by: Option<String>) {
        self.under_way = None;
        self.remains = None;
        self.tries += 1;
        self.blocked_by = blocked_by.or(self.blocked_by.take());
    }

    /// The connection is lost, and with it the answer to what is under way.
    pub(crate) fn doubt(&mut self) {
        self.in_doubt = self.under_way.take().or(self.in_doubt.take());
    }

    /// Lists what was in doubt and is in the history. Who has put it there cannot be known: another copy may have
    /// done so meanwhile. It was sent by this run and it is applied, which is all that is said. What is not in the
    /// history stays in doubt: the server may not have noticed yet that its client is gone.
    pub(crate) fn settle(&mut self, history: &[Applied]) {
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
        self.remains = None;
        let (took, tries) = (sent.at.elapsed(), 1 + std::mem::take(&mut self.tries));
        for SentMigration { stem, version, .. } in committed {
            tracing::info!(
                migration = stem,
                version,
                ms = millis(took),
                "{stem} was under way when the connection was lost, and is committed"
            );
            self.applied.push(Done {
                stem: stem.clone(),
                version: *version,
                took,
                tries,
            });
        }
    }

    /// What has been sent and is not known to be applied.
    pub(crate) fn unfinished(&self) -> Option<String> {
        let sent = self.under_way.as_ref().or(self.in_doubt.as_ref());
        sent.map(|sent| sent.name.clone())
    }

    /// Remembers what was found before the first change of the run.
    pub(crate) fn note(&mut self, snapshot: &Snapshot, pending: usize) {
        self.schema.get_or_insert_with(|| snapshot.schema.clone());
        self.pending.get_or_insert(pending);
        if self.recovery_point.is_none() {
            let time = snapshot.server_time.clone();
            self.recovery_point = snapshot.wal_position.clone().map(|position| (position, time));
        }
    }

    /// The names of what was applied.
    pub(crate) fn applied_names(&self) -> Vec<String> {
        self.applied.iter().map(|done| done.stem.clone()).collect()
    }
}
