//! The shared client of applications: one pool of connections a process.
//!
//! It is made from the same variables as a migration ([`Config`](crate::config::Config)), so that an application
//! reaches the very database that was migrated, protected in the same way. Behind a transaction pooler, which the
//! URL shows or says, nothing stays on a connection.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use zerostarter_db::{pool::Pool, queries::user};
//! let client = Pool::shared()?.get().await?;
//! let user = user::get_by_email().bind(&client, &"ada@example.com").opt().await?;
//! # Ok(())
//! # }
//! ```

mod client;
mod config;
mod error;
mod in_transaction;
mod manager;
mod statements;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{self, QueueMode, TimeoutType, Timeouts};
use tokio::task::JoinHandle;

pub use self::client::{Client, Rows, Transaction};
pub use self::config::{POOL_VARIABLES, PoolConfig, Statements};
pub use self::error::PoolError;
use self::manager::Manager;
use self::statements::Descriptions;
use crate::attempt::AttemptError;
use crate::config::Problem;
/// What typed queries run on, and how their parameters are bound from a struct with named fields.
pub use zerostarter_queries::client::{GenericClient, Params};

/// How often the pool looks for connections whose time is over, at least.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A pool of connections. Clones share it.
#[derive(Clone)]
pub struct Pool {
    members: managed::Pool<Manager>,
    descriptions: Arc<Descriptions>,
    sweeper: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// What a pool holds, and what has happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// `POSTGRES_POOL_SIZE`.
    pub size: usize,
    /// Connections that are open.
    pub open: usize,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// How many wait for one.
    pub waiting: usize,
    /// How many were ever opened.
    pub opened: u64,
    /// How often nobody gave one back in time.
    pub wait_timeouts: u64,
    /// How often none could be opened in time.
    pub create_timeouts: u64,
    /// How often an idle one did not answer any more.
    pub recycle_timeouts: u64,
}

static SHARED: OnceLock<Pool> = OnceLock::new();

impl Pool {
    /// The one pool of this process, made from its environment the first time. It opens no connection before one is
    /// asked for. Connections live on the asynchronous runtime that asked for them.
    ///
    /// # Errors
    ///
    /// Every problem with every variable; the next call tries again.
    ///
    /// # Panics
    ///
    /// Never: see [`Pool::new`].
    pub fn shared() -> Result<Self, InvalidConfig> {
        if let Some(pool) = SHARED.get() {
            return Ok(pool.clone());
        }
        let config = PoolConfig::from_environment().map_err(InvalidConfig)?;
        Ok(SHARED.get_or_init(|| Self::new(config)).clone())
    }

    /// A pool of one's own. It opens no connection before one is asked for.
    ///
    /// # Panics
    ///
    /// Never: the runtime that its builder asks for is there.
    #[must_use]
    pub fn new(config: PoolConfig) -> Self {
        let limits = Timeouts {
            wait: Some(config.wait_timeout),
            // The manager has its own, which know what they waited for.
            create: None,
            recycle: None,
        };
        let size = config.size;
        let members = managed::Pool::builder(Manager::new(config))
            .max_size(size)
            .timeouts(limits)
            // The one that was used last, so that those that are not needed grow old.
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

    /// A connection: an idle one, or a new one while there are fewer than `POSTGRES_POOL_SIZE`, or the next that is
    /// given back. Dropping it gives it back.
    ///
    /// # Errors
    ///
    /// [`PoolError`], which tells what was waited for.
    pub async fn get(&self) -> Result<Client, PoolError> {
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
                PoolError::Wait {
                    size: manager.config.size,
                    waited: manager.config.wait_timeout,
                }
            }
            managed::PoolError::Backend((server, AttemptError::TimedOut(_))) => {
                manager.time_outs.create.fetch_add(1, Ordering::Relaxed);
                PoolError::Create {
                    server,
                    waited: started.elapsed(),
                }
            }
            managed::PoolError::Backend((server, reason)) => PoolError::Connect {
                server,
                reason: Box::new(reason),
            },
            // What is left cannot happen: there are no hooks and no other limits.
            _ => PoolError::Closed,
        })
    }

    /// What it holds, and what has happened to it.
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

    /// The settings it was made from.
    #[must_use]
    pub fn config(&self) -> &PoolConfig {
        &self.members.manager().config
    }

    /// Closes what is idle now and the rest when it is given back. Whoever asks from now on gets [`PoolError::Closed`].
    pub fn close(&self) {
        self.members.close();
    }

    /// Sees to it that idle connections are closed in time. The task ends with the pool or with the runtime it is on;
    /// a later caller may be on another one.
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

/// Variables are missing or cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidConfig(pub Vec<Problem>);

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        write!(f, "the configuration cannot be used: {}", problems.join("; "))
    }
}

impl std::error::Error for InvalidConfig {}
