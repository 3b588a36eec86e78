//! Reaching the database.

mod docker_host;
mod fake_server;
mod pooler_refusals;
mod reasons;
mod tls;
mod url_variables;
mod urls;
mod waiting;
