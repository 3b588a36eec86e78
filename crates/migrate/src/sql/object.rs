//! Objects of a database, by name.

use std::fmt;

/// An object of a database, by name. Names are as the server keeps them, without quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Its schema; `None` if the file does not name one. Of a schema, its own name.
    pub schema: Option<String>,
    /// Its name, or that of the table or type that it belongs to.
    pub name: String,
    /// The name of a column, constraint or policy, or an enum value.
    pub part: Option<String>,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A schema.
    Schema,
    /// A table.
    Table,
    /// A view or sequence.
    Relation,
    /// An index; its part is the table, unless it is dropped.
    Index,
    /// A column of a table.
    Column,
    /// A constraint of a table.
    Constraint,
    /// An enum, composite type or domain.
    Type,
    /// A value of an enum.
    EnumValue,
    /// A policy of a table.
    Policy,
}

impl Object {
    /// Whether both names may name the same object: a file may name the schema, or leave that to the search path.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let is_same_schema = self.schema == other.schema || self.schema.is_none() || other.schema.is_none();
        let is_same_part = self.part == other.part || self.kind == ObjectKind::Index;
        self.kind == other.kind && self.name == other.name && is_same_part && is_same_schema
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ObjectKind::Schema => "schema ",
            ObjectKind::Table => "table ",
            ObjectKind::Relation => "relation ",
            ObjectKind::Index => "index ",
            ObjectKind::Column => "column ",
            ObjectKind::Constraint => "constraint ",
            ObjectKind::Type => "type ",
            ObjectKind::EnumValue => "enum value ",
            ObjectKind::Policy => "policy ",
        })?;
        if let Some(schema) = self.schema.as_ref().filter(|_| self.kind != ObjectKind::Schema) {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)?;
        let part = self.part.as_ref().filter(|_| self.kind != ObjectKind::Index);
        part.map_or(Ok(()), |part| write!(f, ".{part}"))
    }
}

/// The object `name`, which is written with or without a schema.
pub(super) fn object(kind: ObjectKind, name: &str) -> Object {
    let parts = split_name(name);
    let (schema, name) = match parts.as_slice() {
        [name] => (None, name.clone()),
        [.., schema, name] => (Some(schema.clone()), name.clone()),
        [] => (None, String::new()),
    };
    Object {
        schema: if kind == ObjectKind::Schema {
            Some(name.clone())
        } else {
            schema
        },
        kind,
        name,
        part: None,
    }
}

/// The part `part` of the table or type `owner`.
pub(super) fn part_of(kind: ObjectKind, owner: &str, part: String) -> Object {
    Object {
        kind,
        part: Some(part),
        ..object(ObjectKind::Table, owner)
    }
}

/// The parts of a name, as the server keeps them.
fn split_name(name: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let end = if rest.starts_with('"') {
            let mut end = 1;
            loop {
                end += rest[end..].find('"').map_or(rest.len() - end, |quote| quote + 1);
                if end < rest.len() && rest[end..].starts_with('"') {
                    end += 1;
                } else {
                    break end;
                }
            }
        } else {
            rest.find('.').unwrap_or(rest.len())
        };
        parts.push(unquoted(&rest[..end]));
        rest = rest[end..].trim_start_matches('.');
    }
    parts
}

/// A name as the server keeps it.
pub(super) fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        // The server folds other letters only in encodings of one byte.
        None => name.to_ascii_lowercase(),
    }
}
