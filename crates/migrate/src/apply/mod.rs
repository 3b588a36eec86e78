//! Applying migrations.
//!
//! ```text
//! migrator (the checklist) → reading → checks (preflight) → session: a transaction script in one message a migration;
//!   a migration in steps on a worker, with recovery from leftovers → pass_end → retries
//! ```

mod adopt;
mod announcement;
mod checks;
mod decision;
mod effect_check;
mod error;
mod error_details;
mod error_hints;
mod facts;
mod failure;
mod guard;
#[cfg(test)]
mod guard_tests;
mod leftovers;
mod message;
mod migrator;
mod non_transactional;
mod parse_error;
mod pass_end;
mod pending;
mod preflight;
mod reading;
mod rejection;
mod resolve;
mod retries;
mod script;
mod session;
mod session_steps;
mod steps;
mod transmission;
mod worker;

pub use adopt::Adoption;
pub use decision::Decision;
pub use error::Error;
pub use migrator::{Migrator, SnapshotFailure};
pub use preflight::Finding;
pub use rejection::{Place, Rejection, Site};
pub use resolve::Resolution;
