//! What a migration file may not contain, found before the first file changes anything.
//!
//! A file that ends our transaction can leave its history row without its tables, or half of a file that
//! a retry runs again. The server would only find out half way.

use std::fmt;

use crate::outside::{self, Outside, Unfit};
use crate::source::SourceFile;
use crate::statement::{Statement, Unreadable, line_and_column, split};

/// Something in a file that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is there and why it is refused.
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
    "remove it: every file already runs in a transaction of its own, together with its history row";
const COPY_HINT: &str = "load the rows with INSERT … VALUES, or with a program outside the migrations";
const PSQL_HINT: &str = "only psql understands backslash commands; write the SQL that they stand for";
const ALONE_HINT: &str = "move it into a file of its own, the next version";
const ATOMIC_HINT: &str =
    "apply without --atomic (MIGRATE_ATOMIC), or first the migrations before this one with MIGRATE_TARGET";
const SET_HINT: &str =
    "write SET LOCAL, which ends with the file, or set POSTGRES_DIRECT_URL to the database behind the pooler";
const RESET_HINT: &str = "name what to undo (RESET search_path, DISCARD TEMP); what a file sets for its session is undone after it anyway";
const CLOSE_HINT: &str = "close it; otherwise it would swallow everything that follows";

/// Everything in `files` that is refused. `behind_pooler`: whether a session may be shared with others.
/// `in_one_transaction`: whether all files are to be applied or none.
#[must_use]
pub fn inspect(files: &[&SourceFile], behind_pooler: bool, in_one_transaction: bool) -> Vec<Finding> {
    files
        .iter()
        .flat_map(|file| inspect_file(file, behind_pooler, in_one_transaction))
        .collect()
}

fn inspect_file(file: &SourceFile, behind_pooler: bool, in_one_transaction: bool) -> Vec<Finding> {
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
                format!("{name} would also reset what this migration's transaction is guarded with"),
                RESET_HINT,
            ))
        } else if let Some(outside) = outside::recognise(sql, statement) {
            match outside {
                Err(Unfit { problem, hint }) => Some((problem.to_owned(), hint)),
                Ok(Outside { command, .. }) if statements.len() > 1 => Some((
                    format!(
                        "{command} cannot run in a transaction, and this file has other statements beside it"
                    ),
                    ALONE_HINT,
                )),
                Ok(Outside { command, .. }) if in_one_transaction => Some((
                    format!(
                        "{command} cannot run in a transaction, and --atomic puts all that is pending into one"
                    ),
                    ATOMIC_HINT,
                )),
                Ok(_) => None,
            }
        } else if behind_pooler && is_session_set(statement) {
            Some((
                "SET outlives this migration in a session that the pooler gives to others".to_owned(),
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

/// Statements that begin or end a transaction. Savepoints nest inside ours and are fine.
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

/// Statements that undo the settings of our transaction with all others. RESET and DISCARD of one thing are fine.
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
    let words = statement.words.iter().filter(|word| word.depth == 0);
    let pairs = words.clone().zip(words.skip(1));
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
