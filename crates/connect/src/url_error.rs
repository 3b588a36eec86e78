//! Why a URL cannot be used.

/// Why a URL cannot be used. Names parts of the URL, never their values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UrlError {
    message: String,
    hint: Option<&'static str>,
}

pub(crate) const ENCODE_HINT: &str =
    "in a user name or password, write @ as %40, / as %2F, ? as %3F, # as %23, % as %25";

impl UrlError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(message: impl Into<String>, hint: &'static str) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }
}

/// The error for a value that the parameter `name` does not have.
pub(crate) fn invalid(name: &str, allowed: &str) -> UrlError {
    UrlError::new(format!(
        "has a value in its parameter {name} that is not {allowed}"
    ))
}
