//! A migration of another tool.

/// A migration of another tool, ready to be written as a V file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What the tool's table has for it.
    pub(crate) key: String,
    /// Its file, as messages name it.
    pub(crate) path: String,
    /// The name of the V file after the version.
    pub(crate) name: String,
    /// The part that applies it.
    pub(crate) sql: String,
    /// The checksum that the tool's table has for it.
    pub(crate) checksum: Option<String>,
}

/// `text` as a name of refinery, which has letters, digits and underscores.
pub(crate) fn name_of(text: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = text
        .chars()
        .map(|c| if is_allowed(c) { c } else { '_' })
        .collect();
    if name.is_empty() {
        "migration".to_owned()
    } else {
        name
    }
}
