//! Statements that change a setting for the rest of the session.

use super::statement::Statement;

/// Whether `statement` is a `SET` or `RESET` that outlives its transaction, or a `SELECT set_config(…, false)`.
#[must_use]
pub fn is_session_setting(statement: &Statement<'_>) -> bool {
    if statement.begins_with(&["SET"]) {
        return !["LOCAL", "CONSTRAINTS", "TRANSACTION"]
            .iter()
            .any(|second| statement.begins_with(&["SET", second]));
    }
    statement.begins_with(&["RESET"]) || is_lasting_set_config(statement)
}

/// What `pg_dump` writes: `SELECT pg_catalog.set_config('search_path', '', false)`.
fn is_lasting_set_config(statement: &Statement<'_>) -> bool {
    let mut tokens = statement.tokens.iter().skip(1).peekable();
    if !statement.begins_with(&["SELECT"]) {
        return false;
    }
    if tokens.next_if(|token| token.is("pg_catalog")).is_some() {
        tokens.next();
    }
    let calls_it = tokens.next().is_some_and(|token| token.is("set_config"));
    let mut end = statement.tokens.iter().rev();
    calls_it
        && end.next().is_some_and(|token| token.text == ")")
        && end.next().is_some_and(|token| token.is("false"))
}

#[cfg(test)]
mod tests {
    use super::is_session_setting;
    use crate::sql::split;

    #[test]
    fn what_outlives_a_transaction() {
        for (sql, expected) in [
            ("SET a = 1", true),
            ("SET SESSION a = 1", true),
            ("set role r", true),
            ("RESET a", true),
            ("SELECT pg_catalog.set_config('search_path', '', false)", true),
            ("SELECT set_config('a', 'b', FALSE)", true),
            ("SET LOCAL a = 1", false),
            ("SET CONSTRAINTS ALL DEFERRED", false),
            ("SET TRANSACTION READ ONLY", false),
            ("SELECT set_config('a', 'b', true)", false),
            ("SELECT set_config_of('a', false)", false),
        ] {
            assert_eq!(is_session_setting(&split(sql).unwrap()[0]), expected, "{sql}");
        }
    }
}
