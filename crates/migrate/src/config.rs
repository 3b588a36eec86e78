//! The settings of migrations: locks, timeouts, role, target.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zerostarter_connect as connect;
use zerostarter_connect::attempt::ATTEMPT_LIMIT;
use zerostarter_connect::config::{DATABASE_URL, POSTGRES_DIRECT_URL, POSTGRES_URL};
use zerostarter_settings::{Reader, Variable};

use crate::ledger::{Ledger, OutOfOrder, Policy, SnapshotQuery};
use crate::source::{
    self, Directory, DrizzleFolder, DrizzleTable, Format, Source, UnknownFiles, drizzle_layout,
};

/// `MIGRATE_TARGET`. It is not among [`VARIABLES`] because only some commands have its flag.
pub const TARGET: Variable = Variable::new(
    "MIGRATE_TARGET",
    "The last version to apply; check, wait and plan ignore what is above it",
)
.flag("target", "VERSION")
.default_in_words("the newest");

/// The variables of migrations that every command has.
pub const VARIABLES: &[Variable] = &[
    Variable::new("MIGRATIONS_DIR", "Read migrations from this directory")
        .flag("dir", "PATH")
        .default_in_words("the embedded migrations"),
    Variable::new(
        "MIGRATE_UNKNOWN_FILES",
        "warn of or refuse files in MIGRATIONS_DIR that look like migrations of another tool",
    )
    .flag("unknown-files", "CHOICE")
    .default("refuse"),
    Variable::new(
        "MIGRATIONS_FORMAT",
        "auto, drizzle or refinery: whose migrations MIGRATIONS_DIR holds",
    )
    .flag("format", "CHOICE")
    .default("auto"),
    Variable::new(
        "MIGRATIONS_TABLE",
        "Drizzle's table of applied migrations, with its schema",
    )
    .flag("table", "SCHEMA.TABLE")
    .default("drizzle.__drizzle_migrations"),
    Variable::new(
        "MIGRATE_OUT_OF_ORDER",
        "auto, apply, skip or refuse an entry of a Drizzle folder that is older than the last applied one",
    )
    .flag("out-of-order", "CHOICE")
    .default("auto"),
    Variable::new(
        "MIGRATE_STRICT",
        "yes refuses what a run of a Drizzle folder otherwise warns of",
    )
    .switch("strict")
    .default("no"),
    Variable::new("MIGRATE_WAIT", "How long to wait for the database")
        .flag("wait", "DURATION")
        .default("60s"),
    Variable::new("MIGRATE_LOCK_WAIT", "How long to wait for another migrator")
        .flag("lock-wait", "DURATION")
        .default("10m"),
    Variable::new("MIGRATE_LOCK_TIMEOUT", "How long a migration waits for one lock")
        .flag("lock-timeout", "DURATION")
        .default("2s"),
    Variable::new(
        "MIGRATE_LOCK_BUDGET",
        "How long one attempt waits for locks in total",
    )
    .flag("lock-budget", "DURATION")
    .default("4s"),
    Variable::new(
        "MIGRATE_LOCK_RETRIES",
        "How many attempts a blocked migration has",
    )
    .flag("lock-retries", "NUMBER")
    .default("10"),
    Variable::new("MIGRATE_STATEMENT_TIMEOUT", "How long a statement may run")
        .flag("statement-timeout", "DURATION")
        .default("none"),
    Variable::new(
        "MIGRATE_AHEAD",
        "allow or refuse a database that is ahead of this program",
    )
    .flag("ahead", "CHOICE")
    .default("allow"),
    Variable::new(
        "MIGRATE_ROLE",
        "Role that runs the migrations and owns what they create",
    )
    .flag("role", "ROLE"),
];

/// The variables of applying migrations.
pub const APPLY_VARIABLES: &[Variable] = &[
    Variable::new(
        "MIGRATE_CREATE_DATABASE",
        "yes creates the database if it does not exist",
    )
    .switch("create-database")
    .default("no"),
    Variable::new(
        "MIGRATE_ATOMIC",
        "yes applies all pending migrations in one transaction, or none",
    )
    .switch("atomic")
    .default("no"),
];

/// `MIGRATE_AHEAD`: what to do if the database has newer migrations than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// Warn and succeed: after a rollback, or in a rolling deploy, the old version must be able to start.
    Allow,
    /// Treat it as a conflict.
    Refuse,
}

