//! Reaching the database.

mod docker_host;
mod tls;
mod urls;
mod waiting;
