//! The contents of a migration file: what is sent of it, and what else a run has to know before that.

use std::ops::Range;

use super::locked_table::LockedTables;
use super::non_transactional::{NonTransactional, recognise};
use super::statement::{CopyData, Statement, statements};
use super::table_locks::add_locks;
use super::transaction_control::{begins_plainly, commits_plainly, transaction_control};
use super::transaction_modes::TransactionModes;

/// How long a piece becomes before the next statement begins a new one, in bytes. The server holds the parse trees of a
/// whole message in memory, and this process holds the message besides the file.
pub(crate) const PIECE_SIZE: usize = 1 << 20;

/// What a run has to know of a migration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// What is sent, in order.
    pub pieces: Vec<Piece>,
    /// How many statements it has, without those of [`wrapper`](Self::wrapper) and [`modes`](Self::modes).
    pub statements: usize,
    /// The statement that cannot run in a transaction block, if the file contains nothing else.
    pub non_transactional: Option<NonTransactional>,
    /// The only statement of the file, for the case that the server refuses it in a transaction block.
    pub only: Option<NonTransactional>,
    /// Whether its first line says that it must not run in a transaction block.
    pub declares_no_transaction: bool,
    /// The first and the last statement, if they are `BEGIN` and `COMMIT` and no other statement controls transactions: the
    /// migration runs in a transaction anyway, so they are not sent.
    pub wrapper: Option<[Range<usize>; 2]>,
    /// The modes of its transaction, which it sets before its first query. Those statements are not sent.
    pub modes: TransactionModes,
    /// The tables that its statements lock, as far as tokens show.
    pub locked_tables: LockedTables,
    /// Whether it may prepare statements, which outlive its transaction.
    pub may_prepare: bool,
    /// Whether it may change the search path of later sessions.
    pub may_set_search_path: bool,
}

/// A part of a file that is sent in one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Statements, with what stands between them.
    Statements {
        /// Their bytes in the file.
        span: Range<usize>,
        /// How many they are.
        count: usize,
    },
    /// A `COPY … FROM STDIN`.
    Copy {
        /// The bytes of the statement in the file, without the semicolon.
        statement: Range<usize>,
        /// The bytes of the data lines.
        lines: Range<usize>,
    },
}

impl Contents {
    /// The contents of the file with the text `sql`; of an unreadable text, what comes before that place.
    #[must_use]
    pub fn of(sql: &str) -> Self {
        let wrapper = find_wrapper(sql);
        let mut contents = Self {
            modes: TransactionModes::of(sql, wrapper.as_ref().map(<[_; 2]>::as_slice)),
            wrapper,
            may_prepare: contains(sql, "prepare"),
            may_set_search_path: contains(sql, "search_path"),
            declares_no_transaction: declares_no_transaction(sql),
            ..Self::default()
        };
        let (mut first, mut only) = (None, None);
        for statement in statements(sql).map_while(Result::ok) {
            if contents.is_left_out(&statement) {
                continue;
            }
            if contents.statements == 0 {
                first = recognise(sql, &statement).and_then(Result::ok);
                only = Some(NonTransactional::unknown(&statement));
            }
            contents.statements += 1;
            add_locks(&mut contents.locked_tables, &statement);
            contents.add(&statement, sql);
        }
        if contents.statements == 1 && contents.is_sent_whole() {
            let declared = only.clone().filter(|_| contents.declares_no_transaction);
            contents.non_transactional = first.or(declared);
            contents.only = only;
        }
        contents
    }

    /// Whether `statement` is one of [`Self::wrapper`] or [`Self::modes`], which are not sent.
    #[must_use]
    pub fn is_left_out(&self, statement: &Statement<'_>) -> bool {
        let mut spans = self.wrapper.iter().flatten().chain(&self.modes.spans);
        spans.any(|span| *span == statement.span)
    }

    /// Whether its statement is sent as it is: the rows of a COPY need a message of their own.
    fn is_sent_whole(&self) -> bool {
        matches!(self.pieces[..], [Piece::Statements { .. }])
    }

    /// How many bytes are sent.
    #[must_use]
    pub fn size(&self) -> usize {
        let sizes = self.pieces.iter().map(|piece| match piece {
            Piece::Statements { span, .. } => span.len(),
            Piece::Copy { statement, lines } => statement.len() + lines.len(),
        });
        sizes.sum()
    }

    /// How many bytes the largest message has.
    #[must_use]
    pub fn largest_piece(&self) -> usize {
        let sizes = self.pieces.iter().map(|piece| match piece {
            Piece::Statements { span, .. } => span.len(),
            Piece::Copy { statement, .. } => statement.len(),
        });
        sizes.max().unwrap_or_default()
    }