/// `MIGRATE_TARGET`: the last migration to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By its version.
    Version(i64),
    /// By its label, such as a tag of Drizzle.
    Label(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "version {version}"),
            Self::Label(label) => write!(f, "the name {label}"),
        }
    }
}

/// The settings of migrations.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach the database: by `POSTGRES_DIRECT_URL` if it is set, else by `POSTGRES_URL`.
    pub database: connect::Config,
    /// `MIGRATIONS_DIR`: read migrations from this directory.
    pub migrations_dir: Option<PathBuf>,
    /// `MIGRATE_UNKNOWN_FILES`: what to do about files there that look like migrations of another tool.
    pub unknown_files: UnknownFiles,
    /// `MIGRATIONS_FORMAT`: whose migrations are there.
    pub format: Format,
    /// `MIGRATIONS_TABLE`: Drizzle's table of applied migrations.
    pub drizzle_table: DrizzleTable,
    /// `MIGRATE_OUT_OF_ORDER` and `MIGRATE_STRICT`: how a folder of drizzle-kit is compared with its table.
    pub policy: Policy,
    /// `MIGRATE_WAIT`: how long to wait for the database.
    pub wait: Duration,
    /// `MIGRATE_LOCK_WAIT`: how long to wait for another migrator.
    pub lock_wait: Duration,
    /// `MIGRATE_LOCK_TIMEOUT`: how long to wait for one lock; zero is no limit.
    pub lock_timeout: Duration,
    /// `MIGRATE_LOCK_BUDGET`: how long one attempt waits for locks in total; zero is no limit.
    pub lock_budget: Duration,
    /// `MIGRATE_LOCK_RETRIES`: how many attempts a migration with lock conflicts has; at least 1.
    pub lock_retries: u32,
    /// `MIGRATE_STATEMENT_TIMEOUT`: how long one statement may run; zero is no limit.
    pub statement_timeout: Duration,
    /// `MIGRATE_AHEAD`.
    pub ahead: Ahead,
    /// `MIGRATE_ROLE`: the role that runs the migrations and owns what they create.
    pub role: Option<String>,
    /// `MIGRATE_TARGET`: the last migration to apply.
    pub target: Option<Target>,
    /// `MIGRATE_CREATE_DATABASE`: create the database if it does not exist.
    pub create_database: bool,
    /// `MIGRATE_ATOMIC`: all pending migrations in one transaction.
    pub atomic: bool,
}

