//! The program as a library, for what the program itself cannot show.

use zerostarter_db::config::Config;
use zerostarter_db::variables;
use zerostarter_settings::{Layer, Settings};
use zerostarter_test_harness::Database;

/// The settings of `layers`, most important first.
pub(crate) fn settings(layers: &[Layer]) -> Settings {
    Settings::from_layers(layers, variables::all())
}

/// The settings for a database of the harness.
pub(crate) fn config(database: &Database) -> Config {
    let variables = [("NODE_ENV", "test".to_owned()), ("POSTGRES_URL", database.url())];
    let settings = settings(&[Layer::new("test", variables)]);
    Config::load(&settings, &|path| std::fs::read(path)).expect("a configuration")
}
