//! The declaration of a variable. Each crate declares its own in one table, `VARIABLES`; `--help`, `env`, the README's
//! table and `.env.example` follow those tables.

/// One variable: its name, the flag that overrides it, its default, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The environment variable.
    pub name: &'static str,
    /// What it means: one line for `--help`.
    pub help: &'static str,
    /// The flag that overrides it, if it has one.
    pub flag: Option<Flag>,
    /// What holds if nobody sets it.
    pub default: Option<&'static str>,
    /// The default in words, if it is not a fixed text.
    pub default_in_words: Option<&'static str>,
    /// Whether its value may hold a password.
    pub secret: bool,
}

/// The flag of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Its long name, without the dashes.
    pub name: &'static str,
    /// The placeholder of its value in `--help`; `None` for a switch that sets the variable to `yes`.
    pub value: Option<&'static str>,
}

impl Variable {
    /// A variable without flag and default.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            flag: None,
            default: None,
            default_in_words: None,
            secret: false,
        }
    }

    /// With a flag that takes a value.
    #[must_use]
    pub const fn flag(self, name: &'static str, value: &'static str) -> Self {
        let flag = Flag {
            name,
            value: Some(value),
        };
        Self {
            flag: Some(flag),
            ..self
        }
    }

    /// With a flag that takes no value and sets the variable to `yes`.
    #[must_use]
    pub const fn switch(self, name: &'static str) -> Self {
        Self {
            flag: Some(Flag { name, value: None }),
            ..self
        }
    }

    /// With a default.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// With a default that `--help` can only describe.
    #[must_use]
    pub const fn default_in_words(self, words: &'static str) -> Self {
        Self {
            default_in_words: Some(words),
            ..self
        }
    }

    /// With a value that no output shows.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}
