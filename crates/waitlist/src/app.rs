//! What every request needs.

use zerostarter_pool::Pool;

use crate::config::Config;
use crate::count::Count;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::rate_limit::Limiter;

/// What every request needs.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) pool: Pool,
    pub(crate) count: Count,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) limiter: Option<Limiter>,
}
