//! Settings: each declared once as a [`Variable`], read from layers (flags, the environment, `.env` files), with every
//! problem reported in one go.
//!
//! ```text
//! layer::gather → Settings → Reader → the configuration of each crate
//! ```

#![forbid(unsafe_code)]

mod dotenv;
pub mod layer;
mod problem;
mod reader;
mod secret;
mod settings;
mod variable;

pub use layer::{DotenvError, Layer, trimmed};
pub use problem::{Error, Problem};
pub use reader::{IN_QUOTES, QUOTES_HINT, Reader};
pub use secret::Secret;
pub use settings::{Setting, Settings};
pub use variable::{Flag, Variable};
