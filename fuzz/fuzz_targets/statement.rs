//! Any text as a migration file: no panic, and statements that cover it in order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zerostarter_migrate::sql::{line_and_column, split};

fuzz_target!(|sql: &str| {
    let Ok(statements) = split(sql) else { return };
    let mut end = 0;
    for statement in &statements {
        assert!(statement.span.start >= end && statement.span.end > statement.span.start);
        let between = split(&sql[end..statement.span.start]);
        assert!(between.is_ok_and(|statements| statements.is_empty()), "a statement that was passed over");
        let (line, column) = line_and_column(sql, statement.span.start);
        assert!(line >= 1 && column >= 1);
        end = statement.span.end;
    }
});
