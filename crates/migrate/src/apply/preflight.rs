//! What a migration file must not contain, found before the first migration is applied.
//!
//! A file that ends our transaction can commit its history row without its tables, or half of a file that a retry runs
//! again.

use std::fmt;
use std::ops::Range;

use crate::source::Migration;
use crate::sql::non_transactional::NonTransactional;
use crate::sql::{
    Contents, Misplaced, Statement, Step, Token, Unreadable, Unsupported, is_session_setting,
    line_and_column, placeholders, recognise, statements, statements_in, transaction_control,
};

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

const TRANSACTION_HINT: &str = "remove it: every migration already runs in its own transaction, together with its history row; COMMIT ends that, and BEGIN after it begins another";
const COPY_HINT: &str = "write the rows in text or csv format";
const PSQL_HINT: &str =
    "replace it with the SQL that it stands for: only psql understands backslash commands";
const ATOMIC_HINT: &str = "apply without --atomic (MIGRATE_ATOMIC), or apply the migrations before this one first, with MIGRATE_TARGET";
const SET_HINT: &str =
    "write SET LOCAL, which ends with the migration, or set POSTGRES_DIRECT_URL to a direct connection";
const RESET_HINT: &str = "name what to reset (RESET search_path, DISCARD TEMP); session settings of a migration are reset after it anyway";
const BREAKPOINT_HINT: &str =
    "close it; a statement-breakpoint must not stand inside a string, a comment or the body of a function";
const READ_ONLY_HINT: &str = "remove READ ONLY";
const PLACEHOLDER_HINT: &str =
    "write the value in its place; Flyway replaces ${name}, and zerostarter-db sends files as they are";
const CLOSE_HINT: &str = "close it; otherwise it includes everything that follows";

/// What decides, beside its tokens, whether a statement is refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preflight {
    /// Whether other clients may share the session.
    pub(super) is_behind_pooler: bool,
    /// Whether all migrations run in one transaction.
    pub(super) is_atomic: bool,
    /// Whether this is the first migration of the run.
    pub(super) is_first: bool,
}

impl Preflight {
    /// Everything in `sql`, the text of `file` in its `parts`, that is refused.
    pub(super) fn inspect(
        self,
        file: &Migration,
        (sql, parts): (&str, &[Range<usize>]),
        contents: &Contents,
    ) -> Vec<Finding> {
        let finding = |offset, message: String, hint| Finding {
            path: file.path.clone(),
            line: line_and_column(sql, offset).0,
            message,
            hint,
        };
        let mut findings = Vec::new();
        if self.is_atomic && (contents.declares_no_transaction || !contents.is_whole()) {
            let (offset, why) = if contents.declares_no_transaction {
                (0, "the first line says no-transaction")
            } else {
                (
                    contents.steps.get(1).map_or(0, Step::start),
                    "this migration runs in several steps",
                )
            };
            let message = format!("{why}, and --atomic applies all pending migrations in one transaction");
            findings.push(finding(offset, message, ATOMIC_HINT));
        }
        for Misplaced {
            offset,
            name,
            problem,
        } in &contents.misplaced
        {
            findings.push(finding(*offset, format!("{name} {problem}"), TRANSACTION_HINT));
        }
        if let Some(offset) = contents.modes.read_only {
            findings.push(finding(
                offset,
                "a read-only transaction cannot record the migration in the history table".to_owned(),
                READ_ONLY_HINT,
            ));
        }
        if let (Some(mode), true, false) = (contents.modes.spans.first(), self.is_atomic, self.is_first) {
            findings.push(finding(
                mode.start,
                "SET TRANSACTION applies before the first query, and with --atomic another migration comes before it in the transaction"
                    .to_owned(),
                ATOMIC_HINT,
            ));
        }
        for statement in parts.iter().flat_map(|part| statements_in(sql, part.clone())) {
            if let Ok(statement) = &statement {
                let bare = placeholders(sql, statement)
                    .into_iter()
                    .filter(|found| !found.is_quoted);
                findings.extend(bare.map(|found| {
                    let message = format!("{} is a placeholder, which no tool replaces here", found.text);
                    finding(found.offset, message, PLACEHOLDER_HINT)
                }));
            }
            match statement {
                Ok(statement)
                    if transaction_control(&statement).is_some()
                        || contents.modes.spans.contains(&statement.span) => {}
                Ok(statement) => {
                    if let Some((message, hint)) = self.refusal(sql, &statement, contents) {
                        findings.push(finding(statement.span.start, message, hint));
                    }
                }
                Err(Unreadable { offset, problem }) => {
                    let hint = if problem.contains("psql") {
                        PSQL_HINT
                    } else if parts.len() > 1 {
                        BREAKPOINT_HINT
                    } else {
                        CLOSE_HINT
                    };
                    findings.push(finding(offset, problem.to_owned(), hint));
                }
            }
        }
        findings
    }

