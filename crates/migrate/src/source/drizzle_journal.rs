//! `meta/_journal.json`, in which drizzle-kit 0.x lists the migrations of a folder.

use std::path::Path;

use serde_json::Value;
use zerostarter_diagnostic::regular_file;

use super::error::Error;

/// One migration of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name of its file, without `.sql`.
    pub(super) tag: String,
    /// Its time, in milliseconds since 1970.
    pub(super) when: i64,
}

/// The largest whole number that JavaScript keeps apart from its neighbours.
const LARGEST: u64 = (1 << 53) - 1;

const JSON_HINT: &str = "restore the file from version control, or let drizzle-kit generate it again";

/// The entries of the journal at `path`, in its order, which is the order in which they are applied.
///
/// # Errors
///
/// [`Error`], naming the entry: it is no journal, or one of another database.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, Error> {
    let failure = |problem: String, hint| Error::new(path.display().to_string(), problem, Some(hint));
    let bytes = regular_file::read(path).map_err(|error| {
        failure(
            format!("cannot be read: {error}"),
            "give the user of the process the permission to read it",
        )
    })?;
    let journal: Value = serde_json::from_slice(&bytes)
        .map_err(|error| failure(format!("is not valid JSON: {error}"), JSON_HINT))?;
    match journal["dialect"].as_str() {
        // `pg` was the name up to version 5 of the format.
        Some("postgresql" | "pg") => {}
        Some(dialect) => {
            return Err(failure(
                format!("is a journal of {dialect}, not of PostgreSQL"),
                "set MIGRATIONS_DIR to the folder of the PostgreSQL database",
            ));
        }
        None => return Err(failure("has no dialect".to_owned(), JSON_HINT)),
    }
    let entries = journal["entries"]
        .as_array()
        .ok_or_else(|| failure("has no entries".to_owned(), JSON_HINT))?;
    if entries.is_empty() {
        return Err(failure(
            "has no entry".to_owned(),
            "run drizzle-kit generate first, or set MIGRATIONS_DIR to another folder",
        ));
    }
    let numbered = entries.iter().enumerate();
    numbered
        .map(|(number, entry)| {
            let tag = entry["tag"].as_str().filter(|tag| !tag.is_empty());
            let tag = tag.ok_or_else(|| failure(format!("has no tag in entries[{number}]"), JSON_HINT))?;
            let when = when(&entry["when"]).ok_or_else(|| {
                failure(
                    format!("has no whole number of milliseconds as \"when\" of {tag} (entries[{number}])"),
                    "write the time of the entry as a whole number up to 9007199254740991",
                )
            })?;
            Ok(Entry {
                tag: tag.to_owned(),
                when,
            })
        })
        .collect()
}

/// Drizzle takes a number as text too.
fn when(value: &Value) -> Option<i64> {
    let when = match value {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_i64()?,
    };
    (when.unsigned_abs() <= LARGEST).then_some(when)
}
