//! Reaching the database.

mod addresses;
mod authentication;
mod docker_host;
mod fake_server;
mod pooler_refusals;
mod reasons;
mod security_parameters;
mod self_signed;
mod tls;
mod url_variables;
mod urls;
mod waiting;
