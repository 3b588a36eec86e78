//! A migration file: its checksum, computed block by block, and its text, read when it is needed.

use std::hash::{Hash as _, Hasher as _};
use std::io::Read as _;
use std::path::Path;

use refinery_core::{SchemaVersion, parse_migration_name};
use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher13;
use zerostarter_diagnostic::regular_file;

use super::checksum::Checksum;
use super::error::Error;

/// How much of a file is in memory while its checksum is computed, in bytes. Applied migrations may be large.
const BLOCK: usize = 64 * 1024;

/// What the name of a file says, and its checksum.
pub(super) struct Described {
    pub(super) version: SchemaVersion,
    pub(super) name: String,
    pub(super) checksum: u64,
    /// Its size, in bytes.
    pub(super) size: u64,
}

/// Describes the file at `path`, whose name without its ending is `label`.
///
/// # Errors
///
/// [`Error`]: the file cannot be read, is not UTF-8, contains a NUL byte, or has a version that is too large.
pub(super) fn describe(path: &Path, label: &str) -> Result<Described, Error> {
    let Ok((_, version, name)) = parse_migration_name(label) else {
        return Err(failure(
            path,
            "has a version that is not a whole number up to 2147483647",
            Some("use a smaller version: refinery's history table stores versions in 32 bits"),
        ));
    };
    let mut hasher = started(&name, version);
    let mut check = TextCheck::default();
    let mut file = regular_file::open(path).map_err(|error| unreadable(path, &error))?;
    let mut block = Vec::with_capacity(BLOCK);
    let mut size = 0;
    loop {
        let begun = block.len();
        let space = u64::try_from(BLOCK - begun).unwrap_or(u64::MAX);
        let read = file.by_ref().take(space).read_to_end(&mut block);
        let is_over = read.map_err(|error| unreadable(path, &error))? == 0;
        let whole = check.whole(path, &block, is_over)?;
        hasher.write(&block[..whole]);
        size += u64::try_from(whole).unwrap_or(u64::MAX);
        block.drain(..whole);
        if is_over {
            break;
        }
    }
    Ok(Described {
        checksum: finished(hasher),
        size,
        version,
        name,
    })
}

/// The text of the file at `path`, which had this checksum when it was described.
///
/// # Errors
///
/// [`Error`]: it cannot be read, or has changed.
pub(super) fn text(path: &Path, version: i64, name: &str, checksum: Checksum) -> Result<String, Error> {
    let bytes = regular_file::read(path).map_err(|error| unreadable(path, &error))?;
    let version = SchemaVersion::try_from(version).unwrap_or_default();
    let mut hasher = started(name, version);
    hasher.write(&bytes);
    match String::from_utf8(bytes) {
        Ok(text) if Checksum::Refinery(finished(hasher)) == checksum => Ok(text),
        _ => Err(has_changed(path)),
    }
}

/// Drizzle's checksum of the file at `path`, and its size in bytes.
pub(super) fn describe_drizzle(path: &Path) -> std::io::Result<(Checksum, u64)> {
    let mut file = regular_file::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = Vec::with_capacity(BLOCK);
    let mut size = 0;
    loop {
        let space = u64::try_from(BLOCK - block.len()).unwrap_or(u64::MAX);
        let is_over = file.by_ref().take(space).read_to_end(&mut block)? == 0;
        let whole = match std::str::from_utf8(&block) {
            Ok(_) => block.len(),
            Err(error) if error.error_len().is_none() && !is_over => error.valid_up_to(),
            // Drizzle decodes the file before it hashes it.
            Err(_) => {
                let bytes = regular_file::read(path)?;
                let text = String::from_utf8_lossy(&bytes);
                let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                return Ok((Checksum::of_text(&text), size));
            }
        };
        hasher.update(&block[..whole]);
        size += u64::try_from(whole).unwrap_or(u64::MAX);
        block.drain(..whole);
        if is_over {
            return Ok((Checksum::Sha256(hasher.finalize().into()), size));
        }
    }
}

/// The text of the file at `path` of a folder of drizzle-kit, which had this checksum when it was described. Messages show the
/// path as `shown`.
///
/// # Errors
///
/// [`Error`]: it cannot be read, is no text, or has changed.
pub(super) fn drizzle_text(path: &Path, shown: &str, checksum: Checksum) -> Result<String, Error> {
    let shown = Path::new(shown);
    let bytes = regular_file::read(path).map_err(|error| unreadable(shown, &error))?;
    TextCheck::default().whole(shown, &bytes, true)?;
    match String::from_utf8(bytes) {
        Ok(text) if Checksum::of_text(&text) == checksum => Ok(text),
        _ => Err(has_changed(shown)),
    }
}

fn has_changed(path: &Path) -> Error {
    failure(
        path,
        "has changed since this run began",
        Some("run it again when the directory is complete"),
    )
}

/// The hasher of refinery's checksum, up to the text: it hashes name, version and text.
fn started(name: &str, version: SchemaVersion) -> SipHasher13 {
    let mut hasher = SipHasher13::new();
    name.hash(&mut hasher);
    version.hash(&mut hasher);
    hasher
}

/// The checksum. The byte is what `Hash` of a string adds after its bytes.
fn finished(mut hasher: SipHasher13) -> u64 {
    hasher.write_u8(0xff);
    hasher.finish()
}

/// Checks that blocks of a file are text.
#[derive(Default)]
struct TextCheck {
    /// The line breaks of the blocks before.
    lines: usize,
}

impl TextCheck {
    /// How many bytes of `block` are whole characters; the rest belongs to the next block.
    fn whole(&mut self, path: &Path, block: &[u8], is_last: bool) -> Result<usize, Error> {
        let (whole, problem) = match std::str::from_utf8(block) {
            Ok(_) => (block.len(), None),
            Err(error) if error.error_len().is_none() && !is_last => (error.valid_up_to(), None),
            Err(error) => (error.valid_up_to(), Some("is not UTF-8")),
        };
        let (end, problem, hint) = match block[..whole].iter().position(|byte| *byte == 0) {
            Some(nul) => (
                nul,
                Some("contains a NUL byte"),
                "PostgreSQL has no NUL in SQL; save the file as UTF-8 text",
            ),
            None => (whole, problem, "save the file as UTF-8"),
        };
        self.lines += block[..end].split(|byte| *byte == b'\n').count() - 1;
        match problem {
            Some(problem) => Err(failure(
                path,
                format!("{problem} at line {}", self.lines + 1),
                Some(hint),
            )),
            None => Ok(whole),
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    failure(path, format!("cannot be read: {error}"), None)
}

fn failure(path: &Path, problem: impl Into<String>, hint: Option<&str>) -> Error {
    Error::new(path.display().to_string(), problem, hint)
}
