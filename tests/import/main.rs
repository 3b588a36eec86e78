//! `import`: the migrations of other tools become V files, and what their tables say is applied is recorded.
//!
//! sqlx and dbmate are here as programs. Flyway, goose and golang-migrate are not: their tables are made by hand, with the
//! columns that they document.

mod folder;
mod other_tables;
mod real_tools;
mod refusals;
