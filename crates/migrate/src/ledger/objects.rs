//! Which objects of migration files exist in the database.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};
use zerostarter_connect::quote::literal;
use zerostarter_connect::search_path::SAFE;

use crate::sql::{Object, ObjectKind};

/// The objects that were looked up, and whether each exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Objects {
    existing: BTreeMap<Object, bool>,
}

impl Objects {
    /// Whether `object` exists. An object that was not looked up does not.
    pub(crate) fn has(&self, object: &Object) -> bool {
        self.existing.get(object).copied().unwrap_or_default()
    }

    /// The query that looks `objects` up; names without a schema are in `schema`. One round trip, however many they are.
    pub(crate) fn query(objects: &BTreeSet<Object>, schema: &str) -> String {
        let values: Vec<String> = objects
            .iter()
            .enumerate()
            .map(|(number, object)| {
                let part = object.part.as_deref().map_or_else(|| "NULL".to_owned(), literal);
                format!(
                    "({number}, '{}', {}, {}, {part})",
                    letter(object.kind),
                    literal(object.schema.as_deref().unwrap_or(schema)),
                    literal(&object.name)
                )
            })
            .collect();
        format!(
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY;\n{SAFE};\n\
             SELECT v.number FROM (VALUES {values}) AS v (number, kind, schema, name, part) \
             LEFT JOIN pg_namespace AS s ON s.nspname = CAST(v.schema AS name) \
             LEFT JOIN pg_class AS c ON c.relnamespace = s.oid AND c.relname = CAST(v.name AS name) \
             LEFT JOIN pg_type AS t ON t.typnamespace = s.oid AND t.typname = CAST(v.name AS name) \
             WHERE CASE v.kind WHEN 's' THEN s.oid IS NOT NULL \
               WHEN 'b' THEN c.relkind IN ('r', 'p', 'f') \
               WHEN 'r' THEN c.relkind IN ('v', 'm', 'S') \
               WHEN 'i' THEN EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS b ON b.oid = i.indrelid \
                 WHERE i.indexrelid = c.oid AND i.indisvalid AND b.relname = CAST(v.part AS name)) \
               WHEN 't' THEN t.oid IS NOT NULL \
               WHEN 'c' THEN EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid \
                 AND a.attname = CAST(v.part AS name) AND a.attnum > 0 AND NOT a.attisdropped) \
               WHEN 'k' THEN EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = c.oid \
                 AND k.conname = CAST(v.part AS name)) \
               WHEN 'p' THEN EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid \
                 AND p.polname = CAST(v.part AS name)) \
               WHEN 'e' THEN EXISTS (SELECT FROM pg_enum AS e WHERE e.enumtypid = t.oid \
                 AND e.enumlabel = CAST(v.part AS name)) END",
            values = values.join(", ")
        )
    }

    /// Notes the answers to that query.
    pub(crate) fn note(&mut self, objects: &BTreeSet<Object>, answers: &[SimpleQueryMessage]) {
        let number = |row: &SimpleQueryRow| row.get(0).and_then(|text| text.parse::<usize>().ok());
        let found: BTreeSet<usize> = answers
            .iter()
            .filter_map(|answer| match answer {
                SimpleQueryMessage::Row(row) => number(row),
                _ => None,
            })
            .collect();
        let numbered = objects.iter().enumerate();
        self.existing
            .extend(numbered.map(|(number, object)| (object.clone(), found.contains(&number))));
    }
}

fn letter(kind: ObjectKind) -> char {
    match kind {
        ObjectKind::Schema => 's',
        ObjectKind::Table => 'b',
        ObjectKind::Relation => 'r',
        ObjectKind::Index => 'i',
        ObjectKind::Type => 't',
        ObjectKind::Column => 'c',
        ObjectKind::Constraint => 'k',
        ObjectKind::Policy => 'p',
        ObjectKind::EnumValue => 'e',
    }
}
