//! Threads, where the system may start none: a container can be limited to one process. tokio panics then.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle, park};

use tokio::sync::oneshot;

/// The stack of a thread that only waits, in bytes.
const STACK: usize = 64 * 1024;

/// Does `work` on another thread, which ends with the process at the latest; or on this one, if the system starts no other.
///
/// # Panics
///
/// If `work` does.
pub async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = oneshot::channel();
    // A thread that does not start takes what it was given with it.
    let task = Arc::new(Mutex::new(Some(work)));
    let take = |task: &Mutex<Option<_>>| task.lock().unwrap_or_else(PoisonError::into_inner).take();
    let shared = task.clone();
    let started = Builder::new().spawn(move || {
        if let Some(work) = take(&shared) {
            // Nobody waits for the result of an attempt that has timed out.
            let _ = sender.send(work());
        }
    });
    if started.is_err()
        && let Some(work) = take(&task)
    {
        return work();
    }
    receiver.await.expect("the work does not panic")
}

/// Whether the system starts `count` more threads at present.
#[must_use]
pub fn are_available(count: usize) -> bool {
    // Each waits for the last one: the end of one would make room for the next.
    let started: Vec<JoinHandle<()>> = (0..count)
        .map_while(|_| Builder::new().stack_size(STACK).spawn(park).ok())
        .collect();
    let are_all_started = started.len() == count;
    for thread in started {
        thread.thread().unpark();
        let _ = thread.join();
    }
    are_all_started
}
