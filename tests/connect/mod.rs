//! Reaching the database.

mod addresses;
mod authentication;
mod create_database;
mod docker_host;
mod fake_server;
mod nameless_user;
mod pooler_refusals;
mod reasons;
mod rogue_server;
mod security_parameters;
mod self_signed;
mod threads;
mod tls;
mod url_variables;
mod urls;
mod waiting;
