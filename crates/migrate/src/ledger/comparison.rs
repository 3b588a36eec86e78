//! The comparison of the history table with the migrations: what is pending, and which conflicts there are.

use std::borrow::Cow;
use std::fmt;

use super::applied::Applied;
use crate::source::Migration;

/// A disagreement between the history table and the migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The text or the name of a migration has changed since it was applied.
    Edited {
        /// The file.
        path: String,
        /// The applied migration, and its checksum in the history table.
        applied: (String, String),
        /// The migration of the file, and its checksum.
        ours: (String, String),
    },
    /// The history table has a migration at or below our newest version that is not among ours.
    Unknown {
        /// The applied migration.
        applied: String,
        /// The file of our newest migration.
        newest: String,
    },
    /// A migration is not applied and has a lower version than the last applied one.
    OutOfOrder {
        /// The file.
        path: String,
        /// The last applied migration.
        last: String,
    },
    /// An object with the name that a migration creates exists, and differs.
    Occupied {
        /// The file.
        path: String,
        /// The object.
        what: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// An earlier run began a statement without recognizable leftovers, and was interrupted.
    Begun {
        /// The file.
        path: String,
    },
    /// A note says that a migration was begun that is not among ours.
    BegunAndGone {
        /// The migration.
        label: String,
    },
    /// Some steps of a migration have run, and its file has changed since.
    EditedMidway {
        /// The file.
        path: String,
        /// How many steps have run.
        done: usize,
        /// How many steps it had.
        total: usize,
    },
    /// Nothing is recorded, and objects exist that a migration creates.
    NotNew {
        /// The objects.
        existing: String,
        /// The last migration up to which everything exists.
        adopt: Option<String>,
    },
    /// Drizzle's table is missing or empty, and another table records migrations of the folder.
    OtherTable {
        /// The other table.
        found: String,
        /// The one that was looked for.
        wanted: String,
    },
    /// The first migration is a comment, as `drizzle-kit pull` writes it, and the database does not have its tables.
    CommentedOut {
        /// The file.
        path: String,
        /// The tables that exist.
        existing: String,
        /// The tables that do not.
        missing: String,
    },
    /// Drizzle's table has rows, and none of them belongs to the folder.
    Foreign {
        /// How many rows.
        rows: usize,
        /// The time of the newest.
        newest: String,
    },
    /// The file of an applied migration has changed, and the database lacks what it creates now.
    ChangedAndMissing {
        /// The file.
        path: String,
        /// The tables and columns.
        missing: String,
    },
    /// A migration is older than the newest applied one, and it is not certain that it can be applied now.
    Late {
        /// The migration.
        label: String,
        /// Its time.
        time: String,
        /// The newest applied one, with its time.
        behind: String,
        /// That time in milliseconds.
        after: i64,
        /// A statement that does not only create: its line and first words.
        does_more: Option<(usize, String)>,
        /// What it creates and exists.
        existing: String,
        /// What it creates and does not exist.
        missing: String,
    },
    /// The database lacks what a migration creates that is to be recorded.
    NotThere {
        /// The migration.
        label: String,
        /// What it lacks.
        missing: String,
    },
    /// A warning, under `MIGRATE_STRICT`.
    Strict(String),
    /// The history table has newer migrations than ours, and `MIGRATE_AHEAD=refuse`.
    Ahead {
        /// The applied migrations.
        applied: Vec<String>,
        /// The file of our newest migration.
        newest: String,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { path, applied, ours } => write!(
                f,
                "{path} was edited after it was applied: the history table has {} with checksum {}, the file is {} with checksum {}",
                applied.0, applied.1, ours.0, ours.1
            ),
            Self::Unknown { applied, newest } => write!(
                f,
                "{applied} is in the history table but not among the migrations, of which {newest} is the newest"
            ),
            Self::OutOfOrder { path, last } => {
                write!(
                    f,
                    "{path} is not applied, and its version is lower than the last applied one, {last}"
                )
            }
            Self::Occupied { path, what, .. } => write!(f, "{path} is not in the history table, but {what}"),
            Self::Begun { path } => write!(
                f,
                "{path} was begun by an earlier run that was interrupted: it may have run"
            ),
            Self::BegunAndGone { label } => write!(
                f,
                "{label} was begun by an earlier run, which did not finish it, and is not among the migrations"
            ),
            Self::EditedMidway { path, done, total } => {
                write!(f, "{path} was edited after {done} of its {total} steps had run")
            }
            Self::NotNew { existing, .. } => write!(
                f,
                "no migration is recorded, but the database has what they create: {existing}"
            ),
            Self::OtherTable { found, wanted } => write!(
                f,
                "{wanted} has no row, but {found} records migrations of this folder"
            ),
            Self::CommentedOut {
                path,
                existing,
                missing,
            } => {
                write!(
                    f,
                    "{path} is commented out, and the database lacks what it creates: {missing}"
                )?;
                if existing.is_empty() {
                    Ok(())
                } else {
                    write!(f, "; it has {existing}")
                }
            }
            Self::Foreign { rows, newest } => write!(
                f,
                "Drizzle's table has {rows} rows, the newest of {newest}, and none belongs to a migration of this folder"
            ),
            Self::ChangedAndMissing { path, missing } => write!(
                f,
                "{path} was changed after it was applied, and the database lacks what it creates now: {missing}"
            ),
            Self::Late {
                label,
                time,
                behind,
                does_more,
                existing,
                missing,
                ..
            } => {
                write!(
                    f,
                    "{label} is not applied, and drizzle-kit would never apply it: its time ({time}) is before that of {behind}, which is applied"
                )?;
                if let Some((line, words)) = does_more {
                    write!(f, "; line {line} cannot be judged: {words} …")?;
                }
                for (what, objects) in [("exist", existing), ("missing", missing)] {
                    if !objects.is_empty() {
                        write!(f, "; {what}: {objects}")?;
                    }
                }
                Ok(())
            }
            Self::NotThere { label, missing } => {
                write!(f, "{label} cannot be recorded: the database lacks {missing}")
            }
            Self::Strict(warning) => f.write_str(warning),
            Self::Ahead { applied, newest } => write!(
                f,
                "the database is ahead: it has {}, and the newest here is {newest}",
                applied.join(", ")
            ),
        }
    }
}

