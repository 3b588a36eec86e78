//! Short excerpts of texts that may be megabytes long: lines of files, and what a server says about them.

use crate::escape::escaped;

/// How many characters of a line are shown.
const SHOWN: usize = 120;

/// How many of them are the end of the line.
const SHOWN_AT_THE_END: usize = 40;

/// How many lines are shown.
const SHOWN_LINES: usize = 10;

/// `text` with 120 characters a line, and ten lines. An ellipsis stands for the middle of a longer line.
#[must_use]
pub fn shortened(text: &str) -> String {
    let mut lines = text.split('\n');
    let shown: Vec<String> = lines.by_ref().take(SHOWN_LINES).map(shortened_line).collect();
    let mut shown = shown.join("\n");
    if lines.next().is_some() {
        shown.push('…');
    }
    shown
}

fn shortened_line(line: &str) -> String {
    if starts_at(line, SHOWN) == line.len() {
        return line.to_owned();
    }
    let begin = &line[..starts_at(line, SHOWN - SHOWN_AT_THE_END)];
    let end = line.char_indices().rev().nth(SHOWN_AT_THE_END - 1);
    format!("{begin}…{}", &line[end.map_or(0, |(offset, _)| offset)..])
}

/// The offset of the character `index` of `text`, or of its end.
fn starts_at(text: &str, index: usize) -> usize {
    text.char_indices()
        .nth(index)
        .map_or(text.len(), |(offset, _)| offset)
}

/// The 120 characters of `line` around the one with the number `at`, counted from 0, and what stands before that one.
#[must_use]
pub fn window(line: &str, at: usize) -> (String, String) {
    let length = line.chars().count();
    let begin = at.saturating_sub(SHOWN / 2).min(length.saturating_sub(SHOWN));
    let part = |from: usize, to: usize| escaped(&line[starts_at(line, from)..starts_at(line, to)]);
    let ellipsis = |is_cut: bool| if is_cut { "…" } else { "" };
    let before = format!("{}{}", ellipsis(begin > 0), part(begin, at));
    let after = part(at.min(length), begin + SHOWN);
    let text = format!("{before}{after}{}", ellipsis(begin + SHOWN < length));
    (text, before)
}

#[cfg(test)]
mod tests {
    use super::{shortened, window};

    #[test]
    fn a_short_text_stays_as_it_is() {
        let text = "a\nb\n".to_owned() + &"ü".repeat(120);
        assert_eq!(shortened(&text), text);
        assert_eq!(window("abc", 1), ("abc".to_owned(), "a".to_owned()));
        assert_eq!(window("", 0), (String::new(), String::new()));
        assert_eq!(window("abc", 3), ("abc".to_owned(), "abc".to_owned()));
    }

    #[test]
    fn a_long_line_keeps_its_ends_and_a_long_text_its_first_lines() {
        let long = format!("begin{}end", "ü".repeat(1_000_000));
        let line = shortened(&long);
        assert_eq!(line.chars().count(), 121);
        assert!(line.starts_with("beginü") && line.ends_with("üend") && line.contains("ü…ü"));
        assert_eq!(shortened(&"a\n".repeat(100)), "a\n".repeat(9) + "a…");
    }

    #[test]
    fn a_window_is_around_its_character() {
        let line = "ä".repeat(1_000) + "x" + &"ö".repeat(1_000);
        let (text, before) = window(&line, 1_000);
        assert_eq!(text, format!("…{}x{}…", "ä".repeat(60), "ö".repeat(59)));
        assert_eq!(before, format!("…{}", "ä".repeat(60)));
        assert_eq!(window(&line, 0).0, format!("{}…", "ä".repeat(120)));
        assert_eq!(window(&line, 2_001).0, format!("…{}", "ö".repeat(120)));
    }

    #[test]
    fn what_is_not_printable_is_escaped_in_a_window() {
        let (text, before) = window("a\u{202e}b\rc", 4);
        assert_eq!(
            (text.as_str(), before.as_str()),
            ("a\\u{202e}b\\rc", "a\\u{202e}b\\r")
        );
    }
}
