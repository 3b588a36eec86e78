//! The history table.

mod history;
mod kept_rows;
mod row_security;
mod squatted;
