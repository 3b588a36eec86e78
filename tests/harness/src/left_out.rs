//! What a test leaves out on this machine. It is never left out in silence.

use std::io::{self, Write as _};

/// Says on stderr, also if the test succeeds, that the running test leaves something out.
pub fn left_out(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not with a macro, of which cargo shows nothing.
    let _ = writeln!(io::stderr(), "left out by {test}: {reason}");
}
