//! Comments that have a meaning for a tool: dbmate's `-- migrate:up` and goose's `-- +goose Up`.

/// The line that tells a run not to use a transaction block.
pub(crate) const NO_TRANSACTION: &str = "-- zerostarter-db: no-transaction\n";

/// The words after `marker` in a comment line, such as `up` and `transaction:false` after `migrate:`.
pub(crate) fn words_after<'l>(line: &'l str, marker: &str) -> Option<Vec<&'l str>> {
    let comment = line.trim_start().strip_prefix("--")?.trim_start();
    let rest = comment.strip_prefix(marker)?;
    Some(rest.split_whitespace().collect())
}
