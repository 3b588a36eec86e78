//! Flyway: `V<version>__<description>.sql` in folders, and `R__<description>.sql` after all of them, in the order of
//! descriptions; table `flyway_schema_history`.

use std::fs;
use std::path::Path;

use zerostarter_migrate::sql::{line_and_column, placeholders, statements};

use crate::annotation::NO_TRANSACTION;
use crate::entry::{Entry, name_of};
use crate::error::Error;
use crate::flyway_version::FlywayVersion;
use crate::folder::{File, files, without_problems};
use crate::history::{Applied, Row, column, is_true};

pub(crate) const TABLE: &str = "flyway_schema_history";

pub(crate) const QUERY: &str = "SELECT version, description, type, checksum, success FROM flyway_schema_history \
                                ORDER BY installed_rank";

/// What stands before the key of a repeatable migration.
const REPEATABLE: &str = "R__";

pub(crate) fn read(folder: &Path) -> Result<Vec<Entry>, Error> {
    let mut versioned: Vec<(FlywayVersion, bool, Entry)> = Vec::new();
    let (mut repeatable, mut problems) = (Vec::new(), Vec::new());
    for file in files(folder, true)? {
        let Some((stem, ending)) = file.name.rsplit_once('.') else {
            continue;
        };
        let Some((prefix, description)) = stem.split_once("__") else {
            continue;
        };
        let (kind, version) = match prefix.chars().next() {
            Some(kind @ ('V' | 'B' | 'R')) => (kind, &prefix[1..]),
            // `U2__x.sql` undoes a migration.
            _ => continue,
        };
        if ["java", "kt", "class", "groovy", "scala"].contains(&ending) {
            problems.push(format!(
                "{} is a program: write what it does as SQL",
                file.shown()
            ));
            continue;
        }
        if ending != "sql" {
            continue;
        }
        let version = FlywayVersion::parse(version);
        if kind != 'R' && version.is_none() {
            problems.push(format!("{} has a version that is no number", file.shown()));
            continue;
        }
        let key = match (&version, kind) {
            (Some(version), 'V' | 'B') => version.to_string(),
            _ => format!("{REPEATABLE}{}", description.replace('_', " ")),
        };
        match entry(&file, stem, key) {
            Err(found) => problems.extend(found),
            Ok(entry) => match version {
                Some(version) if kind != 'R' => versioned.push((version, kind == 'B', entry)),
                _ => repeatable.push(entry),
            },
        }
    }
    // A baseline stands for the migrations up to its version, on a new database; it counts where they are gone.
    let has_before = |version: &FlywayVersion, all: &[(FlywayVersion, bool, Entry)]| {
        all.iter()
            .any(|(other, is_baseline, _)| !is_baseline && other <= version)
    };
    let all = versioned.clone();
    versioned.retain(|(version, is_baseline, _)| !is_baseline || !has_before(version, &all));
    versioned.sort_by(|one, other| one.0.cmp(&other.0));
    for pair in versioned.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        problems.push(format!(
            "{} has the same version as {}",
            pair[1].2.path, pair[0].2.path
        ));
    }
    repeatable.sort_by(|one: &Entry, other| one.key.cmp(&other.key));
    let versioned = versioned.into_iter().map(|(_, _, entry)| entry);
    without_problems(folder, versioned.chain(repeatable).collect(), problems)
}

fn entry(file: &File, stem: &str, key: String) -> Result<Entry, Vec<String>> {
    let (text, _) = file.read().map_err(|problem| vec![problem])?;
    let shown = file.shown();
    let replaced = statements(&text)
        .map_while(Result::ok)
        .flat_map(|statement| placeholders(&text, &statement));
    let problems: Vec<String> = replaced
        .map(|found| {
            let (line, _) = line_and_column(&text, found.offset);
            format!(
                "{shown}:{line} has the placeholder {}: write its value",
                found.text
            )
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut configuration = file.path.clone().into_os_string();
    configuration.push(".conf");
    let configuration = fs::read_to_string(configuration).unwrap_or_default();
    let is_without = configuration.lines().any(|line| {
        let setting: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        setting.eq_ignore_ascii_case("executeInTransaction=false")
    });
    let checksum = checksum(&text);
    Ok(Entry {
        key,
        path: shown,
        name: name_of(stem),
        sql: if is_without {
            format!("{NO_TRANSACTION}{text}")
        } else {
            text
        },
        checksum: Some(checksum.to_string()),
    })
}

/// Flyway's checksum: CRC-32 of the lines without their ends, as a signed number.
fn checksum(text: &str) -> i32 {
    let mut register = u32::MAX;
    let lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line));
    for byte in lines.flat_map(str::bytes) {
        register ^= u32::from(byte);
        for _ in 0..8 {
            let is_odd = register & 1 == 1;
            register >>= 1;
            if is_odd {
                register ^= 0xEDB8_8320;
            }
        }
    }
    (!register).cast_signed()
}

/// Rows in the order in which they were installed: a baseline counts for all up to its version, and an undone or deleted
/// migration is pending again. A repeatable migration that has changed since is pending in Flyway too.
pub(crate) fn applied(rows: &[Row], entries: &[Entry]) -> Applied {
    let mut applied = Applied::default();
    let last_of_repeatable = |description: &str, number: usize| {
        !rows[number + 1..]
            .iter()
            .any(|row| column(row, 0).is_empty() && column(row, 1) == description)
    };
    for (number, row) in rows.iter().enumerate() {
        let (version, description, kind) = (column(row, 0), column(row, 1), column(row, 2));
        if !is_true(row, 4) {
            let failed = if version.is_empty() { description } else { version };
            applied
                .contradictions
                .push(format!("{failed} failed: its row says success = false"));
            continue;
        }
        let version = FlywayVersion::parse(version);
        let checksum = Some(column(row, 3)).filter(|checksum| !checksum.is_empty());
        match (version, kind) {
            (_, "SCHEMA") => {}
            (Some(version), "BASELINE" | "SQL_BASELINE") => {
                let covered =
                    |entry: &Entry| FlywayVersion::parse(&entry.key).is_some_and(|own| own <= version);
                let numbers = entries.iter().enumerate().filter(|(_, entry)| covered(entry));
                applied.entries.extend(numbers.map(|(number, _)| number));
            }
            (Some(version), "UNDO_SQL" | "UNDO_JDBC" | "DELETE") => {
                let key = version.to_string();
                applied.entries.retain(|number| entries[*number].key != key);
            }
            (Some(version), _) => applied.add(entries, &version.to_string(), checksum),
            (None, _) => {
                let key = format!("{REPEATABLE}{description}");
                let entry = entries.iter().position(|entry| entry.key == key);
                let is_current = entry.is_some_and(|entry| entries[entry].checksum.as_deref() == checksum);
                if last_of_repeatable(description, number) && is_current {
                    applied.entries.extend(entry);
                }
            }
        }
    }
    applied
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn the_checksum_does_not_depend_on_the_ends_of_lines() {
        // CRC-32 of "123456789", by its definition.
        assert_eq!(checksum("123456789"), 0xCBF4_3926_u32.cast_signed());
        assert_eq!(checksum("1234\r\n56789\n"), checksum("123456789"));
    }
}
