//! The layers of variables merged over the defaults.

use std::fmt;
use std::path::Path;

use config::Source as _;

use crate::layer::{DotenvError, ENVIRONMENT, FLAG, Layer, gather};
use crate::problem::Error;
use crate::variable::Variable;

/// A setting as it came in: its text and the place it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// The text.
    pub value: String,
    /// The layer's name, or `default`.
    pub origin: String,
}

impl Setting {
    /// The variable `name` as messages name it: with its place, unless that is the environment.
    #[must_use]
    pub fn label(&self, name: &str) -> String {
        if self.origin == ENVIRONMENT {
            name.to_owned()
        } else {
            format!("{name} (from {})", self.origin)
        }
    }
}

impl fmt::Debug for Setting {
    /// The origin alone: a value may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// The variables of all layers and the defaults: of each name, the most important.
pub struct Settings {
    layered: config::Map<String, config::Value>,
    /// Layer names, most important first.
    rank: Vec<String>,
    warnings: Vec<DotenvError>,
}

const DEFAULT_ORIGIN: &str = "default";

impl Settings {
    /// Merges `layers`, most important first, over the defaults of `variables`.
    ///
    /// # Panics
    ///
    /// Never: the crate `config` is given only texts under plain names.
    #[must_use]
    pub fn from_layers<'a>(layers: &[Layer], variables: impl IntoIterator<Item = &'a Variable>) -> Self {
        let defaults = variables
            .into_iter()
            .filter_map(|variable| Some((variable.name, variable.default?)));
        let mut builder = config::Config::builder().add_source(Layer::new(DEFAULT_ORIGIN, defaults));
        for layer in layers.iter().rev() {
            builder = builder.add_source(layer.clone());
        }
        let layered = builder
            .build()
            .and_then(|layered| layered.collect())
            .expect("texts under plain names can always be layered");
        Self {
            layered,
            rank: layers.iter().map(|layer| layer.origin.clone()).collect(),
            warnings: layers.iter().flat_map(|layer| layer.warnings.clone()).collect(),
        }
    }

    /// The settings of this process: its environment and the `.env` files of its working directory.
    ///
    /// # Errors
    ///
    /// [`Error::Dotenv`]: see [`gather`].
    pub fn of_process<'a>(variables: impl IntoIterator<Item = &'a Variable>) -> Result<Self, Error> {
        Self::with_flags([], variables)
    }

    /// The same, with the variables that flags of the command line set.
    ///
    /// # Errors
    ///
    /// Those of [`Settings::of_process`].
    pub fn with_flags<'a>(
        flags: impl IntoIterator<Item = (&'static str, String)>,
        variables: impl IntoIterator<Item = &'a Variable>,
    ) -> Result<Self, Error> {
        let variables: Vec<_> = variables.into_iter().collect();
        let is_ours = |name: &str| variables.iter().any(|variable| variable.name == name);
        let flags = Layer::new(FLAG, flags);
        let layers = gather(flags, std::env::vars_os(), Path::new("."), &is_ours)?;
        Ok(Self::from_layers(&layers, variables))
    }

    /// Lines of `.env` files that could not be read and are ignored.
    #[must_use]
    pub fn warnings(&self) -> &[DotenvError] {
        &self.warnings
    }

    /// The setting of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Setting> {
        let value = self.layered.get(name)?;
        let origin = value.origin().unwrap_or(DEFAULT_ORIGIN).to_owned();
        Some(Setting {
            value: value.clone().into_string().ok()?,
            origin,
        })
    }

    /// Whether `one` was set in a more important layer than `other`.
    #[must_use]
    pub fn outranks(&self, one: &Setting, other: &Setting) -> bool {
        let rank = |setting: &Setting| {
            let place = self.rank.iter().position(|origin| *origin == setting.origin);
            place.unwrap_or(self.rank.len())
        };
        rank(one) < rank(other)
    }
}
