//! Statements that begin or end a transaction.

use super::statement::Statement;

/// The name of the statement, if it begins or ends a transaction. Savepoints nest inside a transaction and are none.
#[must_use]
pub fn transaction_control(statement: &Statement<'_>) -> Option<&'static str> {
    const CONTROL: &[(&[&str], &str)] = &[
        (&["BEGIN"], "BEGIN"),
        (&["START", "TRANSACTION"], "START TRANSACTION"),
        (&["COMMIT", "PREPARED"], "COMMIT PREPARED"),
        (&["COMMIT"], "COMMIT"),
        (&["END"], "END"),
        (&["ABORT"], "ABORT"),
        (&["ROLLBACK", "PREPARED"], "ROLLBACK PREPARED"),
        (&["ROLLBACK"], "ROLLBACK"),
        (&["PREPARE", "TRANSACTION"], "PREPARE TRANSACTION"),
    ];
    let is_it = |(keywords, _): &&(&[&str], _)| statement.begins_with(keywords);
    let (_, name) = CONTROL.iter().find(is_it)?;
    let to_savepoint = *name == "ROLLBACK" && statement.has("TO");
    (!to_savepoint).then_some(name)
}

/// Whether the statement begins a transaction without any mode.
pub(super) fn begins_plainly(statement: &Statement<'_>) -> bool {
    is_one_of(
        statement,
        &[
            &["BEGIN"],
            &["BEGIN", "WORK"],
            &["BEGIN", "TRANSACTION"],
            &["START", "TRANSACTION"],
        ],
    )
}

/// Whether the statement commits a transaction, and nothing else.
pub(super) fn commits_plainly(statement: &Statement<'_>) -> bool {
    is_one_of(
        statement,
        &[
            &["COMMIT"],
            &["COMMIT", "WORK"],
            &["COMMIT", "TRANSACTION"],
            &["END"],
            &["END", "WORK"],
            &["END", "TRANSACTION"],
        ],
    )
}

fn is_one_of(statement: &Statement<'_>, forms: &[&[&str]]) -> bool {
    forms
        .iter()
        .any(|form| statement.tokens.len() == form.len() && statement.begins_with(form))
}
