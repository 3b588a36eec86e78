//! sqlx: `<version>_<description>.sql` or `.up.sql`, in the order of 64-bit versions; table `_sqlx_migrations`.

use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha384};

use crate::entry::{Entry, name_of};
use crate::error::Error;
use crate::folder::{files, without_problems};
use crate::history::{Applied, Row, column, is_true};

pub(crate) const TABLE: &str = "_sqlx_migrations";

pub(crate) const QUERY: &str =
    "SELECT version, success, pg_catalog.encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY version";

pub(crate) fn read(folder: &Path) -> Result<Vec<Entry>, Error> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for file in files(folder, false)? {
        // sqlx passes over other names too.
        let Some((version, rest)) = file.name.split_once('_') else {
            continue;
        };
        let (Ok(version), Some(description)) = (version.parse::<i64>(), rest.strip_suffix(".sql")) else {
            continue;
        };
        if description.strip_suffix(".down").is_some() {
            continue;
        }
        let description = description.strip_suffix(".up").unwrap_or(description);
        match file.read() {
            Err(problem) => problems.push(problem),
            Ok((sql, bytes)) => found.push((
                version,
                Entry {
                    key: version.to_string(),
                    path: file.shown(),
                    name: name_of(&format!("{version}_{description}")),
                    sql,
                    checksum: Some(HEXLOWER.encode(&Sha384::digest(&bytes))),
                },
            )),
        }
    }
    found.sort_by_key(|(version, _)| *version);
    for pair in found.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let [one, other] = [&pair[0].1.path, &pair[1].1.path];
        problems.push(format!("{other} has the same version as {one}"));
    }
    let entries = found.into_iter().map(|(_, entry)| entry).collect();
    without_problems(folder, entries, problems)
}

pub(crate) fn applied(rows: &[Row], entries: &[Entry]) -> Applied {
    let mut applied = Applied::default();
    for row in rows {
        let version = column(row, 0);
        if is_true(row, 1) {
            applied.add(entries, version, Some(column(row, 2)));
        } else {
            applied
                .contradictions
                .push(format!("{version} failed half-way: its row says success = false"));
        }
    }
    applied
}
