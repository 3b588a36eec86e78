//! The history table: the record of applied migrations.
//!
//! A [`Ledger`] is one kind of such a table: its name, how its rows are read and compared, and the SQL that checks and
//! confirms them. How a row is written depends on who drives the run; refinery's `Runner` brings its own INSERT.

mod applied;
mod begun;
mod comparison;
mod error;
mod kind;
mod lock;
mod privileges;
mod snapshot;
mod trust;

pub use self::applied::Applied;
pub(crate) use self::begun::{comment_query, has_note, set_comment, with_note, without_note};
pub use self::comparison::{Comparison, Conflict};
pub use self::error::Error;
pub(crate) use self::kind::CONFIRMATION;
pub use self::kind::Ledger;
pub use self::lock::advisory_key;
pub(crate) use self::lock::{LOCK_TAKEN, raise_unless, take_or_raise};
pub use self::privileges::Denial;
pub(crate) use self::privileges::check_privileges;
pub(crate) use self::snapshot::schema_of_history;
pub use self::snapshot::{Snapshot, SnapshotQuery, read};
pub use self::trust::Untrusted;
pub(crate) use self::trust::{Access, Scrutiny, lock, raise_if_untrusted};
