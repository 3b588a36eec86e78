//! Output: log, streams, secrets.

mod logs;
mod long_texts;
mod secrets;
mod streams;
mod unread;
