//! Output: log, streams, secrets.

mod forged_lines;
mod logs;
mod long_texts;
mod secrets;
mod streams;
mod unread;
