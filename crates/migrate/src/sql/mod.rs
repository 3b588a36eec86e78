//! What a migration file contains, decided on tokens.

mod changes;
mod contents;
mod copy_data;
mod nesting;
pub mod non_transactional;
mod object;
mod outline;
mod piece;
mod recognition;
mod session_setting;
mod statement;
mod step;
mod string_run;
mod table_locks;
mod token;
mod token_cursor;
mod transaction_control;
mod transaction_flow;

pub use self::changes::Changes;
pub use self::contents::Contents;
pub use self::copy_data::CopyData;
pub use self::non_transactional::NonTransactional;
pub use self::object::{Object, ObjectKind};
pub use self::outline::Outline;
pub(crate) use self::piece::PIECE_SIZE;
pub use self::piece::Piece;
pub use self::recognition::{Unsupported, recognise};
pub use self::session_setting::is_session_setting;
pub use self::statement::{Statement, Unreadable, line_and_column, split, statements, statements_in};
pub use self::step::Step;
pub use self::table_locks::{LockStrength, LockedTables, add_all};
pub use self::token::Token;
pub use self::transaction_control::transaction_control;
pub use self::transaction_flow::Misplaced;
