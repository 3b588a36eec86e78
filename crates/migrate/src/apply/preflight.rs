//! What a migration file must not contain, found before the first migration is applied.
//!
//! A file that ends our transaction can commit its history row without its tables, or half of a file that a retry runs
//! again.

use std::fmt;

use crate::source::Migration;
use crate::sql::non_transactional::{NonTransactional, Unsupported, recognise};
use crate::sql::{Statement, Unreadable, line_and_column, split};

/// A place in a migration file that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What it contains, and why that is refused.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

const TRANSACTION_HINT: &str =
    "remove it: every migration already runs in its own transaction, together with its history row";
const COPY_HINT: &str = "load the rows with INSERT … VALUES, or with another program";
const PSQL_HINT: &str =
    "replace it with the SQL that it stands for: only psql understands backslash commands";
const ALONE_HINT: &str = "move it into a separate migration, with the next version";
const ATOMIC_HINT: &str = "apply without --atomic (MIGRATE_ATOMIC), or apply the migrations before this one first, with MIGRATE_TARGET";
const SET_HINT: &str =
    "write SET LOCAL, which ends with the migration, or set POSTGRES_DIRECT_URL to a direct connection";
const RESET_HINT: &str = "name what to reset (RESET search_path, DISCARD TEMP); session settings of a migration are reset after it anyway";
const CLOSE_HINT: &str = "close it; otherwise it includes everything that follows";

/// Everything in `files` that is refused. `behind_pooler`: whether other clients may share the session.
/// `in_one_transaction`: whether all migrations run in one transaction.
pub(super) fn inspect(files: &[&Migration], behind_pooler: bool, in_one_transaction: bool) -> Vec<Finding> {
    files
        .iter()
        .flat_map(|file| inspect_file(file, behind_pooler, in_one_transaction))
        .collect()
}

fn inspect_file(file: &Migration, behind_pooler: bool, in_one_transaction: bool) -> Vec<Finding> {
    let sql = file.sql();
    let finding = |offset, message: String, hint| Finding {
        path: file.path.clone(),
        line: line_and_column(sql, offset).0,
        message,
        hint,
    };
    // What comes before an unreadable place is looked at too: the lines after COPY FROM STDIN are one.
    let (statements, unreadable) = match split(sql) {
        Ok(statements) => (statements, None),
        Err(unreadable) => (
            split(&sql[..unreadable.offset]).unwrap_or_default(),
            Some(unreadable),
        ),
    };
    let mut findings = Vec::new();
    for statement in &statements {
        let refusal = if let Some(name) = transaction_control(statement) {
            Some((
                format!("{name} would end the transaction of this migration"),
                TRANSACTION_HINT,
            ))
        } else if let Some(name) = client_copy(statement) {
            Some((
                format!("{name} needs a client that sends or receives the rows"),
                COPY_HINT,
            ))
        } else if let Some(name) = reset_of_everything(statement) {
            Some((
                format!("{name} would also reset the settings that guard this migration's transaction"),
                RESET_HINT,
            ))
        } else if let Some(recognised) = recognise(sql, statement) {
            match recognised {
                Err(Unsupported { problem, hint }) => Some((problem.to_owned(), hint)),
                Ok(NonTransactional { command, .. }) if statements.len() > 1 => Some((
                    format!(
                        "{command} cannot run in a transaction block, and this file has other statements"
                    ),
                    ALONE_HINT,
                )),
                Ok(NonTransactional { command, .. }) if in_one_transaction => Some((
                    format!(
                        "{command} cannot run in a transaction block, and --atomic applies all pending migrations in one"
                    ),
                    ATOMIC_HINT,
                )),
                Ok(_) => None,
            }
        } else if behind_pooler && is_session_set(statement) {
            Some((
                "SET outlives this migration in a session that the connection pooler gives to other clients"
                    .to_owned(),
                SET_HINT,
            ))
        } else {
            None
        };
        if let Some((message, hint)) = refusal {
            findings.push(finding(statement.span.start, message, hint));
        }
    }
    if let Some(Unreadable { offset, problem }) = unreadable {
        let hint = if problem.contains("psql") {
            PSQL_HINT
        } else {
            CLOSE_HINT
        };
        findings.push(finding(offset, problem.to_owned(), hint));
    }
    findings
}

/// Statements that begin or end a transaction. Savepoints nest inside ours and are allowed.
fn transaction_control(statement: &Statement<'_>) -> Option<&'static str> {
    const CONTROL: &[(&[&str], &str)] = &[
        (&["BEGIN"], "BEGIN"),
        (&["START", "TRANSACTION"], "START TRANSACTION"),
        (&["COMMIT"], "COMMIT"),
        (&["END"], "END"),
        (&["ABORT"], "ABORT"),
        (&["ROLLBACK"], "ROLLBACK"),
        (&["PREPARE", "TRANSACTION"], "PREPARE TRANSACTION"),
    ];
    let name = find(statement, CONTROL)?;
    let to_savepoint = name == "ROLLBACK" && statement.has("TO");
    (!to_savepoint).then_some(name)
}

/// Statements that reset the settings of our transaction with all others. RESET and DISCARD of one thing are allowed.
fn reset_of_everything(statement: &Statement<'_>) -> Option<&'static str> {
    find(
        statement,
        &[
            (&["RESET", "ALL"], "RESET ALL"),
            (&["DISCARD", "ALL"], "DISCARD ALL"),
        ],
    )
}

fn client_copy(statement: &Statement<'_>) -> Option<&'static str> {
    if !statement.begins_with(&["COPY"]) {
        return None;
    }
    let tokens = statement.tokens.iter().filter(|token| token.depth == 0);
    let pairs = tokens.clone().zip(tokens.skip(1));
    pairs
        .filter(|(_, end)| end.is("STDIN") || end.is("STDOUT"))
        .find_map(|(direction, _)| {
            if direction.is("FROM") {
                Some("COPY FROM STDIN")
            } else if direction.is("TO") {
                Some("COPY TO STDOUT")
            } else {
                None
            }
        })
}

fn is_session_set(statement: &Statement<'_>) -> bool {
    statement.begins_with(&["SET"])
        && !["LOCAL", "CONSTRAINTS", "TRANSACTION"]
            .iter()
            .any(|second| statement.begins_with(&["SET", second]))
}

fn find(statement: &Statement<'_>, table: &[(&[&str], &'static str)]) -> Option<&'static str> {
    table
        .iter()
        .find(|(keywords, _)| statement.begins_with(keywords))
        .map(|(_, name)| *name)
}
