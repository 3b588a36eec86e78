//! The history table.

mod history;
mod row_security;
