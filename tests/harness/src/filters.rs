//! What differs from run to run, replaced by its name before a snapshot is compared.

use std::sync::LazyLock;

use regex::Regex;

/// From the special to the general. What a test wrote itself (a limit of `2s`, port 5432, `1/10`)
/// has to stay as it is, so every pattern asks for something that only a machine writes.
static FILTERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let version = regex::escape(env!("CARGO_PKG_VERSION"));
    [
        (
            format!(r#"(zerostarter-(?:db|api)[ /]v?|"version":\s*"){version}\b"#).as_str(),
            "${1}[version]",
        ),
        (
            r"(PostgreSQL) \d+(?:\.\d+|beta\d|rc\d)(?: \([^)]*\))?",
            "$1 [server]",
        ),
        (r"\btest_\d{4}_role\d+\b", "[role]"),
        (r"\btest_\d{4}\b", "[db]"),
        (
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?\b))?",
            "[time]",
        ),
        (r"\b[0-9A-F]{1,8}/[0-9A-F]{5,8}\b", "[lsn]"),
        (r"(pg_terminate_backend\()\d+", "${1}[pid]"),
        (r#"(?i)\b(pid(?:=|: ?|":\s*| ))\d+\b"#, "${1}[pid]"),
        (
            r"((?:127\.0\.0\.1|\[::1\]|localhost|host\.docker\.internal):)\d{5}\b",
            "${1}[port]",
        ),
        (r#"(?i)\b(port(?:=|: ?|":\s*| ))\d{5}\b"#, "${1}[port]"),
        (r#"\b((?:\w+_)?ms(?:=|":\s*))\d+(?:\.\d+)?\b"#, "${1}[ms]"),
        (r"\b\d+(?:\.\d+)? ?ms\b", "[ms]"),
        (r"\b\d+(?:\.\d+)? ?[µn]s\b|\b\d+\.\d+ ?s\b", "[duration]"),
    ]
    .map(|(pattern, replacement)| (Regex::new(pattern).expect("a filter"), replacement))
    .into()
});

pub(crate) fn apply(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, replacement) in FILTERS.iter() {
        text = pattern.replace_all(&text, *replacement).into_owned();
    }
    text
}
