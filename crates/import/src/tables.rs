//! The tables that a series of migrations leaves, as far as tokens show.

use std::collections::BTreeSet;

use zerostarter_migrate::sql::{Statement, Token, statements};

/// A table: its schema, if a file names one, and its name, as the server keeps them.
pub(crate) type Table = (Option<String>, String);

/// The tables that `files`, applied one after the other, create and do not drop, rename or move.
pub(crate) fn remaining<'f>(files: impl IntoIterator<Item = &'f str>) -> BTreeSet<Table> {
    let mut tables = BTreeSet::new();
    for sql in files {
        for statement in statements(sql).map_while(Result::ok) {
            apply(&mut tables, sql, &statement);
        }
    }
    tables
}

fn apply(tables: &mut BTreeSet<Table>, sql: &str, statement: &Statement<'_>) {
    let tokens = &statement.tokens[..];
    let begins_with = |words: &[&str]| statement.begins_with(words);
    if begins_with(&["CREATE"]) {
        let at = tokens.iter().take(3).position(|token| token.is("TABLE"));
        let is_kept = at.is_some_and(|at| {
            let is_known = |token: &Token<'_>| token.is("UNLOGGED") || token.is("FOREIGN");
            tokens[1..at].iter().all(is_known)
        });
        if let Some(at) = at.filter(|_| is_kept) {
            tables.extend(name(&tokens[at + 1..]).map(|(table, _)| table));
        }
    } else if begins_with(&["DROP", "TABLE"]) || begins_with(&["DROP", "FOREIGN", "TABLE"]) {
        let first = 1 + tokens
            .iter()
            .position(|token| token.is("TABLE"))
            .unwrap_or_default();
        for part in tokens[first..].split(|token| token.text == ",") {
            if let Some((table, _)) = name(part) {
                remove(tables, &table);
            }
        }
    } else if begins_with(&["DROP", "SCHEMA"]) {
        for token in tokens[2..].iter().filter(|token| token.is_name()) {
            let schema = identifier(token.text);
            tables.retain(|(of, _)| of.as_deref() != Some(&schema));
        }
    } else if begins_with(&["ALTER", "TABLE"]) {
        let Some((table, rest)) = name(&tokens[2..]) else {
            return;
        };
        match rest {
            [rename, to, new, ..] if rename.is("RENAME") && to.is("TO") => {
                remove(tables, &table);
                tables.insert((table.0, identifier(new.text)));
            }
            [set, schema, new, ..] if set.is("SET") && schema.is("SCHEMA") => {
                remove(tables, &table);
                tables.insert((Some(identifier(new.text)), table.1));
            }
            _ => {}
        }
    } else if begins_with(&["DO"]) {
        // What a block does is not known; what it may drop need not exist.
        let text = sql[statement.span.clone()].to_ascii_lowercase();
        if text.contains("drop ") || text.contains("rename ") {
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let names = |table: &str| {
                text.split(|c| !is_part(c))
                    .any(|word| word.eq_ignore_ascii_case(table))
            };
            tables.retain(|(_, table)| !names(table));
        }
    }
}

/// A file may create a table without its schema and drop it with that, or the other way round.
fn remove(tables: &mut BTreeSet<Table>, (schema, name): &Table) {
    tables.retain(|(of, table)| {
        let is_same_schema = of.is_none() || schema.is_none() || of == schema;
        table != name || !is_same_schema
    });
}

/// The name after `IF [NOT] EXISTS` and `ONLY`, and the tokens that follow.
fn name<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Table, &'t [Token<'a>])> {
    let is_before = |token: &&Token<'_>| ["IF", "NOT", "EXISTS", "ONLY"].iter().any(|word| token.is(word));
    let skipped = tokens.iter().take_while(is_before).count();
    match &tokens[skipped..] {
        [schema, dot, table, rest @ ..] if dot.text == "." => {
            Some(((Some(identifier(schema.text)), identifier(table.text)), rest))
        }
        [table, rest @ ..] if table.is_name() => Some(((None, identifier(table.text)), rest)),
        _ => None,
    }
}

fn identifier(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::remaining;

    #[test]
    fn tables_that_a_later_file_drops_or_renames_need_not_exist() {
        let files = [
            "CREATE TABLE IF NOT EXISTS A (id int); CREATE UNLOGGED TABLE s.\"B\" (); CREATE TEMP TABLE t ();",
            "CREATE TABLE c (); CREATE TABLE d (); CREATE TABLE e (); CREATE TABLE f (); CREATE TABLE x.g ();",
            "DROP TABLE IF EXISTS public.c, d CASCADE; ALTER TABLE e RENAME TO e2; ALTER TABLE e2 SET SCHEMA s;",
            "DO $$ BEGIN DROP TABLE f; END $$; DROP SCHEMA x CASCADE; ALTER TABLE a RENAME COLUMN id TO number;",
        ];
        let found: Vec<String> = remaining(files)
            .into_iter()
            .map(|(schema, name)| format!("{}.{name}", schema.unwrap_or_default()))
            .collect();
        assert_eq!(found, [".a", "s.B", "s.e2"]);
    }
}
