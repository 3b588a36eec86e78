//! The shared client of applications: one pool of connections a process.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{self, QueueMode, TimeoutType, Timeouts};
use tokio::task::JoinHandle;
use zerostarter_connect::attempt::AttemptError;
use zerostarter_settings as settings;

use crate::client::Client;
use crate::config::Config;
use crate::error::Error;
use crate::manager::Manager;
use crate::statements::Descriptions;

/// How often the pool closes connections that have reached a timeout, at least.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A pool of connections. Clones share it.
#[derive(Clone)]
pub struct Pool {
    members: managed::Pool<Manager>,
    descriptions: Arc<Descriptions>,
    sweeper: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// The state and the counters of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// `POSTGRES_POOL_SIZE`.
    pub size: usize,
    /// Connections that are open.
    pub open: usize,
    /// Open connections that are idle.
    pub idle: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
    /// Connections opened so far.
    pub opened: u64,
    /// How often `POSTGRES_POOL_WAIT` ran out.
    pub wait_timeouts: u64,
    /// How often `POSTGRES_CONNECT_TIMEOUT` ran out.
    pub create_timeouts: u64,
    /// How often an idle connection did not answer.
    pub recycle_timeouts: u64,
}

static SHARED: OnceLock<Pool> = OnceLock::new();

impl Pool {
    /// The shared pool of this process, created from its environment at the first call. It opens no connection before the
    /// first request. Connections live on the asynchronous runtime that requested them.
    ///
    /// # Errors
    ///
    /// Every problem with every variable; the next call tries again.
    ///
    /// # Panics
    ///
    /// Never: see [`Pool::new`].
    pub fn shared() -> Result<Self, settings::Error> {
        if let Some(pool) = SHARED.get() {
            return Ok(pool.clone());
        }
        let config = Config::from_environment()?;
        Ok(SHARED.get_or_init(|| Self::new(config)).clone())
    }

    /// A separate pool. It opens no connection before the first request.
    ///
    /// # Panics
    ///
    /// Never: its builder has the runtime that the timeouts need.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let limits = Timeouts {
            wait: Some(config.wait_timeout),
            // The manager has its own timeouts, which know what they waited for.
            create: None,
            recycle: None,
        };
        let size = config.size;
        let members = managed::Pool::builder(Manager::new(config))
            .max_size(size)
            .timeouts(limits)
            // The connection that was used last, so that the others reach the idle timeout.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a pool with limits has a runtime");
        Self {
            members,
            descriptions: Arc::default(),
            sweeper: Arc::default(),
        }
    }

    /// A connection: an idle one; or a new one while fewer than `POSTGRES_POOL_SIZE` are open; or the next one that is
    /// returned. Dropping it returns it.
    ///
    /// # Errors
    ///
    /// [`Error`], which says what the wait was for.
    pub async fn get(&self) -> Result<Client, Error> {
        self.sweep();
        let manager = self.members.manager();
        let started = Instant::now();
        let failure = match self.members.get().await {
            Ok(member) => {
                return Ok(Client::new(
                    member,
                    manager.config.statements,
                    self.descriptions.clone(),
                ));
            }
            Err(failure) => failure,
        };
        Err(match failure {
            managed::PoolError::Timeout(TimeoutType::Wait) => {
                manager.time_outs.wait.fetch_add(1, Ordering::Relaxed);
                Error::Wait {
                    size: manager.config.size,
                    waited: manager.config.wait_timeout,
                }
            }
            managed::PoolError::Backend((server, AttemptError::TimedOut(_))) => {
                manager.time_outs.create.fetch_add(1, Ordering::Relaxed);
                Error::Create {
                    server,
                    waited: started.elapsed(),
                }
            }
            managed::PoolError::Backend((server, reason)) => Error::Connect {
                server,
                reason: Box::new(reason),
            },
            // The other errors cannot happen: there are no hooks and no other limits.
            _ => Error::Closed,
        })
    }

    /// Its state and its counters.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        let status = self.members.status();
        let manager = self.members.manager();
        PoolStatus {
            size: manager.config.size,
            open: status.size,
            idle: status.available,
            waiting: status.waiting,
            opened: manager.opened.load(Ordering::Relaxed),
            wait_timeouts: manager.time_outs.wait.load(Ordering::Relaxed),
            create_timeouts: manager.time_outs.create.load(Ordering::Relaxed),
            recycle_timeouts: manager.time_outs.recycle.load(Ordering::Relaxed),
        }
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.members.manager().config
    }

    /// Closes idle connections now, and the others when they are returned. Later requests get [`Error::Closed`].
    pub fn close(&self) {
        self.members.close();
    }

    /// Starts the task that closes idle connections, unless it runs. It ends with the pool, or with its runtime; a later
    /// caller may be on another runtime.
    fn sweep(&self) {
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        if sweeper.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let config = self.config();
        let shortest = [config.idle_timeout, config.max_lifetime]
            .into_iter()
            .filter(|limit| !limit.is_zero())
            .min();
        let Some(shortest) = shortest else { return };
        let interval = (shortest / 10).clamp(Duration::from_millis(10), SWEEP_INTERVAL);
        let members = self.members.weak();
        *sweeper = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                let Some(members) = members.upgrade() else { break };
                let manager = members.manager();
                members.retain(|member, _| manager.may_stay(member));
            }
        }));
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("config", self.config())
            .field("status", &self.status())
            .finish()
    }
}
