//! The relations that a migration locks: those that it names, and those that the server locks along with them.

use zerostarter_connect::quote::literal;
use zerostarter_connect::search_path::captured_oid;

use crate::sql::{Along, LockStrength, LockedTables, NameOf};

/// The OID of each name, by the name under which it is captured.
pub(super) fn captures(tables: &LockedTables) -> Vec<(String, String)> {
    let numbered = tables.keys().enumerate();
    numbered
        .map(|(number, (kind, name))| (format!("table_{number}"), oid_of(*kind, name)))
        .collect()
}

pub(super) fn borrowed(captures: &[(String, String)]) -> Vec<(&str, &str)> {
    captures
        .iter()
        .map(|(name, oid)| (name.as_str(), oid.as_str()))
        .collect()
}

/// A query for these relations: OID, and 1 if the lock blocks writers or 2 if it blocks readers too. The OIDs of `tables`
/// are captured. `None` without tables.
///
/// The system catalogs are asked only for what the statements may lock along.
pub(super) fn locked_relations(tables: &LockedTables) -> Option<String> {
    if tables.is_empty() {
        return None;
    }
    let mut letters = String::new();
    let mut seeds = Vec::new();
    for (number, ((kind, _), lock)) in tables.iter().enumerate() {
        let oid = captured_oid(&format!("table_{number}"));
        let level = match lock.strength {
            LockStrength::BlocksNobody => 0,
            LockStrength::BlocksWriters => 1,
            LockStrength::BlocksReaders => 2,
        };
        let along: String = lock.along.iter().map(letter).collect();
        let parts = lock.along.iter().filter_map(|along| match along {
            Along::Part(name) => Some(literal(name)),
            _ => None,
        });
        let parts: Vec<String> = parts.collect();
        let rest = format!("{level}, '{along}', CAST(ARRAY[{}] AS text[])", parts.join(", "));
        seeds.push(match kind {
            NameOf::Relation => format!("SELECT {oid}, {rest}"),
            NameOf::Schema => {
                format!("SELECT c.oid, {rest} FROM pg_catalog.pg_class AS c WHERE c.relnamespace = {oid}")
            }
            NameOf::Type => format!(
                "SELECT c.attrelid, {rest} FROM pg_catalog.pg_attribute AS c JOIN pg_catalog.pg_class AS r \
                 ON r.oid = c.attrelid AND r.relkind <> 'c' WHERE c.atttypid = {oid}"
            ),
        });
        letters.push_str(&along);
    }
    // What is locked along brings its partitions, and a parent its default partition.
    if letters.contains('o') {
        letters.push('d');
    }
    if letters.contains(['d', 'i', 'p', 'r', 't', 'y']) {
        letters.push('k');
    }
    let seeds = seeds.join(" UNION ALL ");
    let branches: Vec<&str> = BRANCHES
        .iter()
        .filter(|(letter, _)| letters.contains(*letter))
        .map(|(_, branch)| *branch)
        .collect();
    if branches.is_empty() {
        return Some(format!(
            "SELECT n.relation, n.level FROM ({seeds}) AS n (relation, level, along, parts)"
        ));
    }
    Some(format!(
        "WITH RECURSIVE d (relation, level, along, parts) AS (SELECT * FROM ({seeds}) AS s UNION \
         SELECT n.* FROM d CROSS JOIN LATERAL ({}) AS n) \
         SELECT d.relation, d.level FROM d WHERE d.level > 0",
        branches.join(" UNION ALL ")
    ))
}

const fn letter(along: &Along) -> char {
    match along {
        Along::Children => 'c',
        Along::DefaultPartition => 'd',
        Along::Referenced => 'r',
        Along::ReferencedByCopy => 'y',
        Along::Referencing => 'i',
        Along::Truncated => 't',
        Along::Part(_) => 'p',
        Along::Views => 'v',
        Along::Used => 'u',
        Along::Parent => 'o',
        Along::Partitions => 'k',
    }
}

