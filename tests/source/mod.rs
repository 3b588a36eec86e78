//! Migration files.

mod directories;
mod dumps;
mod encodings;
mod files;
mod memory;
mod unknown_files;
