//! The contents of a migration file: what is sent of it, and what else a run has to know before that.

use std::ops::Range;

use super::locked_table::LockedTables;
use super::non_transactional::NonTransactional;
use super::piece::Piece;
use super::recognition::recognise;
use super::session_setting::is_session_setting;
use super::statement::{Statement, statements_in};
use super::step::Step;
use super::transaction_flow::{Flow, Misplaced, TransactionFlow};
use super::transaction_modes::TransactionModes;

/// What a run has to know of a migration file.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts about a file, each independent of the others"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// What is sent, in order, if it is one transaction or one statement.
    pub pieces: Vec<Piece>,
    /// The steps, if it is more than one transaction or one statement.
    pub steps: Vec<Step>,
    /// How many statements it has, without those that control transactions or set their [modes](Self::modes).
    pub statements: usize,
    /// The statement that cannot run in a transaction block, if there are no steps.
    pub non_transactional: Option<NonTransactional>,
    /// The only statement of the file, for the case that the server refuses it in a transaction block.
    pub only: Option<NonTransactional>,
    /// The `SET` and `RESET` statements, in order, that outlive a transaction.
    pub settings: Vec<Range<usize>>,
    /// Whether its first line says that it must not run in a transaction block.
    pub declares_no_transaction: bool,
    /// `BEGIN` and `COMMIT`: they are not sent.
    pub redundant: Vec<Range<usize>>,
    /// What controls transactions in a way that cannot be applied.
    pub misplaced: Vec<Misplaced>,
    /// The modes of its first transaction, which it sets before its first query. Those statements are not sent.
    pub modes: TransactionModes,
    /// The tables that its statements lock, as far as tokens show, if there are no steps.
    pub locked_tables: LockedTables,
    /// Whether it only creates, alters and drops.
    pub is_ddl: bool,
    /// Whether it may prepare statements, which outlive its transaction.
    pub may_prepare: bool,
    /// Whether it may change the search path of later sessions.
    pub may_set_search_path: bool,
}

impl Contents {
    /// The contents of the file with the text `sql`; of an unreadable text, what comes before that place.
    #[must_use]
    pub fn of(sql: &str) -> Self {
        Self::of_parts(sql, std::slice::from_ref(&(0..sql.len())))
    }

    /// The contents of a file whose `parts` are lexed each by itself, and are sent each by itself after a `COMMIT`. Of a file
    /// with one part, every statement is sent by itself there.
    #[must_use]
    pub fn of_parts(sql: &str, parts: &[Range<usize>]) -> Self {
        let declares_no_transaction = declares_no_transaction(sql);
        let mut splitter = Splitter {
            sql,
            has_parts: parts.len() > 1,
            flow: TransactionFlow::new(!declares_no_transaction),
            steps: Vec::new(),
            is_closed: true,
            is_interrupted: false,
            contents: Self {
                modes: TransactionModes::of(sql),
                may_prepare: contains(sql, "prepare"),
                may_set_search_path: contains(sql, "search_path"),
                declares_no_transaction,
                is_ddl: true,
                ..Self::default()
            },
        };
        'parts: for part in parts {
            splitter.begin_part();
            for statement in statements_in(sql, part.clone()) {
                let Ok(statement) = statement else { break 'parts };
                splitter.add(&statement);
            }
        }
        splitter.finish()
    }

    /// Whether it is one transaction, or one statement.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }

    /// Everything that is sent, in order.
    fn all_pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces
            .iter()
            .chain(self.steps.iter().flat_map(|step| &step.pieces))
    }

    /// How many bytes are sent.
    #[must_use]
    pub fn size(&self) -> usize {
        self.all_pieces().map(Piece::size).sum()
    }

    /// How many bytes the largest message has.
    #[must_use]
    pub fn largest_piece(&self) -> usize {
        self.all_pieces()
            .map(Piece::message_size)
            .max()
            .unwrap_or_default()
    }

    /// The statements that cannot run in a transaction block, as far as tokens show, or may not have to.
    pub(crate) fn without_transaction(&self) -> impl Iterator<Item = &NonTransactional> {
        let of_steps = self
            .steps
            .iter()
            .filter_map(|step| step.non_transactional.as_ref());
        self.non_transactional.iter().chain(of_steps)
    }
}

/// Splits a file into steps, statement by statement.
struct Splitter<'s> {
    sql: &'s str,
    has_parts: bool,
    flow: TransactionFlow,
    steps: Vec<Step>,
    /// Whether the next statement begins a step.
    is_closed: bool,
    /// Whether something that must not be sent precedes the next statement.
    is_interrupted: bool,
    contents: Contents,
}

