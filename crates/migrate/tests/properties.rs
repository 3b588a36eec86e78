//! What holds for every migration file.

use proptest::prelude::*;
use zerostarter_migrate::sql::{Contents, line_and_column, split};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_text_makes_the_splitter_panic(sql in any::<String>()) {
        let _ = split(&sql);
        let _ = Contents::of(&sql);
    }

    /// Statements are in order, do not overlap, and leave nothing but white space, comments and semicolons.
    #[test]
    fn statements_cover_the_file(pieces in prop::collection::vec(prop_oneof![
        Just("SELECT 1"), Just(";"), Just(" "), Just("\n"), Just("-- c;\n"), Just("/* ; */"), Just("';'"), Just("\";\""),
        Just("$$ ; $$"), Just("$a$ ; $a$"), Just("("), Just(")"), Just("BEGIN ATOMIC"), Just("CREATE FUNCTION f()"), Just("END"), Just("CASE"),
        Just("E'\\''"), Just("é"),
    ], 0..24)) {
        let sql = pieces.join(" ");
        let Ok(statements) = split(&sql) else { return Ok(()) };
        let mut end = 0;
        for statement in &statements {
            prop_assert!(statement.span.start >= end && statement.span.end > statement.span.start);
            let between = &sql[end..statement.span.start];
            prop_assert!(split(between).unwrap().is_empty(), "{:?} in {:?}", between, sql);
            end = statement.span.end;
            let (line, column) = line_and_column(&sql, statement.span.start);
            let found = sql.lines().nth(line - 1).unwrap().chars().nth(column - 1);
            prop_assert_eq!(found, sql[statement.span.start..].chars().next());
        }
        prop_assert!(split(&sql[end..]).unwrap().is_empty());
    }

    #[test]
    fn statements_that_are_joined_come_apart_again(statements in prop::collection::vec(prop_oneof![
        Just("SELECT 1"), Just("INSERT INTO t VALUES (';')"), Just("DO $$ BEGIN; END; $$"), Just("CREATE TABLE \"a;b\" (c text DEFAULT E'\\';')"),
        Just("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END"),
        Just("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)"),
    ], 0..8), between in prop_oneof![Just(";"), Just(" ; "), Just(";\n"), Just("; -- x;\n"), Just(" /* ; */ ;;")]) {
        let sql = statements.join(between);
        let found: Vec<&str> = split(&sql).unwrap().into_iter().map(|statement| &sql[statement.span]).collect();
        prop_assert_eq!(found, statements);
    }
}
