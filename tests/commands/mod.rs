//! The commands and their settings.

mod contract;
mod dotenv;
mod environment;
mod report;
mod wait;
