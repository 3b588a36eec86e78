//! That the queries, the schema and the page about both say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex::Regex;
use tokio_postgres::{Client, Error};
use zerostarter_queries::queries::{
    account, invitation, member, organization, session, team, team_member, user, verification, waitlist,
};

use zerostarter_test_harness::workspace;

use super::connection::{Recorder, column, with_client};
use super::fixture::{for_each_table, insert, owners};

/// The files of `queries/`, as table and text.
fn files() -> BTreeMap<String, String> {
    let entries = fs::read_dir(workspace().join("queries")).expect("queries");
    let paths = entries.map(|entry| entry.expect("a file").path());
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "sql"))
        .map(|path| {
            let table = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (table, fs::read_to_string(path).expect("a file of queries"))
        })
        .collect()
}

/// The names of the queries in a file.
fn names(text: &str) -> BTreeSet<&str> {
    let name = Regex::new(r"(?m)^--! (\w+)").expect("a pattern");
    name.captures_iter(text)
        .map(|captures| captures.get(1).expect("a name").as_str())
        .collect()
}

/// The tables of the schema, and what is asked of each.
async fn per_table(client: &Client, what: &str) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let sql = "SELECT table_name FROM information_schema.tables \
               WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history'";
    let mut answers = BTreeMap::new();
    for table in column(client, sql).await? {
        let sql = format!(
            "SELECT column_name FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' AND {what} ORDER BY ordinal_position"
        );
        let columns = column(client, &sql).await?;
        answers.insert(table, columns);
    }
    Ok(answers)
}

#[test]
fn each_table_has_a_file_and_get_reads_its_columns() {
    with_client(async |client| {
        let columns = per_table(client, "true").await?;
        assert_eq!(columns.len(), 10);
        assert!(files().keys().eq(columns.keys()));
        let mut read = BTreeMap::new();
        macro_rules! reads {
            ($table:ident) => {
                let recorder = Recorder::new(client);
                $table::get().bind(&recorder, &"nobody").opt().await?;
                let statement = client.prepare(&recorder.statements()[0]).await?;
                let names = statement
                    .columns()
                    .iter()
                    .map(|column| column.name().to_owned());
                read.insert(stringify!($table).to_owned(), names.collect());
            };
        }
        for_each_table!(reads);
        assert_eq!(read, columns);
        Ok(())
    });
}

#[test]
fn the_columns_of_rows_are_optional_where_they_may_be_null() {
    with_client(async |client| {
        let row = Regex::new(r"(?m)^--: (\w+)\((.*)\)$").expect("a pattern");
        for (table, nullable) in per_table(client, "is_nullable = 'YES'").await? {
            let file = &files()[&table];
            // The first type of a file is that of the table's own rows.
            let captures = row.captures(file).expect("a type");
            assert_eq!(captures[1].to_lowercase(), table.replace('_', ""));
            let optional: Vec<&str> = captures[2]
                .split(", ")
                .filter(|name| !name.is_empty())
                .map(|name| name.strip_suffix('?').expect("a question mark"))
                .collect();
            assert_eq!(optional, nullable, "{table}");
        }
        Ok(())
    });
}

/// With `SELECT *` the server would refuse: the statement returns other columns than it was prepared for.
#[test]
fn a_new_column_does_not_disturb_an_app_that_runs() {
    with_client(async |client| {
        owners(client).await?;
        macro_rules! survives {
            ($table:ident) => {
                let table = stringify!($table);
                if !["organization", "team", "user"].contains(&table) {
                    insert(client, table, "owner").await?;
                }
                let get = $table::get().prepare(client).await?;
                let list = $table::list().prepare(client).await?;
                let delete = $table::delete().prepare(client).await?;
                let row = get.bind(client, &"owner").one().await?;
                client
                    .batch_execute(&format!("ALTER TABLE \"{table}\" ADD COLUMN news text"))
                    .await?;
                assert_eq!(get.bind(client, &"owner").one().await?, row, "{table}");
                let rows = list.bind(client, &None::<&str>, &2).all().await?;
                assert_eq!(rows, vec![row], "{table}");
                insert(client, table, "later").await?;
                let row = $table::get().bind(client, &"later").one().await?;
                assert_eq!(delete.bind(client, &"later").one().await?, row, "{table}");
            };
        }
        for_each_table!(survives);
        Ok(())
    });
}

/// The sections of the page, as heading and text.
fn sections(level: &str) -> BTreeMap<String, String> {
    let page = fs::read_to_string(workspace().join("docs/library.md")).expect("the page");
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut heading = None;
    for line in page.lines() {
        let hashes = line.chars().take_while(|&character| character == '#').count();
        if (1..=level.len()).contains(&hashes) {
            heading = (hashes == level.len()).then(|| line[hashes..].trim().to_owned());
        } else if let Some(heading) = &heading {
            let text = sections.entry(heading.clone()).or_default();
            text.push_str(line);
            text.push('\n');
        }
    }
    sections
}

#[test]
fn the_page_has_every_table_column_and_query() {
    with_client(async |client| {
        let nullable = per_table(client, "is_nullable = 'YES'").await?;
        let sections = sections("###");
        for (table, columns) in per_table(client, "true").await? {
            let section = sections
                .get(&table)
                .unwrap_or_else(|| panic!("no section {table}"));
            let rows = section.lines().filter(|line| line.starts_with("| `"));
            let described: Vec<&str> = rows.filter(|line| line.matches('|').count() == 5).collect();
            assert_eq!(described.len(), columns.len(), "{table}");
            for (line, column) in described.iter().zip(&columns) {
                assert!(
                    line.starts_with(&format!("| `{column}` | ")),
                    "{table}.{column}: {line}"
                );
                let says = line.split(" | ").nth(2) == Some("yes");
                assert_eq!(
                    says,
                    nullable[&table].contains(column),
                    "{table}.{column}: {line}"
                );
            }
            for name in names(&files()[&table]) {
                let is_there = section
                    .lines()
                    .any(|line| line.matches('|').count() == 3 && line.contains(&format!("`{name}`")));
                assert!(is_there, "{table}.{name} is not in its section");
            }
        }
        Ok(())
    });
}

#[test]
fn the_page_speaks_of_queries_that_there_are() {
    let files = files();
    let sections = sections("##");
    let query = Regex::new(r"`(\w+)\.(\w+)`").expect("a pattern");
    let mut spoken = BTreeSet::new();
    for captures in query.captures_iter(&sections["Relations"]) {
        let (table, name) = (&captures[1], &captures[2]);
        assert!(names(&files[table]).contains(name), "there is no {table}.{name}");
        spoken.insert((table.to_owned(), name.to_owned()));
    }
    // What reads a relation is in the table of relations.
    for (table, text) in &files {
        for name in names(text) {
            if name.contains("_with_") || name.starts_with("list_by_") && name.ends_with('s') {
                assert!(
                    spoken.contains(&(table.clone(), name.to_owned())),
                    "{table}.{name} is not among the relations"
                );
            }
        }
    }
}
