//! The checksum of a migration.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The checksum of a migration, as its history table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// refinery's, of name, version and text.
    Refinery(u64),
    /// Drizzle's: SHA-256 of the text.
    Sha256([u8; 32]),
}

impl Checksum {
    /// Drizzle's checksum of `text`.
    pub(super) fn of_text(text: &str) -> Self {
        Self::Sha256(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refinery(number) => write!(f, "{number}"),
            Self::Sha256(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}
