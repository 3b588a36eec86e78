//! Reads the tokens of a statement one after the other.

use super::statement::Statement;
use super::token::Token;

/// A position in the tokens of a statement.
pub(crate) struct TokenCursor<'s, 'a> {
    all: &'s [Token<'a>],
    taken: usize,
}

impl<'s, 'a> TokenCursor<'s, 'a> {
    pub(crate) fn new(statement: &'s Statement<'a>) -> Self {
        Self {
            all: &statement.tokens,
            taken: 0,
        }
    }

    /// Starts at token number `first`.
    pub(crate) fn from(statement: &'s Statement<'a>, first: usize) -> Self {
        Self {
            all: &statement.tokens,
            taken: first,
        }
    }

    /// Over some tokens of a statement.
    pub(crate) fn over(all: &'s [Token<'a>]) -> Self {
        Self { all, taken: 0 }
    }

    /// The tokens that are not taken yet.
    pub(crate) fn rest(&self) -> &'s [Token<'a>] {
        &self.all[self.taken.min(self.all.len())..]
    }

    pub(crate) fn next(&mut self) -> Option<Token<'a>> {
        let token = self.all.get(self.taken).copied();
        self.taken += usize::from(token.is_some());
        token
    }

    pub(crate) fn is_at(&self, keyword: &str) -> bool {
        self.all.get(self.taken).is_some_and(|token| token.is(keyword))
    }

    /// Skips `keyword` if it comes next.
    pub(crate) fn take(&mut self, keyword: &str) -> bool {
        let is_there = self.is_at(keyword);
        self.taken += usize::from(is_there);
        is_there
    }

    pub(crate) fn skip_parentheses(&mut self) {
        if self.all.get(self.taken).is_some_and(|token| token.text == "(") {
            let rest = &self.all[self.taken + 1..];
            let inside = rest
                .iter()
                .take_while(|token| token.text != ")" || token.depth > 1);
            self.taken += inside.count() + 2;
        }
    }

    /// A name with the schema in front of it, if there is one.
    pub(crate) fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            let part = self.all.get(self.taken).filter(|token| token.is_name())?;
            name.push_str(part.text);
            self.taken += 1;
            if self.all.get(self.taken).is_none_or(|token| token.text != ".") {
                return Some(name);
            }
            name.push('.');
            self.taken += 1;
        }
    }

    /// The names of a list: without `IF EXISTS` in front of it, and `ONLY` in front of each.
    pub(crate) fn names(&mut self) -> Vec<String> {
        if self.take("IF") {
            self.take("EXISTS");
        }
        let mut names = Vec::new();
        loop {
            self.take("ONLY");
            names.extend(self.name());
            if self.all.get(self.taken).is_none_or(|token| token.text != ",") {
                return names;
            }
            self.taken += 1;
        }
    }

    pub(crate) fn last_taken(&self) -> &'a str {
        self.all[self.taken - 1].text
    }

    /// Where the next token begins.
    pub(crate) fn offset(&self, statement: &Statement<'_>) -> usize {
        self.all
            .get(self.taken)
            .map_or(statement.span.end, |token| token.offset)
    }
}

/// The identifier that the server reads: a bare one in small letters, a quoted one without its quotes.
pub(crate) fn identifier_of(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_ascii_lowercase(),
    }
}
