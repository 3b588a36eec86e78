//! Any text as a migration file: no panic, and statements and pieces that cover it in order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zerostarter_migrate::sql::{Contents, Outline, Piece, line_and_column, split};

fuzz_target!(|sql: &str| {
    let Ok(statements) = split(sql) else { return };
    let mut end = 0;
    for statement in &statements {
        assert!(statement.span.start >= end && statement.span.end > statement.span.start);
        let between = split(&sql[end..statement.span.start]);
        assert!(between.is_ok_and(|statements| statements.is_empty()), "a statement that was passed over");
        let (line, column) = line_and_column(sql, statement.span.start);
        assert!(line >= 1 && column >= 1);
        // What follows may be the data of a COPY.
        end = statement.end;
    }
    Outline::of(sql, std::slice::from_ref(&(0..sql.len())));
    let contents = Contents::of(sql);
    let of_steps = contents.steps.into_iter().flat_map(|step| step.pieces);
    let mut sent = 0;
    for piece in contents.pieces.into_iter().chain(of_steps) {
        let (begin, end) = match piece {
            Piece::Statements { span, .. } => (span.start, span.end),
            Piece::Copy { statement, lines } => (statement.start, lines.end),
        };
        assert!(sent <= begin && begin < end && sql.is_char_boundary(end));
        sent = end;
    }
});
