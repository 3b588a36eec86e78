//! The check that a non-transactional statement has done what its file says.
//!
//! It runs on another connection, and in transaction pooling perhaps in another session than the one that was looked at
//! before: temporary objects or a search path that a client has left there would give its names another meaning. So the
//! guard, whose transaction resolves names as the migrations do, looks for the effect before it records the migration.

use zerostarter_connect::quote::literal;

use super::failure::NOT_DONE;
use crate::ledger::raise_unless;
use crate::sql::non_transactional::Effect;

/// A statement that raises unless `effect` is there, in any search path; none for an effect that leaves no trace.
pub(super) fn check_effect(effect: &Effect) -> Option<String> {
    let oid = |name: &str| {
        format!(
            "CAST(pg_catalog.to_regclass({}) AS pg_catalog.oid)",
            literal(name)
        )
    };
    let is_done = match effect {
        Effect::CreateIndex { index, table, .. } => format!(
            "EXISTS (SELECT FROM pg_catalog.pg_index AS i \
             JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
             WHERE i.indrelid OPERATOR(pg_catalog.=) {} AND i.indisvalid AND c.relname OPERATOR(pg_catalog.=) \
               CAST((pg_catalog.parse_ident({}))[1] AS pg_catalog.name))",
            oid(table),
            literal(index)
        ),
        Effect::DropIndex { index } => format!("{} IS NULL", oid(index)),
        Effect::DetachPartition { parent, partition } => format!(
            "NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i \
             WHERE i.inhrelid OPERATOR(pg_catalog.=) {} AND i.inhparent OPERATOR(pg_catalog.=) {})",
            oid(partition),
            oid(parent)
        ),
        Effect::Reindex(_) | Effect::Repeatable | Effect::Unknown { .. } => return None,
    };
    Some(raise_unless(&is_done, NOT_DONE))
}
