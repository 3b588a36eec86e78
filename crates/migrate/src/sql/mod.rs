//! What a migration file contains, decided on tokens.

mod alter_table;
mod contents;
mod locked_table;
pub mod non_transactional;
mod placeholder;
mod statement;
mod table_locks;
mod token_cursor;
mod transaction_control;
mod transaction_modes;

pub(crate) use self::contents::PIECE_SIZE;
pub use self::contents::{Contents, Piece};
pub use self::locked_table::{Along, LockStrength, LockedTables, NameOf, TableLock, add_all};
pub use self::non_transactional::NonTransactional;
pub use self::placeholder::{Placeholder, placeholders};
pub use self::statement::{CopyData, Statement, Token, Unreadable, line_and_column, split, statements};

pub use self::transaction_control::transaction_control;
pub use self::transaction_modes::TransactionModes;
