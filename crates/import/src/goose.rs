//! goose: `<version>_<name>.sql` with the annotations `-- +goose Up` and `-- +goose Down`, in the order of 64-bit versions;
//! table `goose_db_version`.

use std::path::Path;

use crate::annotation::{NO_TRANSACTION, words_after};
use crate::entry::{Entry, name_of};
use crate::error::Error;
use crate::folder::{files, without_problems};
use crate::history::{Applied, Row, column, is_true};

pub(crate) const TABLE: &str = "goose_db_version";

pub(crate) const QUERY: &str = "SELECT version_id, is_applied FROM goose_db_version ORDER BY id";

pub(crate) fn read(folder: &Path) -> Result<Vec<Entry>, Error> {
    let (mut found, mut problems): (Vec<(i64, Entry)>, _) = (Vec::new(), Vec::new());
    for file in files(folder, false)? {
        let Some((version, rest)) = file.name.split_once('_') else {
            continue;
        };
        let Some(version) = version.parse::<i64>().ok().filter(|version| *version > 0) else {
            continue;
        };
        if rest
            .strip_suffix(".go")
            .is_some_and(|name| !name.ends_with("_test"))
        {
            problems.push(format!(
                "{} is a program in Go: write what it does as SQL",
                file.shown()
            ));
            continue;
        }
        let Some(name) = rest.strip_suffix(".sql") else {
            continue;
        };
        if let Some((_, same)) = found.iter().find(|(found, _)| *found == version) {
            problems.push(format!("{} has the same version as {}", file.shown(), same.path));
        }
        let sql = file
            .read()
            .and_then(|(text, _)| up_part(&text).map_err(|problem| format!("{}: {problem}", file.shown())));
        match sql {
            Err(problem) => problems.push(problem),
            Ok(sql) => found.push((
                version,
                Entry {
                    key: version.to_string(),
                    path: file.shown(),
                    name: name_of(&format!("{version}_{name}")),
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

/// The part after `-- +goose Up`, without annotations: statements need none, because a run splits them as the server does.
fn up_part(text: &str) -> Result<String, String> {
    let mut sql = String::new();
    let (mut is_up, mut has_up, mut is_without) = (false, false, false);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let Some(words) = words_after(line, "+goose") else {
            if is_up {
                sql.push_str(line);
            }
            continue;
        };
        let words: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["UP"] => (is_up, has_up) = (true, true),
            ["DOWN"] => is_up = false,
            ["NO", "TRANSACTION"] => is_without = true,
            ["ENVSUB", "ON"] => {
                return Err(format!(
                    "line {}: ENVSUB puts variables of the environment into the file; write the values",
                    number + 1
                ));
            }
            // Such as StatementBegin.
            _ => {}
        }
    }
    if !has_up {
        return Err("it has no line -- +goose Up".to_owned());
    }
    Ok(if is_without {
        format!("{NO_TRANSACTION}{sql}")
    } else {
        sql
    })
}

/// The last row of a version counts: `down` adds one with `is_applied = false`, or removes both. Version 0 is goose's own.
pub(crate) fn applied(rows: &[Row], entries: &[Entry]) -> Applied {
    let mut applied = Applied::default();
    for (number, row) in rows.iter().enumerate() {
        let version = column(row, 0);
        let is_last = !rows[number + 1..].iter().any(|later| column(later, 0) == version);
        if is_last && version != "0" && is_true(row, 1) {
            applied.add(entries, version, None);
        }
    }
    applied
}

#[cfg(test)]
mod tests {
    use super::up_part;

    #[test]
    fn the_up_part_has_no_annotations() {
        let text = "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nA;\n-- why\n-- +goose StatementEnd\n-- +goose Down\nB;\n";
        assert_eq!(
            up_part(text).as_deref(),
            Ok("-- zerostarter-db: no-transaction\nA;\n-- why\n")
        );
        assert!(up_part("A;\n").is_err());
        assert!(up_part("-- +goose Up\n-- +goose ENVSUB ON\nA;\n").is_err());
    }
}
