//! Reading regular files. To open a FIFO waits for a writer, and to read a device may never end.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The bytes of the file at `path`, or that a link there leads to.
///
/// # Errors
///
/// The operating system's, and that it is no regular file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Without this flag, to open a FIFO waits for a writer. It has no effect on regular files.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    let metadata = file.metadata()?;
    check(&metadata)?;
    let length = metadata.len();
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // `File::read_to_end` would ask for the length once more.
    file.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses what is neither a regular file nor a directory, of which the operating system says so itself.
///
/// # Errors
///
/// That it is no regular file.
pub fn check(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() || metadata.is_dir() {
        Ok(())
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}
