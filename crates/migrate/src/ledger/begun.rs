//! The note that a statement was begun whose leftovers cannot be recognized: a line in the comment of the history table, next
//! to what others have written there.

use zerostarter_connect::quote::literal;

use crate::source::Migration;

/// The query for the comment of `table`, in the safe search path.
pub(crate) fn comment_query(table: &str) -> String {
    format!(
        "SELECT pg_catalog.obj_description(CAST(pg_catalog.to_regclass({}) AS oid), 'pg_class')",
        literal(table)
    )
}

/// The statement that sets the comment of `table`; without one it removes it. Only the owner may.
pub(crate) fn set_comment(table: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or_else(|| "NULL".to_owned(), literal);
    format!("COMMENT ON TABLE {table} IS {comment}")
}

/// Whether `comment` has the note of `migration`.
pub(crate) fn has_note(comment: Option<&str>, migration: &Migration) -> bool {
    let note = note(migration);
    comment.is_some_and(|comment| comment.lines().any(|line| line == note))
}

/// `comment` with the note of `migration`.
pub(crate) fn with_note(comment: Option<&str>, migration: &Migration) -> String {
    let lines = comment.into_iter().map(str::to_owned);
    lines.chain([note(migration)]).collect::<Vec<_>>().join("\n")
}

/// `comment` without the note of `migration`; `None` if nothing is left.
pub(crate) fn without_note(comment: Option<&str>, migration: &Migration) -> Option<String> {
    let note = note(migration);
    let left = comment?.lines().filter(|line| *line != note);
    Some(left.collect::<Vec<_>>().join("\n")).filter(|left| !left.is_empty())
}

fn note(migration: &Migration) -> String {
    format!(
        "zerostarter-db: {} was begun without a transaction block",
        migration.label
    )
}
