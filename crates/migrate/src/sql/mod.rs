//! What a migration file contains, decided on tokens.

pub mod non_transactional;
mod statement;
mod table_locks;
mod token_cursor;

pub use self::non_transactional::{NonTransactional, only_statement};
pub use self::statement::{Statement, Token, Unreadable, line_and_column, split};
pub use self::table_locks::{LockStrength, locked_tables};
