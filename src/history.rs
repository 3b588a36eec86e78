//! What has been applied, what is pending, and where database and program disagree.

use std::fmt;

use crate::source::SourceFile;

/// refinery's table. It is always used together with the name of its schema.
pub const HISTORY_TABLE: &str = "refinery_schema_history";

/// A row of the history. The last three are text in refinery's table, and may be missing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The migration's version: 32 bits in refinery's own tables, 64 where it was built for that.
    pub version: i64,
    /// The migration's name.
    pub name: Option<String>,
    /// When it was applied, in RFC 3339.
    pub applied_on: Option<String>,
    /// refinery's checksum of name, version and text.
    pub checksum: Option<String>,
}

impl Applied {
    /// Whether `file` is what was applied.
    #[must_use]
    pub fn is_same_as(&self, file: &SourceFile) -> bool {
        let checksum = file.checksum().to_string();
        self.name.as_deref() == Some(file.name()) && self.checksum.as_deref() == Some(&checksum)
    }

    /// The row's version and name, as messages have it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("V{}__{}", self.version, self.name.as_deref().unwrap_or("?"))
    }
}

/// One disagreement between the history and the migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// An applied migration has another text or name now.
    Edited {
        /// The file.
        path: String,
        /// What was applied, and its checksum in the history.
        applied: (String, String),
        /// What the file is, and its checksum.
        ours: (String, String),
    },
    /// The history has a migration at or below our newest that we do not have.
    Unknown {
        /// What was applied.
        applied: String,
        /// The file of our newest.
        newest: String,
    },
    /// A migration that was never applied is older than the last that was.
    OutOfOrder {
        /// The file.
        path: String,
        /// The last one that was applied.
        last: String,
    },
    /// What a migration would make is there, and is something else.
    Occupied {
        /// The file.
        path: String,
        /// What is there.
        what: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The history has migrations that are newer than ours, and `MIGRATE_AHEAD=refuse`.
    Ahead {
        /// What was applied.
        applied: Vec<String>,
        /// The file of our newest.
        newest: String,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { path, applied, ours } => write!(
                f,
                "{path} was edited after it had been applied: the history has {} with checksum {}, the file is {} with checksum {}",
                applied.0, applied.1, ours.0, ours.1
            ),
            Self::Unknown { applied, newest } => write!(
                f,
                "{applied} is in the history but not among the migrations, of which {newest} is the newest"
            ),
            Self::OutOfOrder { path, last } => {
                write!(f, "{path} was never applied but is older than {last}, which was")
            }
            Self::Occupied { path, what, .. } => write!(f, "{path} is not in the history, but {what}"),
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
                "restore the file as it was applied (line ends count: CRLF is another text), and put the change into a new migration"
            }
            Self::Unknown { .. } => {
                "deploy the version of the program that has this migration, or restore its file"
            }
            Self::OutOfOrder { .. } => {
                "give the file a version above the last applied one; two branches probably took numbers at the same time"
            }
            Self::Occupied { hint, .. } => hint,
            Self::Ahead { .. } => {
                "deploy the version of the program that has these migrations, or set MIGRATE_AHEAD=allow"
            }
        }
    }
}

/// The history and the migrations laid side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Indexes into the migrations, in the order in which they are applied.
    pub pending: Vec<usize>,
    /// Applied migrations that are newer than all of ours.
    pub ahead: Vec<String>,
    /// Disagreements, by version.
    pub conflicts: Vec<Conflict>,
}

/// Compares the history with the migrations; both are ordered by version.
///
/// Versions decide, as in refinery: a `V` file is pending above the last applied version and out of order
/// below it; a `U` file may be applied late.
#[must_use]
pub fn compare(applied: &[Applied], files: &[SourceFile]) -> Comparison {
    let mut comparison = Comparison::default();
    let last = applied.last();
    let newest = files.last();
    for row in applied {
        let ours = files.binary_search_by_key(&row.version, SourceFile::version);
        match (ours.ok().map(|index| &files[index]), newest) {
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
    for (index, file) in files.iter().enumerate() {
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

fn edited(row: &Applied, file: &SourceFile) -> Option<Conflict> {
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
