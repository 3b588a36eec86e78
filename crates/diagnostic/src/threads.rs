//! Whether the system starts threads. A container can be limited to one, and tokio panics if it gets none.

use std::io;
use std::thread::{Builder, JoinHandle, park};

/// Whether the system starts `count` more threads at present.
#[must_use]
pub fn are_available(count: usize) -> bool {
    // Each waits for the last one: the end of one would make room for the next.
    let start = |_| Builder::new().stack_size(STACK).spawn(park);
    let mut threads: Vec<JoinHandle<()>> = Vec::with_capacity(count);
    let outcome: io::Result<()> = (0..count).map(start).try_for_each(|started| {
        threads.push(started?);
        Ok(())
    });
    for thread in threads {
        thread.thread().unpark();
        let _ = thread.join();
    }
    outcome.is_ok()
}

/// The stack of a thread that only waits, in bytes.
const STACK: usize = 64 * 1024;