impl Conflict {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NotNew {
                adopt: Some(label), ..
            } => {
                return format!(
                    "look whether the database is at {label}; if so, zerostarter-db adopt --to {label} records it and everything before it"
                )
                .into();
            }
            Self::NotNew { adopt: None, .. } => {
                "set POSTGRES_URL to another database; or find out which migrations the database has, and record them with zerostarter-db adopt --to TAG"
            }
            Self::OtherTable { found, .. } => {
                return format!("set MIGRATIONS_TABLE={}", found.replace('"', "")).into();
            }
            Self::CommentedOut { .. } => {
                "drizzle-kit pull writes the first migration as a comment; remove the comment marks for new databases"
            }
            Self::Foreign { .. } => {
                "set MIGRATIONS_DIR or MIGRATIONS_TABLE to those of this database; after a squash, zerostarter-db adopt --to TAG records what the database has"
            }
            Self::ChangedAndMissing { .. } => {
                "restore the file as it was applied, and put the change into a new migration"
            }
            Self::Late { label, after, .. } => {
                return format!(
                    "give it a time after {after} in meta/_journal.json if it has to run; MIGRATE_OUT_OF_ORDER=apply runs it now; zerostarter-db adopt --only {label} records it as done"
                )
                .into();
            }
            Self::NotThere { .. } => "let migrate apply it, or add --unchecked to record it all the same",
            Self::Strict(_) => "mend it, or set MIGRATE_STRICT=no",
            Self::Edited { .. } => {
                "restore the file as it was applied (CRLF line ends change the checksum), and put the change into a new migration"
            }
            Self::Unknown { .. } => {
                "deploy the version of the program that has this migration, or restore its file"
            }
            Self::OutOfOrder { .. } => {
                "give the file a version above the last applied one; probably two branches used the same numbers"
            }
            Self::Occupied { hint, .. } => hint,
            Self::Begun { .. } => {
                "look in the database whether it has run; then run zerostarter-db resolve VERSION --applied, or --pending to let the next run begin it again"
            }
            Self::BegunAndGone { .. } => {
                "restore the file under its name; or undo by hand what has run of it, and remove the line from the comment of the history table (COMMENT ON TABLE)"
            }
            Self::EditedMidway { .. } => {
                "restore the file as it was; or undo those steps by hand, and run zerostarter-db resolve VERSION --pending to let the next run begin the new file"
            }
            Self::Ahead { .. } => {
                "deploy the version of the program that has these migrations, or set MIGRATE_AHEAD=allow"
            }
        })
    }
}

