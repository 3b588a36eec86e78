//! What the name of a file says: a migration of refinery, one of another tool, or none.

use std::ffi::OsStr;

use refinery_core::error::Kind;
use refinery_core::parse_migration_name;

/// What the name of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileName {
    /// A migration: `V<number>__<name>.sql` or `U<number>__<name>.sql`.
    Migration,
    /// What another tool would apply, or a misspelt migration.
    Misnamed,
    /// SQL, or a copy of it, that no tool would apply by itself.
    OtherSql,
    /// Anything else.
    Other,
}

/// The endings of migrations that are programs: of refinery, Flyway, goose, Rails, Django, Knex, Laravel, Ecto.
const PROGRAMS: [&str; 14] = [
    "rs", "java", "kt", "go", "rb", "py", "js", "cjs", "mjs", "ts", "php", "ex", "exs", "cs",
];

/// What stands before the version: Flyway's letters, and words.
const PREFIXES: [&str; 9] = ["v", "u", "r", "b", "m", "mig", "migration", "version", "rev"];

/// Whole names, of Diesel and Prisma; they are in directories with a version.
const WHOLE_NAMES: [&str; 4] = ["up", "down", "migration", "migrate"];

/// What golang-migrate, sqlx, postgrator and yoyo append to the name.
const SUFFIXES: [&str; 5] = [".up", ".down", ".do", ".undo", ".rollback"];

impl FileName {
    pub(super) fn of(name: &OsStr) -> Self {
        let name = name.to_string_lossy();
        if is_migration(&name) {
            return Self::Migration;
        }
        let name = name.trim().to_lowercase();
        // A hidden file is a temporary or a system's file, such as `._V1__a.sql` of macOS.
        let is_hidden = name.starts_with('.');
        let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        if ending == "sql" {
            if !is_hidden && looks_like_sql_migration(stem) {
                Self::Misnamed
            } else {
                Self::OtherSql
            }
        } else if PROGRAMS.contains(&ending) && looks_like_program(stem) {
            Self::Misnamed
        } else if !is_hidden && (name.contains(".sql") || has_prefix_and_separator(stem)) {
            Self::OtherSql
        } else {
            Self::Other
        }
    }
}

/// Whether `name` is the name of an SQL file, and not that of a program or a copy.
pub(super) fn ends_in_sql(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes().trim_ascii();
    name.len() >= 4 && name[name.len() - 4..].eq_ignore_ascii_case(b".sql")
}

/// Whether the whole name matches refinery's pattern. Its regular expression decides only on names that are not ASCII.
fn is_migration(name: &str) -> bool {
    let Some(stem) = name
        .strip_suffix(".sql")
        .filter(|stem| stem.starts_with(['U', 'V']))
    else {
        return false;
    };
    let Some((version, rest)) = stem.split_once("__") else {
        return false;
    };
    if stem.is_ascii() {
        let is_number = !version[1..].is_empty() && version[1..].bytes().all(|byte| byte.is_ascii_digit());
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        // Of Flyway's `V1.2__x` refinery finds the file and then refuses the version.
        return is_number && !rest.is_empty() && rest.bytes().all(is_word);
    }
    match parse_migration_name(stem) {
        Ok((_, _, parsed)) => rest == parsed,
        // It matches, with a number that is too large: reading the file reports it.
        Err(error) => matches!(error.kind(), Kind::InvalidVersion),
    }
}

fn looks_like_sql_migration(stem: &str) -> bool {
    let begins_with = |word| stem.starts_with(word);
    stem.contains("__")
        || begins_with_digit(stem)
        || PREFIXES.iter().any(|prefix| {
            stem.strip_prefix(prefix)
                .is_some_and(|rest| begins_with_digit(rest.trim_start_matches(['_', '-', '.', ' '])))
        })
        || WHOLE_NAMES.contains(&stem)
        || SUFFIXES.iter().any(|suffix| stem.ends_with(suffix))
        // Flyway's callbacks, such as `afterMigrate`.
        || (["before", "after"].into_iter().any(begins_with) && stem.contains("migrate"))
}

/// Two digits at least, or Flyway's prefix: a program named `2fa` is none.
fn looks_like_program(stem: &str) -> bool {
    let after_version = stem.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_version = after_version.len() < stem.len() && after_version.starts_with(['_', '-']);
    has_version || has_prefix_and_separator(stem)
}

fn has_prefix_and_separator(stem: &str) -> bool {
    let version = stem.strip_prefix(['v', 'u', 'r', 'b']);
    version.is_some_and(|version| {
        version.contains("__") && (begins_with_digit(version) || version.starts_with("__"))
    })
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(char::is_numeric)
}
