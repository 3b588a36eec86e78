//! The command line, as types. Every flag only sets the variable that its help names, so what a value may
//! be is decided in one place, and everything wrong is reported together.

#![expect(
    clippy::doc_markdown,
    reason = "the comments here are the text of --help, which knows no backticks"
)]

use clap::{Args, Parser, Subcommand};

const AFTER_HELP: &str = "\
Settings come from flags, then the environment, then .env.$NODE_ENV, then .env.
NODE_ENV and POSTGRES_URL (or POSTGRES_URL_FILE) have to be set; `zerostarter-db env` shows what is in force.
Logs go to stderr, data goes to stdout.

Exit status:
  0  done; for check and wait: nothing is pending
  1  a migration failed, or the database answered with an unexpected error
  2  the command line, a variable or a migration file cannot be used
  3  the database could not be reached within MIGRATE_WAIT
  4  the database refused: password, TLS, permission, missing database, standby
  5  migrations are pending (check; wait when its time is over)
  6  the history in the database and the migrations disagree
  7  another migrator or a table lock was in the way until the limit
  130, 143  SIGINT, SIGTERM: what was under way was cancelled and rolled back";

/// Applies the pending migrations to a PostgreSQL database, and exits.
///
/// Start your app when it has exited with 0. It waits for the database, may be started in several copies
/// at once, and does nothing where nothing is pending.
#[derive(Debug, Parser)]
#[command(name = "zerostarter-db", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do; `migrate` where nothing is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings that every command takes.
    #[command(flatten)]
    pub flags: Flags,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Apply what is pending (the default)
    Migrate(MigrateFlags),
    /// Show every migration and its state
    Status {
        /// Print JSON [env: STATUS_JSON]
        #[arg(long)]
        json: bool,
    },
    /// Exit with 0 if nothing is pending, else with 5; changes nothing
    Check(TargetFlag),
    /// Block until nothing is pending: for pods that start beside the one that migrates
    Wait {
        /// How long to block, exit with 5 after that [env: WAIT_TIMEOUT] [default: that of --lock-wait]
        #[arg(long, value_name = "DURATION")]
        timeout: Option<String>,
        /// `--target`.
        #[command(flatten)]
        target: TargetFlag,
    },
    /// Show what migrate would run, with its SQL; changes nothing
    Plan(TargetFlag),
    /// Show the settings in force and where each comes from, without secrets
    Env,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// `--target`, of the commands that apply, show or look for migrations.
#[derive(Args, Clone, Debug, Default)]
pub struct TargetFlag {
    /// Leave out what is above this version [env: MIGRATE_TARGET]
    #[arg(long, value_name = "VERSION")]
    pub target: Option<String>,
}

/// Flags of `migrate`.
#[derive(Args, Clone, Debug, Default)]
pub struct MigrateFlags {
    /// `--target`.
    #[command(flatten)]
    pub target: TargetFlag,
    /// Make the database if the server has none of that name [env: MIGRATE_CREATE_DATABASE=yes]
    #[arg(long)]
    pub create_database: bool,
    /// Apply all that is pending in one transaction, or nothing [env: MIGRATE_ATOMIC=yes]
    #[arg(long)]
    pub atomic: bool,
    /// Write the verdict as JSON to this file, whatever it is [env: MIGRATE_REPORT]
    #[arg(long, value_name = "PATH")]
    pub report: Option<String>,
}