/// The result of comparing the history table with the migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Indexes into the migrations, in the order in which they are applied.
    pub pending: Vec<usize>,
    /// Applied migrations with a version above all of ours.
    pub ahead: Vec<String>,
    /// Disagreements, by version.
    pub conflicts: Vec<Conflict>,
    /// What somebody should know, and does not stop a run. Only of a folder of drizzle-kit.
    pub warnings: Vec<String>,
    /// What is worth a line in the log of a run. Only of a folder of drizzle-kit.
    pub remarks: Vec<String>,
    /// The state of each migration. Only of a folder of drizzle-kit.
    pub states: Vec<State>,
    /// The row of each migration, as an index of the applied ones. Only of a folder of drizzle-kit.
    pub rows: Vec<Option<usize>>,
}

/// The state of a migration of a folder of drizzle-kit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is recorded.
    Applied,
    /// It is not recorded.
    Pending,
    /// It is not recorded, and older than the newest recorded one.
    Late,
    /// It is recorded with another text.
    Changed,
    /// It is recorded under another time.
    Elsewhere,
}

impl State {
    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Late => "late",
            Self::Changed => "changed",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// Compares the rows of refinery's table with the migrations; both are ordered by version.
///
/// Versions decide, as in refinery: a `V` file is pending above the last applied version, and out of order below it. A `U`
/// file may be applied late.
pub(super) fn compare(applied: &[Applied], migrations: &[Migration]) -> Comparison {
    let mut comparison = Comparison::default();
    let last = applied.last();
    let newest = migrations.last();
    for row in applied {
        let ours = migrations.binary_search_by_key(&row.version, Migration::version);
        match (ours.ok().map(|index| &migrations[index]), newest) {
            (Some(file), _) => comparison.conflicts.extend(edited(row, file)),
            (None, Some(newest)) if row.version <= newest.version() => {
                comparison.conflicts.push(Conflict::Unknown {
                    applied: row.label(),
                    newest: newest.path.clone(),
                });
            }
            (None, _) => comparison.ahead.push(row.label()),
        }
    }
    for (index, file) in migrations.iter().enumerate() {
        let version = file.version();
        if applied.binary_search_by_key(&version, |row| row.version).is_ok() {
            continue;
        }
        match last {
            Some(last) if last.version > version && !file.may_be_late() => {
                comparison.conflicts.push(Conflict::OutOfOrder {
                    path: file.path.clone(),
                    last: last.label(),
                });
            }
            _ => comparison.pending.push(index),
        }
    }
    comparison
}

fn edited(row: &Applied, file: &Migration) -> Option<Conflict> {
    (!row.is_same_as(file)).then(|| Conflict::Edited {
        path: file.path.clone(),
        applied: (
            row.label(),
            row.checksum.clone().unwrap_or_else(|| "none".to_owned()),
        ),
        ours: (
            format!("V{}__{}", row.version, file.name()),
            file.checksum().to_string(),
        ),
    })
}
