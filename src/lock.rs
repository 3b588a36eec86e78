//! The advisory lock that lets one migrator at a time work on a history.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::history::HISTORY_TABLE;
use crate::sql::literal;

/// What PostgreSQL is made to complain about when the lock is taken: a text that cannot be a number.
pub(crate) const LOCK_TAKEN: &str = "zerostarter-db: another migrator holds the lock";

/// The key of the lock for the history in `schema`.
///
/// Fixed for ever: programs of different versions that meet in a rolling deploy must agree on it. It is
/// SipHash-1-3, with a zero key, of this crate's name, the schema and the table, each followed by a zero byte.
#[must_use]
pub fn advisory_key(schema: &str) -> i64 {
    let mut hasher = SipHasher13::new();
    for part in ["zerostarter-db", schema, HISTORY_TABLE] {
        hasher.write(part.as_bytes());
        hasher.write(&[0]);
    }
    hasher.finish().cast_signed()
}

/// Takes the lock for the rest of the transaction, or raises.
///
/// It never waits: a session that waits for a lock inside a statement holds a snapshot, and
/// `CREATE INDEX CONCURRENTLY` of the lock's holder would wait for that snapshot in turn.
pub(crate) fn take_or_raise(schema: &str) -> String {
    raise_unless(
        &format!("pg_catalog.pg_try_advisory_xact_lock({})", advisory_key(schema)),
        LOCK_TAKEN,
    )
}

/// A statement that fails with SQLSTATE 22P02 and `complaint` in its message unless `condition` holds.
///
/// Plain SQL, because PL/pgSQL can be missing. The cast cannot be folded while planning: what it casts is
/// only known once the condition is.
pub(crate) fn raise_unless(condition: &str, complaint: &str) -> String {
    format!(
        "SELECT CAST(CASE WHEN {condition} THEN '1' ELSE {} END AS integer)",
        literal(complaint)
    )
}

#[cfg(test)]
mod tests {
    use super::advisory_key;

    #[test]
    fn the_key_never_changes() {
        assert_eq!(advisory_key("public"), 3_345_345_016_611_812_582);
        assert_ne!(advisory_key("public"), advisory_key("tenant"));
    }
}
