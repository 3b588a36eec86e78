//! Which proofs of identity a server may ask for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zerostarter_settings::Secret;

/// The methods of `require_auth` that this program has.
const METHODS: [(&str, u8); 4] = [("password", 1), ("md5", 2), ("scram-sha-256", 4), ("none", 8)];
const CLEARTEXT: u8 = METHODS[0].1;
const MD5: u8 = METHODS[1].1;
const SCRAM: u8 = METHODS[2].1;
const NONE: u8 = METHODS[3].1;

/// libpq's `require_auth`: the methods that a server may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthMethods(u8);

impl AuthMethods {
    /// A list of methods, or a list of methods that are excluded, each with an exclamation mark. `None` if it is neither.
    /// Methods that this program lacks are never used, so they change nothing.
    pub(crate) fn parse(list: &str) -> Option<Self> {
        let mut named = 0;
        let is_exclusion = list.starts_with('!');
        for item in list.split(',') {
            let name = item.strip_prefix('!').unwrap_or(item);
            if item.starts_with('!') != is_exclusion {
                return None;
            }
            match METHODS.iter().find(|(known, _)| *known == name) {
                Some((_, method)) => named |= method,
                None if ["gss", "sspi", "oauth"].contains(&name) => {}
                None => return None,
            }
        }
        Some(Self(if is_exclusion { !named } else { named }))
    }

    /// Whether any method is left.
    pub(crate) fn is_possible(self) -> bool {
        METHODS.iter().any(|(_, method)| self.allows(*method))
    }

    /// Whether the URL allows a password in cleartext by its name.
    pub(crate) fn names_cleartext(self) -> bool {
        // An exclusion of others leaves the unused bits set.
        self.allows(CLEARTEXT) && self.0 <= CLEARTEXT | MD5 | SCRAM | NONE
    }

    fn allows(self, method: u8) -> bool {
        self.0 & method != 0
    }
}

/// Sees what a connection sends before it is open, and stops a proof of identity that must not be sent. tokio-postgres
/// answers whatever the server asks for.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    required: Option<AuthMethods>,
    cleartext_is_safe: bool,
    password: Option<Secret>,
    /// Whether a proof was sent.
    proved: Arc<AtomicBool>,
    /// Whether the connection is open. Then there is nothing to guard.
    opened: Arc<AtomicBool>,
}

impl Guard {
    /// For a connection with this password, on which it is safe or not to send that in cleartext.
    pub(crate) fn new(
        required: Option<AuthMethods>,
        password: Option<&Secret>,
        cleartext_is_safe: bool,
    ) -> Self {
        Self {
            required,
            cleartext_is_safe: cleartext_is_safe || required.is_some_and(AuthMethods::names_cleartext),
            password: password.cloned(),
            proved: Arc::default(),
            opened: Arc::default(),
        }
    }

    /// Looks at bytes before they are sent.
    pub(crate) fn inspect(&self, bytes: &[u8]) -> io::Result<()> {
        // PasswordMessage, SASLInitialResponse and SASLResponse have the same type byte, and are each written at once.
        let Some(body) = bytes.strip_prefix(b"p").and_then(|rest| rest.get(4..)) else {
            return Ok(());
        };
        if self.opened.load(Ordering::Relaxed) {
            return Ok(());
        }
        let is_first = !self.proved.swap(true, Ordering::Relaxed);
        let text = body.strip_suffix(&[0]);
        let method = if text.is_some() && text == self.password.as_ref().map(|it| it.expose().as_bytes()) {
            CLEARTEXT
        } else if text.is_some_and(|text| text.len() == 35 && text.starts_with(b"md5")) {
            MD5
        } else {
            SCRAM
        };
        if method == CLEARTEXT && !self.cleartext_is_safe {
            return Err(refusal(
                "the server asks for the password in cleartext, and the connection has no TLS",
            ));
        }
        if is_first {
            self.check(method)?;
        }
        Ok(())
    }

    /// Whether the server has let the connection in.
    pub(crate) fn is_open(&self) -> bool {
        self.opened.load(Ordering::Relaxed)
    }

    /// Notes that the server has let the connection in.
    pub(crate) fn open(&self) -> io::Result<()> {
        self.opened.store(true, Ordering::Relaxed);
        if self.proved.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.check(NONE)
    }

    fn check(&self, method: u8) -> io::Result<()> {
        if self.required.is_none_or(|required| required.allows(method)) {
            return Ok(());
        }
        Err(refusal(
            "the server asks for an authentication that require_auth excludes",
        ))
    }
}

fn refusal(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

#[cfg(test)]
mod tests {
    use super::{AuthMethods, CLEARTEXT, MD5, NONE, SCRAM};

    #[test]
    fn a_list_allows_or_excludes() {
        let allowed = |list: &str| {
            let methods = AuthMethods::parse(list)?;
            let all = [CLEARTEXT, MD5, SCRAM, NONE];
            Some(all.map(|method| methods.allows(method)))
        };
        assert_eq!(allowed("scram-sha-256"), Some([false, false, true, false]));
        assert_eq!(allowed("password,none,gss"), Some([true, false, false, true]));
        assert_eq!(allowed("!password,!md5"), Some([false, false, true, true]));
        for wrong in ["", "scram", "md5,", "!md5,password", "md5,!password", "MD5"] {
            assert_eq!(AuthMethods::parse(wrong), None, "{wrong}");
        }
        assert!(AuthMethods::parse("password").is_some_and(AuthMethods::names_cleartext));
        assert!(!AuthMethods::parse("!md5").is_some_and(AuthMethods::names_cleartext));
        assert!(!AuthMethods::parse("gss,sspi").is_some_and(AuthMethods::is_possible));
    }
}
