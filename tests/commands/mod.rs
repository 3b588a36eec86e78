//! The commands and their settings.

mod contract;
mod environment;
mod report;
mod wait;
