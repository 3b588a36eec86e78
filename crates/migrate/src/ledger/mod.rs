//! The history table: the record of applied migrations.
//!
//! A [`Ledger`] is one kind of such a table: its name, how its rows are read and compared, and the SQL that checks and
//! confirms them. How a row is written depends on who drives the run; refinery's `Runner` brings its own INSERT.

mod applied;
mod comparison;
mod error;
mod kind;
mod lock;
mod notes;
mod privileges;
mod snapshot;

pub use self::applied::Applied;
pub use self::comparison::{Comparison, Conflict};
pub use self::error::Error;
pub(crate) use self::kind::CONFIRMATION;
pub use self::kind::Ledger;
pub use self::lock::advisory_key;
pub(crate) use self::lock::{LOCK_TAKEN, raise_unless, steps_key, take_or_raise};
pub(crate) use self::notes::{Notes, StepsDone};
pub use self::privileges::Denial;
pub(crate) use self::privileges::check_privileges;
pub(crate) use self::snapshot::schema_of_history;
pub use self::snapshot::{Snapshot, SnapshotQuery, read};
