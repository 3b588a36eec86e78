//! The algorithm: read, compare, inspect, apply one by one.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use refinery_core::{Runner, Target};
use tokio::time::{Instant, timeout};

use crate::alone;
use crate::attempt::AttemptError;
use crate::blocker::{Blocker, Wait, find_history_locker, join};
use crate::catalog::{self, Snapshot};
use crate::config::{Ahead, Config};
use crate::connect::{connect, create_database};
use crate::connection::{ATTEMPT_LIMIT, Connection};
use crate::error::{Denial, Error};
use crate::history::{Comparison, Conflict, HISTORY_TABLE, compare};
use crate::interrupt::Signal;
use crate::interruption::{Interruption, interruption, is_beaten};
use crate::patience::{Defeat, Patience};
use crate::preflight;
use crate::progress::Progress;
use crate::session::Session;
use crate::source::SourceFile;

/// How long the server may take to say that it has cancelled a statement.
const STOPPING_LIMIT: Duration = Duration::from_millis(900);

/// Applies what is pending, whatever else happens to the connection or is done by other migrators meanwhile.
/// When `interrupt` is done, it cancels what is under way.
///
/// # Errors
///
/// See [`Error`]; whatever was applied before an error stays applied.
pub async fn migrate(
    config: &Config,
    files: &[SourceFile],
    interrupt: impl Future<Output = Signal>,
    progress: &Progress,
) -> Result<(), Error> {
    let mut work = pin!(run(config, files, progress));
    let signal = match select(work.as_mut(), pin!(interrupt)).await {
        Either::Left((outcome, _)) => return outcome,
        Either::Right((signal, _)) => signal,
    };
    progress.lock().is_stopping = true;
    let brake = progress.lock().brake.clone();
    if let Some(brake) = brake {
        let pulling = async {
            brake.pull().await;
            std::future::pending::<Infallible>().await
        };
        // So that the server has rolled back, and the lock is free, before we are gone.
        match timeout(STOPPING_LIMIT, select(work, pin!(pulling))).await {
            Ok(Either::Left((Ok(()), _))) => return Ok(()),
            Ok(Either::Left((Err(_), _))) | Err(_) => {}
            Ok(Either::Right((never, _))) => match never {},
        }
    }
    let state = progress.lock();
    Err(Error::Interrupted {
        signal,
        under_way: state.unfinished(),
        // The end of what is under way now says nothing about what was when an earlier connection was lost.
        is_confirmed: state.is_rolled_back && state.under_way.is_some(),
        remains: state.remains.clone(),
        applied: state.applied_names(),
    })
}

async fn run(config: &Config, files: &[SourceFile], progress: &Progress) -> Result<(), Error> {
    let mut migrator = Migrator {
        config,
        files,
        progress,
        told: None,
        has_rehearsed: false,
    };
    let mut patience = Patience::new(config);
    let mut connection = connect_or_create(config, patience.connect_deadline()).await?;
    loop {
        let applied_before = progress.lock().applied.len();
        progress.lock().brake = Some(Arc::clone(connection.brake()));
        let interruption = match migrator.pass(&connection).await {
            Ok(()) => {
                connection.close().await;
                return Ok(());
            }
            Err(interruption) => interruption,
        };
        progress.lock().brake = None;
        if let Interruption::Lost(_) = interruption {
            progress.lock().doubt();
        }
        if progress.lock().applied.len() > applied_before {
            patience = Patience::new(config);
        }
        match interruption {
            Interruption::Fatal(error) => {
                // Known from here on, however long the farewell takes.
                progress.lock().is_rolled_back = true;
                connection.close().await;
                return Err(with_applied(error, progress));
            }
            // A new connection would begin anew what is to be stopped.
            Interruption::Lost(error) if progress.lock().is_stopping => {
                return Err(Error::Engine(error.to_string()));
            }
            Interruption::Lost(error) => connection = patience.reconnect(error).await?,
            Interruption::Contended {
                reason,
                schema,
                holder,
            } => {
                progress.lock().under_way = None;
                patience
                    .wait_for_other(&connection, &reason, &schema, holder)
                    .await?;
            }
            Interruption::Beaten(defeat) => {
                progress
                    .lock()
                    .lose(defeat.wait.as_ref().map(|wait| join(&wait.blockers)));
                patience.wait_for_locks(defeat).await?;
            }
        }
    }
}

/// A run, over however many connections and tries it takes.
struct Migrator<'a> {
    config: &'a Config,
    files: &'a [SourceFile],
    progress: &'a Progress,
    /// How many pending migrations the log knows of, so that further tries do not repeat it.
    told: Option<usize>,
    /// Whether the second connection for files that run outside a transaction was seen to be there.
    has_rehearsed: bool,
}

