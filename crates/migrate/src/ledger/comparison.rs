//! The comparison of the history table with the migrations: what is pending, and which conflicts there are.

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
    /// Some steps of a migration have run, and its file has changed since.
    EditedMidway {
        /// The file.
        path: String,
        /// How many steps have run.
        done: usize,
        /// How many steps it had.
        total: usize,
    },
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
            Self::EditedMidway { path, done, total } => {
                write!(f, "{path} was edited after {done} of its {total} steps had run")
            }
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
    pub fn hint(&self) -> &'static str {
        match self {
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
            Self::EditedMidway { .. } => {
                "restore the file as it was; or undo those steps by hand, and run zerostarter-db resolve VERSION --pending to let the next run begin the new file"
            }
            Self::Ahead { .. } => {
                "deploy the version of the program that has these migrations, or set MIGRATE_AHEAD=allow"
            }
        }
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
