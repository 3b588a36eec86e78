//! The integration tests, as one binary: one module a feature, and the harness they share.

mod api;
mod atomic;
mod blocked_tables;
mod commands;
mod concurrency;
mod crash_points;
mod crashes;
mod docker_host;
mod environment;
mod files;
mod guard;
mod harness;
mod harness_itself;
mod history;
mod hostile_defaults;
mod logs;
mod noop;
mod outside;
mod phases;
mod pool;
mod poolers;
mod properties;
mod queries;
mod readme;
mod refinery;
mod report;
mod schema;

mod secrets;
mod signals;
mod sql_errors;
mod streams;
mod tls;
mod urls;
mod wait;
mod waiting;