impl Migrator<'_> {
    /// One pass on one connection: the checklist.
    async fn pass(&mut self, connection: &Connection) -> Result<(), Interruption> {
        let Self { config, files, .. } = *self;
        let snapshot = read(connection, config).await?;
        self.progress.lock().settle(snapshot.applied());
        let comparison = agree(config, &snapshot, files)?;
        let pending = pending_up_to_target(config, files, &comparison)?;
        if pending.is_empty() {
            tell_nothing_to_do(&snapshot, files);
            return Ok(());
        }
        inspect(config, &snapshot, files, &pending)?;
        self.rehearse(connection, &snapshot, &pending).await?;
        if self.told.replace(pending.len()) != Some(pending.len()) {
            tell_what_comes(config, &snapshot, files, &pending);
            self.progress.lock().note(&snapshot, pending.len());
        }
        self.apply(connection, &snapshot, &pending).await
    }

    async fn rehearse(
        &mut self,
        connection: &Connection,
        snapshot: &Snapshot,
        pending: &[usize],
    ) -> Result<(), Interruption> {
        alone::end_lost_guard(connection, self.progress)
            .await
            .map_err(|failure| interruption(failure, None, &snapshot.schema))?;
        if !self.has_rehearsed {
            let pending = pending.iter().map(|index| &self.files[*index]);
            alone::rehearse(connection, self.config, snapshot, pending)
                .await
                .map_err(|failure| interruption(failure, None, &snapshot.schema))?;
            self.has_rehearsed = true;
        }
        Ok(())
    }

    async fn apply(
        &mut self,
        connection: &Connection,
        snapshot: &Snapshot,
        pending: &[usize],
    ) -> Result<(), Interruption> {
        let Self { config, files, .. } = *self;
        let migrations: Vec<_> = files.iter().map(|file| file.migration().clone()).collect();
        let target = config.target.map_or(Target::Latest, Target::Version);
        let mut runner = Runner::new(&migrations)
            .set_target(target)
            .set_grouped(config.atomic);
        runner.set_migration_table_name(snapshot.history_table());
        let mut session = Session::new(connection, config, snapshot, files, pending, self.progress);
        let outcome = runner.run_async(&mut session).await;
        match (outcome, session.failure) {
            (Ok(_), _) => Ok(()),
            (Err(_), Some(failure)) => Err(interruption(failure, session.blocked, &snapshot.schema)),
            (Err(error), None) => Err(Interruption::Fatal(Error::Engine(error.to_string()))),
        }
    }
}

async fn connect_or_create(config: &Config, deadline: Instant) -> Result<Connection, Error> {
    match connect(config, deadline).await {
        Err(error) if config.create_database && error.is_missing_database() => {
            create_database(config, deadline).await?;
            connect(config, deadline).await
        }
        outcome => outcome,
    }
}

fn with_applied(error: Error, progress: &Progress) -> Error {
    match error {
        Error::Migration { rejection, .. } => Error::Migration {
            rejection,
            applied: progress.lock().applied_names(),
        },
        error => error,
    }
}

async fn read(connection: &Connection, config: &Config) -> Result<Snapshot, Interruption> {
    let error = match catalog::read(connection.client(), config).await {
        Ok(snapshot) => return Ok(snapshot),
        Err(error) if error.is_transient() => return Err(Interruption::Lost(error)),
        Err(error) => error,
    };
    if !error.sql_state().is_some_and(is_beaten) {
        return Err(Interruption::Fatal(Error::reading_failed(error)));
    }
    Err(Interruption::Beaten(Defeat {
        stem: None,
        reason: error.to_string(),
        wait: history_locker(connection, config).await.map(|holder| Wait {
            since: String::new(),
            waited: Duration::ZERO,
            relation: Some(HISTORY_TABLE.to_owned()),
            is_for_transaction: false,
            blockers: vec![holder],
        }),
    }))
}

/// Who has locked the history, as far as that can be seen.
async fn history_locker(connection: &Connection, config: &Config) -> Option<Blocker> {
    let finding = find_history_locker(connection, config.url.parameters.schema.as_deref());
    timeout(ATTEMPT_LIMIT, finding).await.ok()?.ok()?
}

/// The failure of reading the history, for a command that only looks.
pub(crate) async fn reading_failed(connection: &Connection, config: &Config, failure: AttemptError) -> Error {
    if failure.sql_state().is_some_and(is_beaten) {
        Error::HistoryLocked {
            answer: failure.to_string(),
            holder: history_locker(connection, config).await.map(Box::new),
        }
    } else {
        Error::reading_failed(failure)
    }
}

