//! Reaching the database.

mod docker_host;
mod tls;
mod url_variables;
mod urls;
mod waiting;
