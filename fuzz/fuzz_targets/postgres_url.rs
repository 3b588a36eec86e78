//! Any text as a database URL: no panic, and no piece of a password in what is shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zerostarter_connect::url::PostgresUrl;

const CANARY: &str = "Kanarie7";

fuzz_target!(|text: &str| {
    let _ = text.parse::<PostgresUrl>();
    if text.contains(CANARY) {
        return;
    }
    let url = format!("postgres://user:{text}{CANARY}{text}@host/db");
    let shown = match url.parse::<PostgresUrl>() {
        Ok(parsed) => format!("{parsed} {parsed:?} {}", parsed.servers()),
        Err(error) => format!("{error} {error:?} {:?}", error.hint()),
    };
    assert!(!shown.contains(CANARY), "{shown}");
});