/// The history and the migrations agree, or there is an error that says where they do not.
///
/// # Errors
///
/// [`Error::Conflicts`] or [`Error::HistoryElsewhere`].
pub fn agree(config: &Config, snapshot: &Snapshot, files: &[SourceFile]) -> Result<Comparison, Error> {
    if let Some(found) = &snapshot.history_elsewhere {
        let chosen_by_hand = config
            .url
            .parameters
            .options
            .as_deref()
            .is_some_and(|options| options.contains("search_path"));
        if !chosen_by_hand {
            return Err(Error::HistoryElsewhere {
                found: found.clone(),
                schema: snapshot.schema.clone(),
            });
        }
    }
    let mut comparison = compare(snapshot.applied(), files);
    if let (false, Some(newest)) = (comparison.ahead.is_empty(), files.last()) {
        let applied = comparison.ahead.clone();
        match config.ahead {
            Ahead::Refuse => comparison.conflicts.push(Conflict::Ahead {
                applied,
                newest: newest.path.clone(),
            }),
            Ahead::Allow => tracing::warn!(
                ahead = applied.join(", "),
                "the database is ahead of this program: it has {}, and the newest here is {}",
                applied.join(", "),
                newest.stem
            ),
        }
    }
    if comparison.conflicts.is_empty() {
        Ok(comparison)
    } else {
        Err(Error::Conflicts(comparison.conflicts))
    }
}

/// The pending migrations, without those above `MIGRATE_TARGET`.
///
/// # Errors
///
/// [`Error::UnknownTarget`] for a version that no migration has.
pub fn pending_up_to_target(
    config: &Config,
    files: &[SourceFile],
    comparison: &Comparison,
) -> Result<Vec<usize>, Error> {
    let Some(target) = config.target else {
        return Ok(comparison.pending.clone());
    };
    if !files.iter().any(|file| file.version() == i64::from(target)) {
        return Err(Error::UnknownTarget {
            target,
            newest: files.last().map(|file| file.stem.clone()),
        });
    }
    Ok(comparison
        .pending
        .iter()
        .copied()
        .filter(|index| files[*index].version() <= i64::from(target))
        .collect())
}

/// Everything that can be known to go wrong is found before the first file changes anything.
///
/// # Errors
///
/// [`Error::Preflight`] for what is in the files, [`Error::Denied`] for rights that are missing.
pub fn inspect(
    config: &Config,
    snapshot: &Snapshot,
    files: &[SourceFile],
    pending: &[usize],
) -> Result<(), Error> {
    if pending.is_empty() {
        return Ok(());
    }
    let pending: Vec<&SourceFile> = pending.iter().map(|index| &files[*index]).collect();
    let findings = preflight::inspect(
        &pending,
        config.url.transaction_pooler_sign().is_some(),
        config.atomic,
    );
    if !findings.is_empty() {
        return Err(Error::Preflight(findings));
    }
    let (role, schema) = (snapshot.role.clone(), snapshot.schema.clone());
    if snapshot.in_recovery {
        Err(Error::Denied(Denial::Standby))
    } else if !snapshot.schema_exists {
        Err(Error::Denied(Denial::NoSchema { schema }))
    } else if snapshot.history.is_none() && !snapshot.may_create {
        Err(Error::Denied(Denial::Create { role, schema }))
    } else if snapshot.history.is_some() && !snapshot.may_record {
        Err(Error::Denied(Denial::Record {
            role,
            table: snapshot.history_table(),
        }))
    } else {
        Ok(())
    }
}

fn tell_nothing_to_do(snapshot: &Snapshot, files: &[SourceFile]) {
    let applied = snapshot.applied().len();
    let versions: Vec<i64> = snapshot.applied().iter().map(|row| row.version).collect();
    let newest = files
        .iter()
        .rfind(|file| versions.binary_search(&file.version()).is_ok())
        .map_or("none", |file| file.stem.as_str());
    tracing::info!(
        applied,
        newest,
        "nothing to do: the database has all migrations up to {newest}"
    );
}

fn tell_what_comes(config: &Config, snapshot: &Snapshot, files: &[SourceFile], pending: &[usize]) {
    let (count, schema, database) = (pending.len(), &snapshot.schema, &config.url.database);
    tracing::info!(
        pending = count,
        total = files.len(),
        schema,
        database,
        "{count} of {} migrations are pending in {database}, schema {schema}",
        files.len()
    );
    if let Some(wal_position) = &snapshot.wal_position {
        let time = &snapshot.server_time;
        tracing::info!(
            wal_position,
            recovery_time = time,
            "recovery point: {wal_position} at {time}, should this have to be undone from a backup"
        );
    }
}