    fn add(&mut self, statement: &Statement<'_>, sql: &str) {
        if let Some(CopyData { lines, .. }) = &statement.data {
            self.pieces.push(Piece::Copy {
                statement: statement.span.clone(),
                lines: lines.clone(),
            });
            return;
        }
        // The file's own semicolons are sent, so that the server finds an incomplete statement where it ends.
        let end = statement.end.min(sql.trim_end().len()).max(statement.span.end);
        if let Some(Piece::Statements { span, count }) = self.pieces.last_mut()
            && span.len() + statement.span.len() <= PIECE_SIZE
            && is_sendable(&sql[span.end..statement.span.start])
            && !self
                .modes
                .spans
                .iter()
                .any(|mode| (span.end..statement.span.start).contains(&mode.start))
        {
            span.end = end;
            *count += 1;
        } else {
            self.pieces.push(Piece::Statements {
                span: statement.span.start..end,
                count: 1,
            });
        }
    }
}

/// Whether the text between two statements has no line for psql.
fn is_sendable(between: &str) -> bool {
    !between.lines().any(|line| line.starts_with('\\'))
}

fn find_wrapper(sql: &str) -> Option<[Range<usize>; 2]> {
    let mut all = statements(sql).map_while(Result::ok).peekable();
    let first = all.next().filter(begins_plainly)?.span;
    while let Some(statement) = all.next() {
        if all.peek().is_none() {
            return commits_plainly(&statement).then_some([first, statement.span]);
        }
        if transaction_control(&statement).is_some() {
            return None;
        }
    }
    None
}

/// Whether the first line is a comment that says so: in our words, in sqlx's or in dbmate's.
fn declares_no_transaction(sql: &str) -> bool {
    let Some(comment) = sql.lines().next().and_then(|line| line.trim().strip_prefix("--")) else {
        return false;
    };
    let words: Vec<&str> = comment.split_whitespace().collect();
    match words[..] {
        ["no-transaction", ..] | ["zerostarter-db:", "no-transaction", ..] => true,
        ["migrate:up", ..] => words.contains(&"transaction:false"),
        _ => false,
    }
}

/// Whether `sql` contains `word`, in whatever capitals, also in strings.
fn contains(sql: &str, word: &str) -> bool {
    sql.as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{Contents, PIECE_SIZE, Piece};

    fn sent(sql: &str) -> Vec<String> {
        let pieces = Contents::of(sql).pieces.into_iter();
        let text = |piece| match piece {
            Piece::Statements { span, count } => format!("{count}: {}", &sql[span]),
            Piece::Copy { statement, lines } => format!("{} < {}", &sql[statement], &sql[lines]),
        };
        pieces.map(text).collect()
    }

    #[test]
    fn statements_are_sent_as_they_stand() {
        assert_eq!(
            sent("-- why\nSELECT 1; -- one\nSELECT 2\n"),
            ["2: SELECT 1; -- one\nSELECT 2"]
        );
        assert_eq!(sent("SELECT 1;"), ["1: SELECT 1;"]);
        assert!(sent("-- nothing").is_empty());
        // The server takes this space for a letter.
        assert_eq!(sent("SELECT a\u{a0}\n"), ["1: SELECT a\u{a0}"]);
    }

    #[test]
    fn a_transaction_around_the_file_is_not_sent() {
        for (begin, commit) in [
            ("BEGIN", "COMMIT"),
            ("start transaction", "end"),
            ("begin work", "commit transaction"),
        ] {
            let sql = format!("/* a */ {begin}; SELECT 1;\nSELECT 2; {commit}; -- done");
            assert_eq!(sent(&sql), ["2: SELECT 1;\nSELECT 2;"], "{sql}");
        }
        for sql in [
            "BEGIN; SELECT 1",
            "SELECT 1; COMMIT",
            "BEGIN; COMMIT; BEGIN; COMMIT",
            "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT",
            "BEGIN; SELECT 1; COMMIT AND CHAIN",
            "BEGIN; SELECT 1; ROLLBACK",
            "BEGIN; SELECT 1; COMMIT PREPARED 'a'",
            "SELECT 1; BEGIN; SELECT 1; COMMIT",
        ] {
            assert_eq!(Contents::of(sql).wrapper, None, "{sql}");
        }
    }

    #[test]
    fn rows_and_long_files_are_sent_in_pieces() {
        let dump = "\\restrict a\nSET x = 1;\nCOPY t FROM stdin;\n1\n\\.\nSELECT 1;\n\\unrestrict a\n";
        assert_eq!(
            sent(dump),
            ["1: SET x = 1;", "COPY t FROM stdin < 1\n", "1: SELECT 1;"]
        );
        let long = format!("SELECT '{}';\n", "x".repeat(PIECE_SIZE / 4)).repeat(9);
        let counts = Contents::of(&long).pieces.into_iter().map(|piece| match piece {
            Piece::Statements { span, count } => {
                assert!(span.len() <= PIECE_SIZE);
                count
            }
            Piece::Copy { .. } => 0,
        });
        assert_eq!(counts.collect::<Vec<_>>(), [3, 3, 3]);
    }
}
