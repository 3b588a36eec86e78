//! The algorithm: read, compare, check, apply one by one.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use refinery_core::Runner;
use tokio::time::{Instant, timeout};
use zerostarter_connect::Connection;
use zerostarter_connect::attempt::AttemptError;
use zerostarter_connect::config::variables_with_direct_url;
use zerostarter_connect::connect::connect;
use zerostarter_connect::create_database::create_database;
use zerostarter_diagnostic::regular_file;
use zerostarter_diagnostic::signal::Signal;
use zerostarter_settings::{Reader, Settings};

use super::announcement::{log_nothing_to_do, log_pending};
use super::checks;
use super::error::Error;
use super::pass_end::{PassEnd, pass_end};
use super::pending::Pending;
use super::reading;
use super::retries::Retries;
use super::session::Session;
use super::worker;
use crate::config::{APPLY_VARIABLES, Config, TARGET, VARIABLES};
use crate::ledger::{self, Comparison, Ledger, Snapshot};
use crate::source::{self, Migration, Source};
use crate::sql::Contents;
use crate::watch::{Progress, join};

/// How long the server may take to confirm that it has cancelled a statement.
const CANCEL_LIMIT: Duration = Duration::from_millis(900);

/// Applies the migrations of one source to one database.
#[derive(Clone, Debug)]
pub struct Migrator {
    config: Config,
    ledger: Ledger,
    migrations: Vec<Migration>,
}

impl Migrator {
    /// A migrator of the migrations in `source`.
    ///
    /// # Errors
    ///
    /// [`source::Error`], naming the migration file that cannot be used.
    pub fn new(config: Config, source: &Source) -> Result<Self, source::Error> {
        Ok(Self {
            migrations: source.load()?,
            ledger: Ledger::of(source),
            config,
        })
    }

    /// A migrator with the settings of the environment and the `.env` files of the working directory, for a program with
    /// `embedded` migrations.
    ///
    /// # Errors
    ///
    /// Every problem with every variable, and those of [`Migrator::new`].
    pub fn from_environment(embedded: Source) -> Result<Self, Error> {
        let variables = variables_with_direct_url().chain(VARIABLES);
        let variables = variables.chain(APPLY_VARIABLES).chain([&TARGET]);
        let settings = Settings::of_process(variables)?;
        let mut reader = Reader::new(&settings, &regular_file::read);
        let config = Config::load(&mut reader);
        let config = reader.finish(config)?;
        let source = config.source(embedded)?;
        Ok(Self::new(config, &source)?)
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The kind of its history table.
    pub(super) fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// Its migrations, ordered by version.
    #[must_use]
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// The labels of the migrations at `indexes` of [`Migrator::migrations`].
    #[must_use]
    pub fn labels(&self, indexes: &[usize]) -> Vec<String> {
        let label = |index: &usize| self.migrations[*index].label.clone();
        indexes.iter().map(label).collect()
    }

    /// Applies what is pending, through lost connections, lock conflicts and other migrators. After a signal from
    /// `interrupt`, it cancels what is running.
    ///
    /// # Errors
    ///
    /// See [`Error`]. What was applied before an error stays applied; `progress` lists it.
    pub async fn migrate(
        &self,
        interrupt: impl Future<Output = Signal>,
        progress: &Progress,
    ) -> Result<(), Error> {
        let mut work = pin!(self.run(progress));
        let signal = match select(work.as_mut(), pin!(interrupt)).await {
            Either::Left((outcome, _)) => return outcome,
            Either::Right((signal, _)) => signal,
        };
        progress.lock().is_stopping = true;
        let canceller = progress.lock().canceller.clone();
        if let Some(canceller) = canceller {
            let cancelling = async {
                canceller.cancel().await;
                std::future::pending::<Infallible>().await
            };
            // So that the server has rolled back, and the lock is free, before this process exits.
            match timeout(CANCEL_LIMIT, select(work, pin!(cancelling))).await {
                Ok(Either::Left((Ok(()), _))) => return Ok(()),
                Ok(Either::Left((Err(_), _))) | Err(_) => {}
                Ok(Either::Right((never, _))) => match never {},
            }
        }
        let state = progress.lock();
        Err(Error::Interrupted {
            signal,
            running: state.unfinished(),
            // An error now says nothing about what was running when an earlier connection was lost.
            is_confirmed: state.is_rolled_back && state.running.is_some(),
            leftovers: state.leftovers.clone(),
            applied: state.applied_labels(),
        })
    }

    /// Reads the state of the database on a separate connection. Changes nothing.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        reading::read_once(&self.config, self.ledger, &self.migrations).await
    }

