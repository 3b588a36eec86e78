//! A search path in which the operators, functions and types of other roles cannot be found (CVE-2018-1058).
//!
//! PostgreSQL resolves an operator in every schema of the search path and prefers the one that fits its operands best. A role
//! that may create in one of these schemas could make its code run with our privileges, by an operator such as
//! `=(varchar, varchar)`. So a statement with an operator, a cast or an unqualified name runs between [`enter`] and
//! [`LEAVE`], or after [`SAFE`], or names the schema of each: a transaction script does that, which must be fast.

use tokio_postgres::SimpleQueryRow;

use crate::quote::literal;

/// Sets the safe search path until the end of the transaction.
pub const SAFE: &str = "SET LOCAL search_path = pg_catalog, pg_temp";

/// Keeps the search path of the session, and `values` as [`capture`] does, and sets the safe one.
#[must_use]
pub fn enter(values: &[(&str, &str)]) -> [String; 2] {
    let path = ("search_path", "pg_catalog.current_setting('search_path')");
    [capture(&[&[path], values].concat()), SAFE.to_owned()]
}

/// Sets the search path again that [`enter`] has kept.
pub const LEAVE: &str = "SELECT pg_catalog.set_config('search_path', \
    pg_catalog.current_setting('zerostarter_db.search_path'), true)";

/// Whether `row` is one of those that [`capture`] and [`LEAVE`] return, which a reader of rows skips.
#[must_use]
pub fn is_captured(row: &SimpleQueryRow) -> bool {
    row.columns()
        .first()
        .is_some_and(|column| column.name() == "set_config")
}

/// A statement that keeps values in settings of the transaction: what depends on the search path of the session, for a
/// statement that runs in the safe one. Each value is an expression without operators, of a type that casts to text.
#[must_use]
pub fn capture(values: &[(&str, &str)]) -> String {
    let kept: Vec<String> = values
        .iter()
        .map(|(name, value)| {
            format!(
                "pg_catalog.set_config('zerostarter_db.{name}', \
                 COALESCE(CAST({value} AS pg_catalog.text), ''), true)"
            )
        })
        .collect();
    format!("SELECT {}", kept.join(", "))
}

/// The OID of the relation `name` in the search path of the session, or NULL: a value for [`capture`].
#[must_use]
pub fn relation(name: &str) -> String {
    format!(
        "CAST(pg_catalog.to_regclass({}) AS pg_catalog.oid)",
        literal(name)
    )
}

/// An OID that [`capture`] has kept.
#[must_use]
pub fn captured_oid(name: &str) -> String {
    format!("CAST({} AS oid)", captured(name))
}

/// A value that [`capture`] has kept, as text; NULL if it was NULL. For statements in the safe search path.
#[must_use]
pub fn captured(name: &str) -> String {
    format!("NULLIF(pg_catalog.current_setting('zerostarter_db.{name}'), '')")
}
