//! golang-migrate: `<version>_<title>.up.sql`, in the order of 64-bit versions; table `schema_migrations` with one row: the
//! version up to which all is applied, and whether that failed half-way.

use std::path::Path;

use crate::entry::{Entry, name_of};
use crate::error::Error;
use crate::folder::{files, without_problems};
use crate::history::{Applied, Row, column, is_true};

pub(crate) const TABLE: &str = "schema_migrations";

pub(crate) const QUERY: &str = "SELECT version, dirty FROM schema_migrations";

pub(crate) fn read(folder: &Path) -> Result<Vec<Entry>, Error> {
    let (mut found, mut problems): (Vec<(u64, Entry)>, _) = (Vec::new(), Vec::new());
    for file in files(folder, false)? {
        let Some((version, rest)) = file.name.split_once('_') else {
            continue;
        };
        let (Ok(version), Some(title)) = (version.parse::<u64>(), rest.strip_suffix(".up.sql")) else {
            continue;
        };
        if let Some((_, same)) = found.iter().find(|(found, _)| *found == version) {
            problems.push(format!("{} has the same version as {}", file.shown(), same.path));
        }
        match file.read() {
            Err(problem) => problems.push(problem),
            Ok((sql, _)) => found.push((
                version,
                Entry {
                    key: version.to_string(),
                    path: file.shown(),
                    name: name_of(&format!("{version}_{title}")),
                    sql,
                    checksum: None,
                },
            )),
        }
    }
    found.sort_by_key(|(version, _)| *version);
    let entries = found.into_iter().map(|(_, entry)| entry).collect();
    without_problems(folder, entries, problems)
}

pub(crate) fn applied(rows: &[Row], entries: &[Entry]) -> Applied {
    let mut applied = Applied::default();
    let Some(row) = rows.first() else {
        return applied;
    };
    let version = column(row, 0);
    if is_true(row, 1) {
        applied
            .contradictions
            .push(format!("{version} failed half-way: its row says dirty = true"));
    }
    applied.add(entries, version, None);
    let last = applied.entries.last().copied();
    applied.entries = (0..last.map_or(0, |last| last + 1)).collect();
    applied
}