    /// Reads the state of the database on `connection`. Changes nothing. A transient failure is
    /// [`SnapshotFailure::Lost`].
    ///
    /// # Errors
    ///
    /// [`SnapshotFailure`].
    pub async fn snapshot_on(&self, connection: &Connection) -> Result<Snapshot, SnapshotFailure> {
        match reading::read_state(connection, &self.config, self.ledger, &self.migrations).await {
            Ok(snapshot) => Ok(snapshot),
            Err(error) if error.is_transient() => Err(SnapshotFailure::Lost(error)),
            Err(error) => {
                let error = reading::reading_failed(connection, &self.config, self.ledger, error).await;
                Err(SnapshotFailure::Failed(error))
            }
        }
    }

    /// How the history table and the migrations compare, with all conflicts. Logs nothing.
    #[must_use]
    pub fn comparison(&self, snapshot: &Snapshot) -> Comparison {
        snapshot.compare(&self.migrations, self.config.policy)
    }

    /// Compares the history table with the migrations.
    ///
    /// # Errors
    ///
    /// [`ledger::Error`]: they disagree, or the history table is in another schema.
    pub fn compare(&self, snapshot: &Snapshot) -> Result<Comparison, ledger::Error> {
        checks::compare(&self.config, snapshot, &self.migrations)
    }

    /// The pending migrations up to `MIGRATE_TARGET`, as indexes of [`Migrator::migrations`].
    ///
    /// # Errors
    ///
    /// Those of [`Migrator::compare`], and [`Error::UnknownTarget`].
    pub fn pending(&self, snapshot: &Snapshot) -> Result<Vec<usize>, Error> {
        checks::up_to_target(&self.config, &self.migrations, &self.compare(snapshot)?)
    }

    /// Checks the contents of the pending files and the privileges, and returns the contents.
    ///
    /// # Errors
    ///
    /// [`Error::Preflight`], and [`ledger::Error::Denied`] for a missing privilege.
    pub fn inspect(&self, snapshot: &Snapshot, pending: &[usize]) -> Result<Vec<Contents>, Error> {
        checks::inspect(&self.config, snapshot, &self.migrations, pending)
    }

    /// Passes over the pending migrations until one pass ends in success or in an error that a retry cannot help.
    async fn run(&self, progress: &Progress) -> Result<(), Error> {
        let mut run = Run {
            migrator: self,
            progress,
            logged_pending: None,
            has_tried_worker: false,
            lost_during: None,
        };
        let mut retries = Retries::new(&self.config, self.ledger);
        let mut connection = connect_or_create(&self.config, retries.connect_deadline()).await?;
        loop {
            let applied_before = progress.lock().applied.len();
            progress.lock().canceller = Some(Arc::clone(connection.canceller()));
            let end = match run.pass(&connection).await {
                Ok(()) => {
                    connection.close().await;
                    return Ok(());
                }
                Err(end) => end,
            };
            progress.lock().canceller = None;
            if let PassEnd::Lost(lost) = &end {
                if let Some(error) = run.lost_twice(lost) {
                    return Err(error);
                }
                progress.lock().note_lost_connection();
            }
            if progress.lock().applied.len() > applied_before {
                retries = Retries::new(&self.config, self.ledger);
            }
            match end {
                PassEnd::Fatal(error) => {
                    // Known from here on, however long Terminate takes.
                    progress.lock().is_rolled_back = true;
                    connection.close().await;
                    return Err(error.after(progress.lock().applied_labels()));
                }
                // A new connection would begin again what a signal stops.
                PassEnd::Lost(error) if progress.lock().is_stopping => {
                    return Err(Error::Engine(error.to_string()));
                }
                PassEnd::Lost(error) => {
                    connection.abandon();
                    connection = retries.reconnect(error).await?;
                }
                PassEnd::Contended {
                    reason,
                    schema,
                    holder,
                } => {
                    progress.lock().running = None;
                    retries
                        .wait_for_other(&connection, &reason, &schema, holder)
                        .await?;
                }
                PassEnd::LockConflict(conflict) => {
                    let blocked_by = conflict.wait.as_ref().map(|wait| join(&wait.blockers));
                    progress.lock().note_lock_conflict(blocked_by);
                    retries.wait_for_locks(conflict).await?;
                }
            }
        }
    }
}

/// Why the state of the database could not be read on a given connection.
#[derive(Debug)]
pub enum SnapshotFailure {
    /// The connection was lost; another one may succeed.
    Lost(AttemptError),
    /// Another error.
    Failed(Error),
}

/// A run, over however many connections and attempts it takes.
struct Run<'a> {
    migrator: &'a Migrator,
    progress: &'a Progress,
    /// The number of pending migrations in the log, so that further attempts do not repeat it.
    logged_pending: Option<usize>,
    /// Whether the second connection for non-transactional migrations was opened once.
    has_tried_worker: bool,
    /// What was running when the connection was lost before.
    lost_during: Option<String>,
}

