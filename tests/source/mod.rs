//! Migration files.

mod dumps;
mod encodings;
mod files;
mod memory;
