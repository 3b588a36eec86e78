//! Writes the log on a separate thread. A pipe that nobody reads, or a slow disk, would otherwise block requests, and a run
//! that holds the migrators' lock.

use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Beyond this many bytes lines are dropped and counted: memory is limited, and an application must not stop because
/// its log has no reader.
const MOST_PENDING: usize = 1 << 20;

/// How long the exit waits for the lines that are not written yet.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// The lines that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct LogWriter {
    pending: Mutex<Pending>,
    /// Signals that there are lines.
    filled: Condvar,
    /// Signals that all lines are written.
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    lost_lines: usize,
    is_writing: bool,
}

impl LogWriter {
    /// Starts the thread, which ends with the process. Lines within `gathering` of the first are written together.
    pub(crate) fn start(gathering: Duration) -> io::Result<Arc<Self>> {
        let writer = Arc::new(Self::default());
        let shared = writer.clone();
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || shared.write_forever(gathering))?;
        Ok(writer)
    }

    pub(crate) fn push(&self, text: &str) {
        let mut pending = self.lock();
        if pending.bytes.len() > MOST_PENDING {
            pending.lost_lines += text.matches('\n').count();
            return;
        }
        let is_first = pending.bytes.is_empty();
        pending.bytes.extend_from_slice(text.as_bytes());
        if is_first {
            self.filled.notify_one();
        }
    }

    /// The number of lines dropped since the last call; 0 while there is no room for a line that says so.
    pub(crate) fn take_lost_lines(&self) -> usize {
        let mut pending = self.lock();
        if pending.bytes.len() > MOST_PENDING {
            return 0;
        }
        std::mem::take(&mut pending.lost_lines)
    }

    /// Returns when every line is written, or after the limit if nobody reads them.
    pub(crate) fn flush(&self) {
        let is_left = |pending: &mut Pending| pending.is_writing || !pending.bytes.is_empty();
        let waiting = self.emptied.wait_timeout_while(self.lock(), FLUSH_LIMIT, is_left);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    fn write_forever(&self, gathering: Duration) {
        let mut pending = self.lock();
        loop {
            while pending.bytes.is_empty() {
                pending = self.filled.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            drop(pending);
            thread::sleep(gathering);
            pending = self.lock();
            let bytes = std::mem::take(&mut pending.bytes);
            pending.is_writing = true;
            drop(pending);
            // A failure to write to stderr has nowhere to be reported.
            let _ = io::stderr().lock().write_all(&bytes);
            pending = self.lock();
            pending.is_writing = false;
            self.emptied.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