/// Flags of every command. Secrets have none: other users see the arguments of a process.
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// local, development, test, staging or production [env: NODE_ENV]
    #[arg(long, global = true, value_name = "NAME")]
    pub node_env: Option<String>,
    /// File that holds the database's URL [env: POSTGRES_URL_FILE; the URL itself: POSTGRES_URL]
    #[arg(long, global = true, value_name = "PATH")]
    pub url_file: Option<String>,
    /// The same past a pooler, for migrations [env: POSTGRES_DIRECT_URL_FILE; the URL itself: POSTGRES_DIRECT_URL]
    #[arg(long, global = true, value_name = "PATH")]
    pub direct_url_file: Option<String>,
    /// PEM file of the CA to trust in place of Mozilla's list [env: POSTGRES_CA_FILE]
    #[arg(long, global = true, value_name = "PATH")]
    pub ca_file: Option<String>,
    /// Read migrations from here, not from this program [env: MIGRATIONS_DIR]
    #[arg(long, global = true, value_name = "PATH")]
    pub dir: Option<String>,
    /// How long to wait for the database [env: MIGRATE_WAIT] [default: 60s]
    #[arg(long, global = true, value_name = "DURATION")]
    pub wait: Option<String>,
    /// How long to wait for another migrator [env: MIGRATE_LOCK_WAIT] [default: 10m]
    #[arg(long, global = true, value_name = "DURATION")]
    pub lock_wait: Option<String>,
    /// How long a migration may wait for one lock [env: MIGRATE_LOCK_TIMEOUT] [default: 2s]
    #[arg(long, global = true, value_name = "DURATION")]
    pub lock_timeout: Option<String>,
    /// How long one try may wait for locks in all [env: MIGRATE_LOCK_BUDGET] [default: 4s]
    #[arg(long, global = true, value_name = "DURATION")]
    pub lock_budget: Option<String>,
    /// How often to try a migration that is blocked [env: MIGRATE_LOCK_RETRIES] [default: 10]
    #[arg(long, global = true, value_name = "NUMBER")]
    pub lock_retries: Option<String>,
    /// How long a statement may run [env: MIGRATE_STATEMENT_TIMEOUT] [default: none]
    #[arg(long, global = true, value_name = "DURATION")]
    pub statement_timeout: Option<String>,
    /// allow or refuse a database that is ahead of this program [env: MIGRATE_AHEAD] [default: allow]
    #[arg(long, global = true, value_name = "CHOICE")]
    pub ahead: Option<String>,
    /// Role to run migrations as, and to own what they make [env: MIGRATE_ROLE]
    #[arg(long, global = true, value_name = "ROLE")]
    pub role: Option<String>,
    /// Leave the last words here if it is there [env: TERMINATION_LOG] [default: /dev/termination-log]
    #[arg(long, global = true, value_name = "PATH")]
    pub termination_log: Option<String>,
    /// text or json [env: LOG_FORMAT] [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// error, warn, info, debug or trace [env: RUST_LOG] [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

impl Cli {
    /// The variables that the flags set.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let flags = self.flags.clone();
        let yes = |is_given: bool| is_given.then(|| "yes".to_owned());
        let command = match self.command.clone() {
            Some(Command::Migrate(flags)) => vec![
                ("MIGRATE_TARGET", flags.target.target),
                ("MIGRATE_CREATE_DATABASE", yes(flags.create_database)),
                ("MIGRATE_ATOMIC", yes(flags.atomic)),
                ("MIGRATE_REPORT", flags.report),
            ],
            Some(Command::Check(flag) | Command::Plan(flag)) => vec![("MIGRATE_TARGET", flag.target)],
            Some(Command::Status { json }) => vec![("STATUS_JSON", yes(json))],
            Some(Command::Wait { timeout, target }) => {
                vec![("WAIT_TIMEOUT", timeout), ("MIGRATE_TARGET", target.target)]
            }
            None | Some(Command::Env | Command::Completions { .. }) => vec![],
        };
        let global = [
            ("NODE_ENV", flags.node_env),
            ("POSTGRES_URL_FILE", flags.url_file),
            ("POSTGRES_DIRECT_URL_FILE", flags.direct_url_file),
            ("POSTGRES_CA_FILE", flags.ca_file),
            ("MIGRATIONS_DIR", flags.dir),
            ("MIGRATE_WAIT", flags.wait),
            ("MIGRATE_LOCK_WAIT", flags.lock_wait),
            ("MIGRATE_LOCK_TIMEOUT", flags.lock_timeout),
            ("MIGRATE_LOCK_BUDGET", flags.lock_budget),
            ("MIGRATE_LOCK_RETRIES", flags.lock_retries),
            ("MIGRATE_STATEMENT_TIMEOUT", flags.statement_timeout),
            ("MIGRATE_AHEAD", flags.ahead),
            ("MIGRATE_ROLE", flags.role),
            ("TERMINATION_LOG", flags.termination_log),
            ("LOG_FORMAT", flags.log_format),
            ("RUST_LOG", flags.log_level),
        ];
        global
            .into_iter()
            .chain(command)
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}