    fn refusal(
        self,
        sql: &str,
        statement: &Statement<'_>,
        contents: &Contents,
    ) -> Option<(String, &'static str)> {
        if statement.begins_with(&["COPY"]) {
            return copy_refusal(statement);
        }
        if let Some(name) = reset_of_everything(statement) {
            return Some((
                format!("{name} would also reset the settings that guard this migration's transaction"),
                RESET_HINT,
            ));
        }
        match recognise(sql, statement) {
            Some(Err(Unsupported { problem, hint })) => return Some((problem.to_owned(), hint)),
            Some(Ok(NonTransactional { command, .. })) if self.is_atomic && contents.is_whole() => {
                return Some((
                    format!(
                        "{command} cannot run in a transaction block, and --atomic applies all pending migrations in one"
                    ),
                    ATOMIC_HINT,
                ));
            }
            Some(Ok(_)) | None => {}
        }
        (self.is_behind_pooler && is_session_setting(statement)).then(|| {
            (
                "SET outlives this migration in a session that the connection pooler gives to other clients"
                    .to_owned(),
                SET_HINT,
            )
        })
    }
}

/// Warns of the first placeholder in a string or a quoted name of `sql`, the text of `file`: it may be meant as it stands.
pub(super) fn warn_of_quoted_placeholders(file: &Migration, sql: &str) {
    if !sql.contains("${") {
        return;
    }
    let all = statements(sql).map_while(Result::ok);
    let mut quoted = all
        .flat_map(|statement| placeholders(sql, &statement))
        .filter(|found| found.is_quoted);
    if let Some(found) = quoted.next() {
        let (path, line) = (&file.path, line_and_column(sql, found.offset).0);
        tracing::warn!(
            migration = file.label,
            "{path}:{line} has {} inside quotes, which is sent as it stands",
            found.text
        );
    }
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

fn copy_refusal(statement: &Statement<'_>) -> Option<(String, &'static str)> {
    let outside = || statement.tokens.iter().filter(|token| token.depth == 0);
    let has_pair = |direction, end| {
        outside()
            .zip(outside().skip(1))
            .any(|(first, second)| first.is(direction) && second.is(end))
    };
    // The server takes both words for either direction.
    if has_pair("TO", "STDOUT") || has_pair("TO", "STDIN") {
        return Some((
            "COPY TO STDOUT needs a client that receives the rows".to_owned(),
            "remove it: a migration has nowhere to write rows to",
        ));
    }
    if !has_pair("FROM", "STDIN") && !has_pair("FROM", "STDOUT") {
        return None;
    }
    let is_binary = |token: &Token<'_>| token.text.trim_matches('\'').eq_ignore_ascii_case("binary");
    if statement.tokens.iter().any(is_binary) {
        return Some((
            "COPY FROM STDIN in binary format cannot stand in a text file".to_owned(),
            COPY_HINT,
        ));
    }
    match &statement.data {
        Some(data) if data.is_preceded => Some((
            "the line of COPY FROM STDIN goes on after its semicolon, where psql reads a statement"
                .to_owned(),
            "begin the data in the next line, and write the rest of this line elsewhere",
        )),
        Some(data) if data.is_closed => None,
        Some(_) | None => Some((
            "the data lines of COPY FROM STDIN do not end: there is no line with \\. alone".to_owned(),
            "end the data with a line that has only \\. in it, as pg_dump does; or load the rows with INSERT … VALUES",
        )),
    }
}

fn find(statement: &Statement<'_>, table: &[(&[&str], &'static str)]) -> Option<&'static str> {
    table
        .iter()
        .find(|(keywords, _)| statement.begins_with(keywords))
        .map(|(_, name)| *name)
}