impl Splitter<'_> {
    fn begin_part(&mut self) {
        self.is_interrupted = true;
        self.is_closed |= !self.flow.is_open();
    }

    fn add(&mut self, statement: &Statement<'_>) {
        match self.flow.next(statement) {
            Flow::Inside => {}
            flow => {
                self.contents.redundant.push(statement.span.clone());
                self.is_interrupted = true;
                self.is_closed |= flow == Flow::Boundary || !self.flow.is_open();
                return;
            }
        }
        if self.contents.modes.spans.contains(&statement.span) {
            self.is_interrupted = true;
            return;
        }
        let is_setting = is_session_setting(statement);
        let non_transactional = recognise(self.sql, statement).and_then(Result::ok);
        let is_alone = non_transactional.is_some() || !(self.flow.is_open() || self.has_parts);
        if is_alone || self.is_closed {
            self.steps.push(Step::after(self.contents.settings.len()));
        }
        self.contents.statements += 1;
        let ddl = ["CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE"];
        let is_ddl = ddl.iter().any(|word| statement.begins_with(&[word])) && !statement.has("AS");
        self.contents.is_ddl &= is_ddl || is_setting;
        if let Some(step) = self.steps.last_mut() {
            step.add(statement, self.sql, !self.is_interrupted, is_setting);
            let is_first = step.statements == 1;
            step.only = (is_first && !self.flow.is_open() && step.is_sent_whole())
                .then(|| NonTransactional::unknown(statement));
            step.non_transactional = non_transactional;
        }
        if is_setting {
            self.contents.settings.push(statement.span.clone());
        }
        self.is_closed = is_alone;
        self.is_interrupted = false;
        if self.contents.statements == 1 {
            self.contents.only = Some(NonTransactional::unknown(statement));
        }
    }

    fn finish(self) -> Contents {
        let Self {
            flow,
            mut steps,
            mut contents,
            ..
        } = self;
        contents.misplaced = flow.finish();
        if steps.iter().any(Step::has_work) {
            steps.retain(Step::has_work);
        } else {
            steps.truncate(1);
        }
        let is_whole = steps.len() <= 1 && steps.iter().all(|step| step.settings == 0);
        if !is_whole {
            contents.only = None;
            contents.steps = steps;
            return contents;
        }
        let step = steps.pop().unwrap_or_default();
        let is_only = contents.statements == 1 && step.is_sent_whole();
        contents.only = contents.only.filter(|_| is_only);
        let declared = contents.only.clone().filter(|_| contents.declares_no_transaction);
        contents.non_transactional = step.non_transactional.filter(|_| is_only).or(declared);
        contents.locked_tables = step.locked_tables;
        contents.pieces = step.pieces;
        contents
    }
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
    use super::Contents;
    use crate::sql::piece::{PIECE_SIZE, Piece};
    use crate::sql::step::Step;

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
        assert_eq!(sent("SELECT 1; COMMIT"), ["1: SELECT 1;"]);
    }

    /// The steps of `sql`: `!` for a statement that cannot run in a transaction block, `?` for one that may not have to.
    fn steps(contents: &Contents, sql: &str) -> Vec<String> {
        let step = |step: &Step| {
            let pieces = step.pieces.iter().map(|piece| match piece {
                Piece::Statements { span, .. } => &sql[span.clone()],
                Piece::Copy { statement, .. } => &sql[statement.clone()],
            });
            let mark = match (&step.non_transactional, &step.only) {
                (Some(_), _) => "!",
                (None, Some(_)) => "?",
                (None, None) => "",
            };
            let settings = "+".repeat(step.settings);
            format!("{settings}{mark}{}", pieces.collect::<Vec<_>>().join(" | "))
        };
        contents.steps.iter().map(step).collect()
    }

    #[test]
    fn a_file_is_split_where_its_transaction_ends() {
        for (sql, expected) in [
            (
                "SELECT 1; VACUUM; SELECT 2;",
                &["SELECT 1;", "!VACUUM;", "SELECT 2;"][..],
            ),
            ("SET a = 1; VACUUM", &["+!VACUUM"]),
            (
                "SET a = 1; SELECT 1; VACUUM; SELECT 2",
                &["SET a = 1; SELECT 1;", "+!VACUUM;", "+SELECT 2"],
            ),
            (
                "SELECT 1; COMMIT; SELECT 2; CALL p(); BEGIN; SELECT 3; SELECT 4",
                &["SELECT 1;", "?SELECT 2;", "?CALL p();", "SELECT 3; SELECT 4"],
            ),
            (
                "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;",
                &["SELECT 1;", "SELECT 2;"],
            ),
            (
                "-- no-transaction\nSELECT 1; SELECT 2",
                &["?SELECT 1;", "?SELECT 2"],
            ),
            (
                "SELECT 1; COMMIT; SET a = 1; SELECT 2",
                &["SELECT 1;", "+?SELECT 2"],
            ),
        ] {
            assert_eq!(steps(&Contents::of(sql), sql), expected, "{sql}");
        }
        for sql in [
            "SELECT 1; SELECT 2; COMMIT",
            "COMMIT; SELECT 1; BEGIN",
            "VACUUM",
            "SET a = 1",
        ] {
            assert!(Contents::of(sql).is_whole(), "{sql}");
        }
    }

    #[test]
    fn parts_are_sent_each_by_itself_after_a_commit() {
        let sql = "SELECT 1\n--> SELECT 2; SELECT 3\n--> COMMIT\n--> SET LOCAL a = 1; SELECT 4\n--> SELECT 5; VACUUM; SELECT 6";
        let mut start = 0;
        let mut parts = Vec::new();
        for part in sql.split("-->") {
            parts.push(start..start + part.len());
            start += part.len() + 3;
        }
        assert_eq!(
            steps(&Contents::of_parts(sql, &parts), sql),
            [
                "SELECT 1 | SELECT 2; SELECT 3",
                "SET LOCAL a = 1; SELECT 4",
                "?SELECT 5;",
                "!VACUUM;",
                "?SELECT 6"
            ]
        );
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
