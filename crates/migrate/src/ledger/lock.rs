//! The advisory lock: one migrator at a time works on a history table.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use zerostarter_connect::quote::literal;

use super::kind::Ledger;

/// The complaint of the server if the lock is taken: a text that is no number.
pub(crate) const LOCK_TAKEN: &str = "zerostarter-db: another migrator holds the lock";

/// The key of the lock for the history table in `schema`.
///
/// It never changes: instances of different versions that run at the same time in a rolling deploy must agree on it. It is
/// SipHash-1-3, with a zero key, of `zerostarter-db`, the schema and the table, each followed by a zero byte.
#[must_use]
pub fn advisory_key(ledger: Ledger, schema: &str) -> i64 {
    key("zerostarter-db", ledger, schema)
}

/// The key of the lock that a step of a migration takes while the guard holds the migrators' one: an orphan of a lost guard
/// may still be in its transaction.
pub(crate) fn steps_key(ledger: Ledger, schema: &str) -> i64 {
    key("zerostarter-db step", ledger, schema)
}

fn key(purpose: &str, ledger: Ledger, schema: &str) -> i64 {
    let mut hasher = SipHasher13::new();
    for part in [purpose, ledger.own_schema().unwrap_or(schema), ledger.table()] {
        hasher.write(part.as_bytes());
        hasher.write(&[0]);
    }
    hasher.finish().cast_signed()
}

/// A statement that takes the lock until the end of the transaction, or raises.
///
/// It never waits: a session that waits for a lock inside a statement holds a snapshot, and the lock holder's
/// `CREATE INDEX CONCURRENTLY` would wait for that snapshot.
pub(crate) fn take_or_raise(key: i64) -> String {
    raise_unless(
        &format!("pg_catalog.pg_try_advisory_xact_lock({key})"),
        LOCK_TAKEN,
    )
}

/// A statement that fails with SQLSTATE 22P02 and `complaint` in its message unless `condition` holds.
///
/// Plain SQL, because PL/pgSQL can be missing or forbidden. The planner cannot fold the cast, because its operand depends
/// on the condition.
pub(crate) fn raise_unless(condition: &str, complaint: &str) -> String {
    format!(
        "SELECT CAST(CASE WHEN {condition} THEN '1' ELSE {} END AS integer)",
        literal(complaint)
    )
}

#[cfg(test)]
mod tests {
    use super::{Ledger, advisory_key};

    #[test]
    fn the_key_never_changes() {
        assert_eq!(
            advisory_key(Ledger::Refinery, "public"),
            3_345_345_016_611_812_582
        );
        assert_ne!(
            advisory_key(Ledger::Refinery, "public"),
            advisory_key(Ledger::Refinery, "tenant")
        );
    }
}
