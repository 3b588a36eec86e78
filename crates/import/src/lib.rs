//! Makes the migrations of another tool into migrations of refinery, and records what the tool's own table says is applied.
//!
//! ```text
//! tool → flyway, sqlx, dbmate, goose, golang_migrate: the files in the tool's order, and its table
//! numbering: versions    tables: what applied files leave in the catalog    target: files    record: rows    import: all of it
//! ```

#![forbid(unsafe_code)]

mod annotation;
mod dbmate;
mod entry;
mod error;
mod flyway;
mod flyway_version;
mod folder;
mod golang_migrate;
mod goose;
mod history;
mod import;
mod numbering;
mod record;
mod sqlx;
mod tables;
mod target;
mod tool;

pub use self::error::Error;
pub use self::import::{Imported, Request};
pub use self::tool::Tool;
