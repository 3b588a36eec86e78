//! Where drizzle-kit splits the text of a migration.

use std::ops::Range;

/// The text that separates the parts of a migration, wherever it stands.
const BREAKPOINT: &str = "--> statement-breakpoint";

/// The parts of the text `sql` of a migration: what stands between two breakpoints.
pub(super) fn parts(sql: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (found, _) in sql.match_indices(BREAKPOINT) {
        parts.push(start..found);
        start = found + BREAKPOINT.len();
    }
    parts.push(start..sql.len());
    parts
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_file_is_split_at_every_breakpoint() {
        let sql = "SELECT 1;--> statement-breakpoint\nSELECT 2;\n--> statement-breakpoint";
        let texts: Vec<&str> = parts(sql).into_iter().map(|part| &sql[part]).collect();
        assert_eq!(texts, ["SELECT 1;", "\nSELECT 2;\n", ""]);
    }
}
