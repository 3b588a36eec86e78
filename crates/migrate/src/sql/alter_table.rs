//! The locks of `ALTER TABLE`. Each of its actions has its own; the manual's page and `AlterTableGetLockLevel` list them.

use super::locked_table::LockStrength::{self, BlocksNobody, BlocksReaders, BlocksWriters};
use super::locked_table::{Along, NamedLock, relation};
use super::statement::Statement;
use super::token::Token;
use super::token_cursor::{TokenCursor, identifier_of};

/// Settings of a table or index that take a stronger lock than SHARE UPDATE EXCLUSIVE.
const STRONG_SETTINGS: [&str; 9] = [
    "user_catalog_table",
    "security_barrier",
    "security_invoker",
    "check_option",
    "fastupdate",
    "gin_pending_list_limit",
    "autosummarize",
    "pages_per_range",
    "buffering",
];

/// The locks of `ALTER TABLE`, `ALTER VIEW`, `ALTER MATERIALIZED VIEW` or `ALTER FOREIGN TABLE`; the name is token number
/// `first`.
pub(super) fn locks_of_alter_table(statement: &Statement<'_>, first: usize) -> Vec<NamedLock> {
    let mut cursor = TokenCursor::from(statement, first);
    if cursor.take("IF") {
        cursor.take("EXISTS");
    }
    let is_only = cursor.take("ONLY");
    let Some(name) = cursor.name() else {
        return Vec::new();
    };
    let actions = cursor.rest();
    let mut locks = Vec::new();
    for action in actions.split(|token| token.depth == 0 && token.text == ",") {
        let action = match action {
            [star, action @ ..] if star.text == "*" => action,
            action => action,
        };
        add_action(&mut locks, &name, action, is_only);
    }
    locks
}

fn add_action(locks: &mut Vec<NamedLock>, name: &str, action: &[Token<'_>], is_only: bool) {
    let begins_with = |keywords: &[&str]| begins_with(action, keywords);
    if begins_with(&["ATTACH", "PARTITION"]) {
        let along = [Along::DefaultPartition, Along::ReferencedByCopy];
        locks.push(relation(name.to_owned(), BlocksNobody, along));
        locks.extend(name_at(action, 2).map(|name| relation(name, BlocksReaders, [Along::Children])));
        return;
    }
    if begins_with(&["DETACH", "PARTITION"]) {
        let is_concurrent = has(action, "CONCURRENTLY") || has(action, "FINALIZE");
        if !is_concurrent {
            locks.push(relation(
                name.to_owned(),
                BlocksReaders,
                [Along::DefaultPartition],
            ));
        }
        if !has(action, "CONCURRENTLY") {
            locks.extend(
                name_at(action, 2).map(|name| relation(name, BlocksReaders, [Along::ReferencedByCopy])),
            );
        }
        return;
    }
    let Some(strength) = strength_of(action) else {
        return;
    };
    let mut along = Vec::new();
    let goes_down = ["ADD", "ALTER", "DISABLE", "DROP", "ENABLE", "RENAME"]
        .iter()
        .any(|keyword| begins_with(&[keyword]))
        && !begins_with(&["RENAME", "TO"])
        && !has(action, "SECURITY");
    if goes_down && !is_only {
        along.push(Along::Children);
    }
    along.extend(changed_part(action).map(Along::Part));
    locks.push(relation(name.to_owned(), strength, along));
}

/// `None` if this action blocks neither readers nor writers.
fn strength_of(action: &[Token<'_>]) -> Option<LockStrength> {
    let begins_with = |keywords: &[&str]| begins_with(action, keywords);
    let sets_parameters = begins_with(&["SET"]) || begins_with(&["RESET"]);
    if sets_parameters && action.get(1).is_some_and(|token| token.text == "(") {
        return has_strong_setting(action).then_some(BlocksReaders);
    }
    let column_parameters = begins_with(&["ALTER"])
        && action.windows(2).any(|pair| {
            pair[0].depth == 0
                && (pair[0].is("SET") && (pair[1].is("STATISTICS") || pair[1].text == "(")
                    || pair[0].is("RESET") && pair[1].text == "(")
        });
    if column_parameters
        || begins_with(&["VALIDATE"])
        || begins_with(&["CLUSTER", "ON"])
        || begins_with(&["SET", "WITHOUT", "CLUSTER"])
    {
        return None;
    }
    let switches_triggers = (begins_with(&["ENABLE"]) || begins_with(&["DISABLE"])) && has(action, "TRIGGER");
    let adds_foreign_key = begins_with(&["ADD", "FOREIGN"])
        || begins_with(&["ADD", "CONSTRAINT"]) && action.get(3).is_some_and(|token| token.is("FOREIGN"));
    Some(if switches_triggers || adds_foreign_key {
        BlocksWriters
    } else {
        BlocksReaders
    })
}

/// Whether one of the parameters in parentheses takes an ACCESS EXCLUSIVE lock.
pub(super) fn has_strong_setting(action: &[Token<'_>]) -> bool {
    action.iter().any(|token| {
        STRONG_SETTINGS
            .iter()
            .any(|setting| token.text.eq_ignore_ascii_case(setting))
    })
}

/// The column or constraint that is dropped or gets another type: its foreign keys are dropped or made anew.
fn changed_part(action: &[Token<'_>]) -> Option<String> {
    let is_drop = begins_with(action, &["DROP"]);
    let is_type = begins_with(action, &["ALTER"]) && has(action, "TYPE");
    if !is_drop && !is_type {
        return None;
    }
    let mut rest = action[1..].iter().peekable();
    rest.next_if(|token| token.is("COLUMN") || token.is("CONSTRAINT"));
    if rest.next_if(|token| token.is("IF")).is_some() {
        rest.next_if(|token| token.is("EXISTS"));
    }
    rest.next()
        .filter(|token| token.is_name())
        .map(|token| identifier_of(token.text))
}

fn begins_with(action: &[Token<'_>], keywords: &[&str]) -> bool {
    action.len() >= keywords.len()
        && keywords
            .iter()
            .zip(action)
            .all(|(keyword, token)| token.is(keyword))
}

fn has(action: &[Token<'_>], keyword: &str) -> bool {
    action.iter().any(|token| token.depth == 0 && token.is(keyword))
}

fn name_at(action: &[Token<'_>], first: usize) -> Option<String> {
    TokenCursor::over(action.get(first..)?).name()
}
