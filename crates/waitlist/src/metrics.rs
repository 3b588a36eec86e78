//! Metrics in the text format of Prometheus.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use zerostarter_pool::Pool;

/// Upper bounds in seconds: a query takes a millisecond, a timeout ten seconds.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// The labels of a request. Routes, not paths: clients can invent any number of paths.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) route: String,
    pub(crate) status: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Route {
    route: String,
}

/// The metrics of the web app.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
}

impl Metrics {
    pub(crate) fn new(pool: Pool) -> Self {
        let requests = Family::default();
        let durations: Family<Route, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let mut registry = Registry::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "How long answering took",
            durations.clone(),
        );
        registry.register_collector(Box::new(PoolMetrics(pool)));
        Self {
            registry,
            requests,
            durations,
        }
    }

    /// Counts one request.
    pub(crate) fn count(&self, request: &Request, duration: Duration) {
        let route = Route {
            route: request.route.clone(),
        };
        self.requests.get_or_create(request).inc();
        self.durations
            .get_or_create(&route)
            .observe(duration.as_secs_f64());
    }

    /// All metrics as text.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The metrics that the pool counts.
#[derive(Debug)]
struct PoolMetrics(Pool);

impl Collector for PoolMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let status = self.0.status();
        let gauges = [
            (
                "db_pool_connections_max",
                "Connections that may be open",
                status.size,
            ),
            (
                "db_pool_connections_open",
                "Connections that are open",
                status.open,
            ),
            (
                "db_pool_connections_idle",
                "Open connections that are idle",
                status.idle,
            ),
            (
                "db_pool_waiting",
                "Requests that wait for a connection",
                status.waiting,
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let counters = [
            ("db_pool_opened", "Connections that were opened", status.opened),
            (
                "db_pool_wait_timeouts",
                "Times that no connection was returned in time",
                status.wait_timeouts,
            ),
            (
                "db_pool_create_timeouts",
                "Times that no connection could be opened in time",
                status.create_timeouts,
            ),
            (
                "db_pool_recycle_timeouts",
                "Idle connections that did not answer",
                status.recycle_timeouts,
            ),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}
