//! Writes the log on a thread of its own: a disk or a pipe that is slow must not hold up requests, which it would do
//! for as long as the file system flushes its journal.

use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Lines that come within so long of the first are written together.
const GATHERING: Duration = Duration::from_millis(5);

/// Beyond so many bytes lines are lost, and counted: memory has an end, and an application does not stop because
/// nobody reads its log.
const MOST_PENDING: usize = 1 << 20;

/// How long the end waits for what is still to be written.
const FAREWELL_LIMIT: Duration = Duration::from_secs(1);

/// What is still to be written.
#[derive(Debug, Default)]
pub(crate) struct LogWriter {
    pending: Mutex<Pending>,
    /// There is something.
    filled: Condvar,
    /// Everything was written that was there.
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    lost_lines: usize,
    is_writing: bool,
}

impl LogWriter {
    /// Starts the thread, which ends with the process.
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let writer = Arc::new(Self::default());
        let shared = writer.clone();
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || shared.write_for_ever())?;
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

    /// How many lines were lost since this was last asked; 0 as long as there is no room to tell it.
    pub(crate) fn take_lost_lines(&self) -> usize {
        let mut pending = self.lock();
        if pending.bytes.len() > MOST_PENDING {
            return 0;
        }
        std::mem::take(&mut pending.lost_lines)
    }

    /// Returns when everything is written that was pushed before, or when nobody seems to read it.
    pub(crate) fn flush(&self) {
        let is_left = |pending: &mut Pending| pending.is_writing || !pending.bytes.is_empty();
        let waiting = self
            .emptied
            .wait_timeout_while(self.lock(), FAREWELL_LIMIT, is_left);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    fn write_for_ever(&self) {
        let mut pending = self.lock();
        loop {
            while pending.bytes.is_empty() {
                pending = self.filled.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            drop(pending);
            thread::sleep(GATHERING);
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
