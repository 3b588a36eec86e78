//! A run of the program that has not ended.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use super::command::Run;
use super::poll::poll;

const TIMEOUT: Duration = Duration::from_mins(1);

/// The program while it runs. Killed when dropped, so that a failed test leaves nothing behind.
pub struct Running {
    child: Child,
    stdout: Capture,
    stderr: Capture,
    _directory: Arc<TempDir>,
}

impl Running {
    #[track_caller]
    pub(crate) fn start(mut command: Command, directory: Arc<TempDir>) -> Self {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("to start {command:?}: {error}"),
        };
        // Both are read all the time: a program that fills a pipe nobody reads would hang.
        let stdout = Capture::start(child.stdout.take().expect("a pipe was asked for"));
        let stderr = Capture::start(child.stderr.take().expect("a pipe was asked for"));
        Self {
            child,
            stdout,
            stderr,
            _directory: directory,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program has written this to stderr, so that a test can act at a known point.
    #[track_caller]
    pub fn wait_for_stderr(&mut self, text: &str) {
        self.wait_for_stderr_times(text, 1);
    }

    /// The same for a text that comes more than once.
    #[track_caller]
    pub fn wait_for_stderr_times(&mut self, text: &str, times: usize) {
        let seen = poll(TIMEOUT, || {
            let exited = self.child.try_wait().expect("the child").is_some();
            if exited {
                self.stderr.finish(); // what it wrote last may still be on its way
            }
            let seen = self.stderr.text().matches(text).count() >= times;
            (seen || exited).then_some(seen)
        });
        if seen != Some(true) {
            self.child.kill().ok();
            panic!("{text:?} did not appear:\n{}", self.output());
        }
    }

    /// Sends a signal by its name without SIG: INT, TERM, KILL, STOP, CONT.
    pub fn signal(&self, name: &str) {
        // Not reaped yet, so that the number is still this program's.
        let status = Command::new("/bin/sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name])
            .arg(self.pid().to_string())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Lets the pipe of stderr fill up, until the end or [`Running::read_stderr_again`].
    pub fn leave_stderr_unread(&self) {
        self.stderr.gate.shut(true);
    }

    pub fn read_stderr_again(&self) {
        self.stderr.gate.shut(false);
    }

    /// Whether it has ended, without waiting.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the child").is_some()
    }

    /// Waits for the end; after a minute it kills the program and panics with what it had printed.
    #[track_caller]
    pub fn wait(mut self) -> Run {
        let Some(status) = poll(TIMEOUT, || self.child.try_wait().expect("the child")) else {
            self.child.kill().ok();
            panic!("did not end within {TIMEOUT:?}:\n{}", self.output());
        };
        self.stdout.finish();
        self.stderr.finish();
        Run {
            status: code(status),
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
        }
    }

    fn output(&self) -> String {
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        format!("--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing happens to a child that was waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// A thread that reads a pipe to its end.
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    gate: Arc<Gate>,
    thread: Option<JoinHandle<()>>,
}

impl Capture {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let gate = Arc::new(Gate::default());
        let before = Arc::clone(&gate);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                lock(&shared).extend_from_slice(&buffer[..length]);
                before.pass();
            }
        });
        Self {
            bytes,
            gate,
            thread: Some(thread),
        }
    }

    fn finish(&mut self) {
        self.gate.shut(false);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.bytes)).into_owned()
    }
}

/// Where a thread waits while it is shut.
#[derive(Default)]
struct Gate {
    is_shut: Mutex<bool>,
    moved: Condvar,
}

impl Gate {
    fn shut(&self, is_shut: bool) {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = is_shut;
        self.moved.notify_all();
    }

    fn pass(&self) {
        let is_shut = self.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.moved.wait_while(is_shut, |is_shut| *is_shut));
    }
}

fn lock(bytes: &Mutex<Vec<u8>>) -> std::sync::MutexGuard<'_, Vec<u8>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}
