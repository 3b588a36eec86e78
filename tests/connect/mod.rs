//! Reaching the database.

mod docker_host;
mod threads;
mod tls;
mod urls;
mod waiting;
