//! Regular files. To open a FIFO waits for its other end, and to read a device may never end.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens the file at `path`, or that a link there leads to, for reading.
///
/// # Errors
///
/// The operating system's, and that it is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    Ok(open_with_metadata(path)?.0)
}

fn open_with_metadata(path: &Path) -> io::Result<(File, Metadata)> {
    // Without this flag, to open a FIFO waits for a writer. It has no effect on regular files.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    let metadata = file.metadata()?;
    // Of a directory the operating system says itself that it cannot be read.
    if metadata.is_file() || metadata.is_dir() {
        Ok((file, metadata))
    } else {
        Err(io::Error::other("is not a regular file"))
    }
}

/// The bytes of the file at `path`.
///
/// # Errors
///
/// As [`open`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (file, metadata) = open_with_metadata(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // `File::read_to_end` would ask for the length once more.
    file.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Replaces the content of the file at `path`, if there is one. It may be a device, such as `/dev/null`.
///
/// # Errors
///
/// The operating system's, such as that nobody reads a FIFO.
pub fn overwrite(path: &Path, text: &str) -> io::Result<()> {
    write_without_waiting(OpenOptions::new().write(true).truncate(true), path, text)
}

/// Adds `text` to what is at `path`: a device or a stream, such as `/dev/stdout`.
///
/// # Errors
///
/// As [`overwrite`].
pub fn append(path: &Path, text: &str) -> io::Result<()> {
    write_without_waiting(OpenOptions::new().append(true), path, text)
}

fn write_without_waiting(options: &mut OpenOptions, path: &Path, text: &str) -> io::Result<()> {
    let mut file = options.custom_flags(libc::O_NONBLOCK).open(path)?;
    file.write_all(text.as_bytes())
}

/// Whether `path` is the name of a device or a stream. Such a name is never replaced, even if it leads to a regular file:
/// `/dev/stdout` does if the output was redirected.
#[must_use]
pub fn is_device_name(path: &Path) -> bool {
    let is_in = |directory| path.starts_with(directory);
    (is_in("/dev") || is_in("/proc")) && !is_in("/dev/shm")
}

/// Whether a program can write a file at `path` and be sure that it never waits for a reader: there is none yet, it is a
/// regular file, or it is a device or a stream by its name, for which [`append`] and [`overwrite`] do not wait.
#[must_use]
pub fn can_be_written(path: &Path) -> bool {
    is_device_name(path) || fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}
