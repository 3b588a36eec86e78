use postgres_types::{Kind, Type};

use crate::client::Parameters;

/// The type that a domain stands on.
pub(crate) fn escape_domain(ty: &Type) -> &Type {
    if let Kind::Domain(inner) = ty.kind() { inner } else { ty }
}

/// Parameters stay a slice, which a query can be bound to twice.
pub(crate) fn slice_iter<'a>(params: &'a Parameters<'a>) -> &'a Parameters<'a> {
    params
}
