//! The table of all variables of this program. Each crate declares its own.

use zerostarter_connect::config::variables_with_direct_url;
use zerostarter_console::config as console;
use zerostarter_migrate::config as migrate;
use zerostarter_settings::Variable;

/// `MIGRATE_REPORT`, of `migrate`.
pub const REPORT: Variable =
    Variable::new("MIGRATE_REPORT", "Write a report of the run as JSON to this file").flag("report", "PATH");

/// `WAIT_TIMEOUT`, of `wait`.
pub const WAIT_TIMEOUT: Variable = Variable::new("WAIT_TIMEOUT", "How long to wait; then exit with 5")
    .flag("timeout", "DURATION")
    .default_in_words("MIGRATE_LOCK_WAIT");

/// `STATUS_JSON`, of `status`.
pub const STATUS_JSON: Variable = Variable::new("STATUS_JSON", "yes prints JSON")
    .switch("json")
    .default("no");

/// `TERMINATION_LOG`, of every command.
pub const TERMINATION_LOG: Variable = Variable::new(
    "TERMINATION_LOG",
    "Write the final error to this file, if it exists",
)
.flag("termination-log", "PATH")
.default(DEFAULT_TERMINATION_LOG);

/// Where Kubernetes reads the termination message of a container, unless its pod sets another path.
pub const DEFAULT_TERMINATION_LOG: &str = "/dev/termination-log";

/// The variables whose flags every command has.
pub fn global() -> impl Iterator<Item = &'static Variable> {
    let variables = variables_with_direct_url().chain(migrate::VARIABLES);
    variables.chain([&TERMINATION_LOG]).chain(console::VARIABLES)
}

/// Every variable, in the order in which `env` lists them.
pub fn all() -> impl Iterator<Item = &'static Variable> {
    let variables = variables_with_direct_url().chain(migrate::VARIABLES);
    variables
        .chain([&migrate::TARGET, &WAIT_TIMEOUT, &STATUS_JSON])
        .chain(migrate::APPLY_VARIABLES)
        .chain([&REPORT, &TERMINATION_LOG])
        .chain(console::VARIABLES)
}