impl Config {
    /// Reads the settings. `None` after a problem, which `reader` has noted.
    pub fn load(reader: &mut Reader<'_>) -> Option<Self> {
        let database = connect::Config::load(reader, &[POSTGRES_DIRECT_URL, POSTGRES_URL, DATABASE_URL]);
        let wait = reader.duration("MIGRATE_WAIT");
        let lock_wait = reader.duration("MIGRATE_LOCK_WAIT");
        let lock_timeout = reader.server_duration("MIGRATE_LOCK_TIMEOUT");
        let lock_budget = reader.server_duration("MIGRATE_LOCK_BUDGET");
        let lock_retries = reader.parse(
            "MIGRATE_LOCK_RETRIES",
            "is not a whole number of attempts, 1 or more",
            |text| text.parse().ok().filter(|attempts| *attempts > 0),
        );
        let statement_timeout = reader.server_duration("MIGRATE_STATEMENT_TIMEOUT");
        let ahead = reader.parse("MIGRATE_AHEAD", "is not allow or refuse", |text| match text {
            "allow" => Some(Ahead::Allow),
            "refuse" => Some(Ahead::Refuse),
            _ => None,
        });
        let role = reader.text("MIGRATE_ROLE");
        let migrations_dir = reader.path("MIGRATIONS_DIR");
        let unknown_files = reader.parse(
            "MIGRATE_UNKNOWN_FILES",
            "is not warn or refuse",
            |text| match text {
                "warn" => Some(UnknownFiles::Warn),
                "refuse" => Some(UnknownFiles::Refuse),
                _ => None,
            },
        );
        let format = reader.parse(
            "MIGRATIONS_FORMAT",
            "is not auto, drizzle or refinery",
            |text| match text {
                "auto" => Some(Format::Auto),
                "drizzle" => Some(Format::Drizzle),
                "refinery" => Some(Format::Refinery),
                _ => None,
            },
        );
        let drizzle_table = reader.parse(
            "MIGRATIONS_TABLE",
            "is not a schema and a table, such as drizzle.__drizzle_migrations",
            DrizzleTable::named,
        );
        let out_of_order = reader.parse(
            "MIGRATE_OUT_OF_ORDER",
            "is not auto, apply, skip or refuse",
            |text| match text {
                "auto" => Some(OutOfOrder::Auto),
                "apply" => Some(OutOfOrder::Apply),
                "skip" => Some(OutOfOrder::Skip),
                "refuse" => Some(OutOfOrder::Refuse),
                _ => None,
            },
        );
        let strict = reader.yes_or_no("MIGRATE_STRICT");
        let target = reader.parse(
            "MIGRATE_TARGET",
            "is not the version of a migration, such as 1",
            |text| match text.trim_start_matches('V').parse() {
                Ok(version) => Some(Target::Version(version)),
                // The label of a migration has a name too.
                Err(_) => text.contains('_').then(|| Target::Label(text.to_owned())),
            },
        );
        let atomic = reader.yes_or_no("MIGRATE_ATOMIC");
        let create_database = reader.yes_or_no("MIGRATE_CREATE_DATABASE");
        Some(Self {
            database: database?,
            migrations_dir,
            unknown_files: unknown_files?,
            format: format?,
            drizzle_table: drizzle_table?,
            policy: Policy {
                out_of_order: out_of_order?,
                strict,
            },
            wait,
            lock_wait,
            lock_timeout,
            lock_budget,
            lock_retries: lock_retries?,
            statement_timeout,
            ahead: ahead?,
            role,
            target,
            create_database,
            atomic,
        })
    }

    /// `MIGRATIONS_DIR`, if it is set, else `embedded`.
    ///
    /// # Errors
    ///
    /// [`source::Error`]: it is not clear whose migrations the directory holds.
    pub fn source(&self, embedded: Source) -> Result<Source, source::Error> {
        let Some(path) = self.migrations_dir.clone() else {
            return Ok(embedded);
        };
        Ok(match drizzle_layout(&path, self.format)? {
            Some(layout) => Source::Drizzle(DrizzleFolder {
                path,
                layout,
                table: self.drizzle_table,
            }),
            None => Source::Directory(Directory {
                path,
                unknown_files: self.unknown_files,
            }),
        })
    }

    /// Logs what an operator should know about the settings.
    pub fn log(&self) {
        self.database.log_url();
        self.database.log_protection();
        let database = &self.database;
        if let (Some(sign), variable @ ("POSTGRES_URL" | "DATABASE_URL")) =
            (database.url.transaction_pooler_sign(), database.url_variable)
        {
            tracing::warn!(
                "{variable} looks like transaction pooling ({sign}); set POSTGRES_DIRECT_URL to a direct connection for migrations"
            );
        }
    }

    /// How long a migration waits for one lock: the shorter of lock timeout and lock budget. Zero is no limit.
    pub(crate) fn longest_lock_wait(&self) -> Duration {
        match (self.lock_timeout, self.lock_budget) {
            (timeout, Duration::ZERO) => timeout,
            (Duration::ZERO, budget) => budget,
            (timeout, budget) => timeout.min(budget),
        }
    }

    /// How long a query of ours waits for a lock. Always limited: an unlimited wait could not be distinguished from a dead
    /// connection.
    fn query_lock_wait(&self) -> Duration {
        [self.lock_timeout, self.lock_budget]
            .into_iter()
            .find(|limit| !limit.is_zero())
            .unwrap_or(self.lock_wait)
    }

    /// How long the answer to a query of ours may take: the server answers at once, unless it waits for a lock.
    pub(crate) fn query_limit(&self) -> Duration {
        self.query_lock_wait() + ATTEMPT_LIMIT
    }

    /// The query for the state of the database.
    #[must_use]
    pub fn snapshot_query(&self, ledger: Ledger) -> SnapshotQuery<'_> {
        SnapshotQuery {
            ledger,
            schema: self.database.url.parameters.schema.as_deref(),
            role: self.role.as_deref(),
            lock_wait: self.query_lock_wait(),
        }
    }
}