impl Run<'_> {
    /// One pass on one connection: the checklist.
    async fn pass(&mut self, connection: &Connection) -> Result<(), PassEnd> {
        let Migrator {
            config,
            ledger,
            migrations,
        } = self.migrator;
        let snapshot = reading::read(connection, config, *ledger, migrations).await?;
        self.progress.lock().settle(snapshot.applied());
        let pending = self.migrator.pending(&snapshot)?;
        if pending.is_empty() {
            log_nothing_to_do(&snapshot, &self.migrator.migrations);
            return Ok(());
        }
        let contents = self.migrator.inspect(&snapshot, &pending)?;
        let migrations = pending.iter().map(|index| &self.migrator.migrations[*index]);
        let pending: Vec<Pending<'_>> = migrations
            .zip(contents)
            .map(|(migration, contents)| Pending { migration, contents })
            .collect();
        self.try_worker(connection, &snapshot, &pending).await?;
        self.note(&snapshot, pending.len());
        self.apply(connection, &snapshot, pending).await
    }

    /// The end of the run, if the same migration was running at two losses: it would crash the server without end. A server
    /// that only stopped answering has not crashed.
    fn lost_twice(&mut self, lost: &AttemptError) -> Option<Error> {
        let state = self.progress.lock();
        let running = state
            .running
            .as_ref()
            .filter(|_| !state.is_stopping)?
            .name
            .clone();
        let is_crash = !matches!(lost, AttemptError::TimedOut(_));
        if is_crash && self.lost_during.as_ref() == Some(&running) {
            return Some(Error::LostTwice {
                label: running,
                reason: lost.to_string(),
                applied: state.applied_labels(),
            });
        }
        self.lost_during = is_crash.then_some(running);
        None
    }

    async fn try_worker(
        &mut self,
        connection: &Connection,
        snapshot: &Snapshot,
        pending: &[Pending<'_>],
    ) -> Result<(), PassEnd> {
        worker::terminate_lost_guard(connection, self.progress)
            .await
            .map_err(|failure| pass_end(failure, None, &snapshot.schema))?;
        if !self.has_tried_worker {
            worker::rehearse(connection, &self.migrator.config, snapshot, pending)
                .await
                .map_err(|failure| pass_end(failure, None, &snapshot.schema))?;
            self.has_tried_worker = true;
        }
        Ok(())
    }

    async fn apply(
        &mut self,
        connection: &Connection,
        snapshot: &Snapshot,
        pending: Vec<Pending<'_>>,
    ) -> Result<(), PassEnd> {
        let config = &self.migrator.config;
        if snapshot.ledger.own_schema().is_some() {
            let preparation = snapshot.prepare_drizzle(&self.migrator.migrations);
            let mut session = Session::new(connection, config, snapshot, pending, self.progress);
            return match session.apply_drizzle(preparation).await {
                Ok(()) => Ok(()),
                Err(failure) => Err(pass_end(failure, session.blocked, &snapshot.schema)),
            };
        }
        let listed: Vec<_> = pending
            .iter()
            .map(|pending| pending.migration.without_text())
            .collect();
        let mut runner = Runner::new(&listed).set_grouped(config.atomic);
        runner.set_migration_table_name(snapshot.history_table());
        let mut session = Session::new(connection, config, snapshot, pending, self.progress);
        let outcome = runner.run_async(&mut session).await;
        match (outcome, session.failure) {
            (Ok(_), _) => Ok(()),
            (Err(_), Some(failure)) => Err(pass_end(failure, session.blocked, &snapshot.schema)),
            (Err(error), None) => Err(PassEnd::Fatal(Error::Engine(error.to_string()))),
        }
    }

    /// Logs and notes what is pending, if that is news.
    fn note(&mut self, snapshot: &Snapshot, count: usize) {
        if self.logged_pending.replace(count) != Some(count) {
            let Migrator {
                config, migrations, ..
            } = self.migrator;
            log_pending(snapshot, count, migrations.len(), &config.database.url.database);
            for remark in self.migrator.comparison(snapshot).remarks {
                tracing::info!("{remark}");
            }
            self.progress.lock().note(snapshot, count);
        }
    }
}

async fn connect_or_create(config: &Config, deadline: Instant) -> Result<Connection, Error> {
    match connect(&config.database, deadline).await {
        Err(error) if config.create_database && error.is_missing_database() => {
            Ok(create_database(&config.database, deadline).await?)
        }
        outcome => Ok(outcome?),
    }
}
