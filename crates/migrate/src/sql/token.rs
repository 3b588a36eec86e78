//! A token of a migration file.

/// A token other than white space and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// Its text as written.
    pub text: &'a str,
    pub(super) kind: Kind,
    /// How many parentheses are open around it.
    pub depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bare,
    Other,
}

impl Token<'_> {
    /// Whether this is the unquoted word `keyword` (given in capitals), however it is capitalised.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Bare && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it can be a name: bare or in double quotes.
    #[must_use]
    pub fn is_name(&self) -> bool {
        self.kind == Kind::Bare || self.text.starts_with('"')
    }
}
