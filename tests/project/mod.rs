//! The repository: its documentation and its schema.

mod readme;
mod schema;
