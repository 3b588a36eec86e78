//! The history table.

mod history;
