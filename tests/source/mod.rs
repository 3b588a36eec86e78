//! Migration files.

mod files;
