//! dbmate: `<version>_<name>.sql` with the sections `-- migrate:up` and `-- migrate:down`, in the order of names; table
//! `schema_migrations` with the column version.

use std::path::Path;

use crate::annotation::words_after;
use crate::entry::{Entry, name_of};
use crate::error::Error;
use crate::folder::{files, without_problems};
use crate::history::{Applied, Row, column};

pub(crate) const TABLE: &str = "schema_migrations";

pub(crate) const QUERY: &str = "SELECT version FROM schema_migrations ORDER BY version";

pub(crate) fn read(folder: &Path) -> Result<Vec<Entry>, Error> {
    let (mut entries, mut problems): (Vec<Entry>, _) = (Vec::new(), Vec::new());
    for file in files(folder, false)? {
        let Some(stem) = file.name.strip_suffix(".sql") else {
            continue;
        };
        let digits = stem.len() - stem.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            continue;
        }
        let text = match file.read() {
            Ok((text, _)) => text,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let key = stem[..digits].to_owned();
        if let Some(same) = entries.iter().find(|entry| entry.key == key) {
            problems.push(format!("{} has the same version as {}", file.shown(), same.path));
        }
        match up_part(&text) {
            Ok(sql) => entries.push(Entry {
                key,
                path: file.shown(),
                name: name_of(stem),
                sql,
                checksum: None,
            }),
            Err(problem) => problems.push(format!("{}: {problem}", file.shown())),
        }
    }
    without_problems(folder, entries, problems)
}

/// From the line `-- migrate:up`, which a run reads for `transaction:false`, to the line `-- migrate:down`.
fn up_part(text: &str) -> Result<String, &'static str> {
    let mut up: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let words = words_after(line, "migrate:").unwrap_or_default();
        match (words.first().copied(), &mut up) {
            (Some("down"), _) => break,
            (Some("up"), Some(_)) => return Err("it has two sections migrate:up"),
            (Some("up"), None) => up = Some(line.trim_start().to_owned()),
            (_, Some(sql)) => sql.push_str(line),
            (_, None) if line.trim().is_empty() || line.trim_start().starts_with("--") => {}
            (_, None) => return Err("it has statements before the line -- migrate:up"),
        }
    }
    up.ok_or("it has no line -- migrate:up")
}

pub(crate) fn applied(rows: &[Row], entries: &[Entry]) -> Applied {
    let mut applied = Applied::default();
    for row in rows {
        applied.add(entries, column(row, 0), None);
    }
    applied
}

#[cfg(test)]
mod tests {
    use super::up_part;

    #[test]
    fn the_up_part_ends_where_the_down_part_begins() {
        let text = "-- why\n\n-- migrate:up transaction:false\nA;\n-- other\nB;\n\n--migrate:down\nC;\n";
        let up = "-- migrate:up transaction:false\nA;\n-- other\nB;\n\n";
        assert_eq!(up_part(text).as_deref(), Ok(up));
        for text in [
            "A;\n-- migrate:up\n",
            "-- migrate:down\n",
            "-- migrate:up\n-- migrate:up\n",
        ] {
            assert!(up_part(text).is_err(), "{text}");
        }
    }
}
