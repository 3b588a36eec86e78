//! What a migration file contains, decided on tokens.

mod contents;
pub mod non_transactional;
mod statement;
mod table_locks;
mod token_cursor;
mod transaction_control;

pub(crate) use self::contents::PIECE_SIZE;
pub use self::contents::{Contents, Piece};
pub use self::non_transactional::NonTransactional;
pub use self::statement::{CopyData, Statement, Token, Unreadable, line_and_column, split, statements};
pub use self::table_locks::{LockStrength, LockedTables, add_all};
pub use self::transaction_control::transaction_control;