/// For each letter the query of what is locked along with the row `d`.
const BRANCHES: [(char, &str); 11] = [
    (
        'c',
        "SELECT h.inhrelid, d.level, d.along, d.parts FROM pg_catalog.pg_inherits AS h \
         WHERE h.inhparent = d.relation AND d.along LIKE '%c%'",
    ),
    (
        'k',
        "SELECT h.inhrelid, d.level, 'k', d.parts FROM pg_catalog.pg_inherits AS h \
         JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid AND c.relispartition \
         WHERE h.inhparent = d.relation AND d.along LIKE '%k%'",
    ),
    (
        'd',
        "SELECT p.partdefid, 2, 'k', d.parts FROM pg_catalog.pg_partitioned_table AS p \
         WHERE p.partrelid = d.relation AND p.partdefid <> 0 AND d.along LIKE '%d%'",
    ),
    (
        'r',
        "SELECT f.confrelid, 2, 'k', d.parts FROM pg_catalog.pg_constraint AS f \
         WHERE f.contype = 'f' AND f.conrelid = d.relation AND f.conparentid = 0 AND d.along LIKE '%r%'",
    ),
    (
        'y',
        "SELECT CASE f.conrelid WHEN d.relation THEN f.confrelid ELSE f.conrelid END, 1, 'k', d.parts \
         FROM pg_catalog.pg_constraint AS f WHERE f.contype = 'f' AND d.relation IN (f.conrelid, f.confrelid) \
         AND d.along LIKE '%y%'",
    ),
    (
        'i',
        "SELECT f.conrelid, 2, 'k', d.parts FROM pg_catalog.pg_constraint AS f \
         WHERE f.contype = 'f' AND f.confrelid = d.relation AND d.along LIKE '%i%'",
    ),
    (
        't',
        "SELECT f.conrelid, 2, d.along, d.parts FROM pg_catalog.pg_constraint AS f \
         WHERE f.contype = 'f' AND f.confrelid = d.relation AND d.along LIKE '%t%'",
    ),
    (
        'p',
        "SELECT CASE f.conrelid WHEN d.relation THEN f.confrelid ELSE f.conrelid END, 2, 'k', d.parts \
         FROM pg_catalog.pg_constraint AS f WHERE f.contype = 'f' AND d.along LIKE '%p%' AND (\
           f.conrelid = d.relation AND (f.conname = ANY (d.parts) OR EXISTS (\
             SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = d.relation \
             AND a.attnum = ANY (f.conkey) AND a.attname = ANY (d.parts))) \
           OR f.confrelid = d.relation AND (EXISTS (\
             SELECT FROM pg_catalog.pg_class AS x WHERE x.oid = f.conindid AND x.relname = ANY (d.parts)) \
             OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = d.relation \
             AND a.attnum = ANY (f.confkey) AND a.attname = ANY (d.parts))))",
    ),
    (
        'v',
        "SELECT w.ev_class, 2, d.along, d.parts FROM pg_catalog.pg_depend AS p \
         JOIN pg_catalog.pg_rewrite AS w ON w.oid = p.objid \
         WHERE p.classid = CAST('pg_rewrite' AS regclass) AND p.refclassid = CAST('pg_class' AS regclass) \
         AND p.refobjid = d.relation AND d.along LIKE '%v%'",
    ),
    (
        'u',
        "SELECT p.refobjid, d.level, d.along, d.parts FROM pg_catalog.pg_rewrite AS w \
         JOIN pg_catalog.pg_depend AS p ON p.classid = CAST('pg_rewrite' AS regclass) AND p.objid = w.oid \
         WHERE p.refclassid = CAST('pg_class' AS regclass) \
         AND w.ev_class = d.relation AND w.rulename = '_RETURN' AND d.along LIKE '%u%'",
    ),
    (
        'o',
        "SELECT h.inhparent, 2, 'd', d.parts FROM pg_catalog.pg_inherits AS h \
         JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid AND c.relispartition \
         WHERE h.inhrelid = d.relation AND d.along LIKE '%o%'",
    ),
];

/// An OID, or NULL. Looking into a schema without USAGE is an error, and the migration may set a role that has it.
fn oid_of(kind: NameOf, name: &str) -> String {
    let name = literal(name);
    let look_up = match kind {
        NameOf::Relation => "to_regclass",
        NameOf::Type => "to_regtype",
        NameOf::Schema => return format!("CAST(pg_catalog.to_regnamespace({name}) AS pg_catalog.oid)"),
    };
    format!(
        "CAST(CASE WHEN pg_catalog.array_length(pg_catalog.parse_ident({name}), 1) OPERATOR(pg_catalog.=) 1 \
         OR pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace(pg_catalog.quote_ident((\
         pg_catalog.parse_ident({name}))[1])), 'USAGE') THEN pg_catalog.{look_up}({name}) END AS pg_catalog.oid)"
    )
}
