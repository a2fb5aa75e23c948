//! For GitHub Actions: an annotation for each check that has not passed, and the step's summary.
//!
//! Workflow commands are lines on stdout, so a program's text must never be a line of its own here.
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>

use std::fmt::Write as _;

use super::terminal::harmless;
use crate::record::{Record, Status};

/// The annotations, a line each.
pub fn annotations(record: &Record) -> String {
    let mut lines = String::new();
    if let Some(why) = &record.not_gradable {
        let _ = writeln!(lines, "::error title=it can't be graded::{}", data(why));
    }
    let failed = record.checks.iter().filter(|check| {
        check.points > 0 && !matches!(check.status, Status::Pass | Status::Skipped)
    });
    for check in failed {
        let (title, words) = (property(&check.title), data(&check.words().join("\n")));
        let _ = writeln!(lines, "::error title={title}::{words}");
    }
    let (earned, points) = (record.earned(), record.points());
    let _ = writeln!(lines, "::notice title=points::{earned} of {points}");
    lines
}

/// What GitHub shows of a step's summary is at most 1 MiB, and nothing of a longer one.
const LONGEST: usize = 1_000_000;

/// The summary, as Markdown.
pub fn summary(records: &[Record]) -> String {
    let mut text = String::new();
    for (index, record) in records.iter().enumerate() {
        let section = section(record);
        if text.len() + section.len() > LONGEST {
            let _ = writeln!(text, "And {} more.", records.len() - index);
            break;
        }
        text.push_str(&section);
    }
    text
}

fn section(record: &Record) -> String {
    let mut text = String::new();
    let name = cell(&record.program);
    let _ = writeln!(text, "## {name}: {} of {}\n", record.earned(), record.points());
    if let Some(why) = &record.not_gradable {
        let _ = writeln!(text, "It can't be graded: {}\n", cell(why));
        return text;
    }
    text.push_str("| check | points | | seen |\n|---|---|---|---|\n");
    for check in &record.checks {
        let points = match check.points {
            0 => "-".to_string(),
            points => format!("{} of {points}", check.earned),
        };
        let (title, word) = (cell(&check.title), check.status.word());
        let seen = cell(&check.words().join("; "));
        let _ = writeln!(text, "| {title} | {points} | {word} | {seen} |");
    }
    text.push('\n');
    text
}

/// A command's text: with its newlines escaped it is one line, which begins with the command.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(harmless).collect();
    lines.join("\n").replace('%', "%25").replace('\n', "%0A")
}

/// A command's parameter, in which two more characters have a meaning.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A cell of a table, in which nothing is markup.
fn cell(text: &str) -> String {
    let mut clean = String::new();
    for c in text.lines().map(harmless).collect::<Vec<_>>().join(" ").chars().take(400) {
        match c {
            '&' => clean.push_str("&amp;"),
            '<' => clean.push_str("&lt;"),
            c if "\\`*_{}[]()#|!~@".contains(c) => clean.extend(['\\', c]),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::super::sample::{NASTY, broken, record};
    use super::*;

    #[test]
    fn no_text_becomes_a_command_or_markup() {
        assert_eq!(data("a\n::error::b 5%"), "a%0A::error::b 5%25");
        assert_eq!(data("a\r\nb\rc%0A"), "a%0Ab\\rc%250A");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
        assert_eq!(cell("<b>|x|\n@me"), "&lt;b>\\|x\\| \\@me");
    }

    #[test]
    fn a_line_a_command_and_a_row_a_check() {
        for record in [record(NASTY), broken(NASTY)] {
            let lines = annotations(&record);
            for line in lines.lines() {
                // As the runner reads it: a command, its parameters up to the next `::`, the text.
                let (command, text) = line
                    .strip_prefix("::")
                    .and_then(|rest| rest.split_once("::"))
                    .unwrap_or_else(|| panic!("no command: {line}"));
                let (kind, title) = command.split_once(" title=").expect("a title");
                assert!(kind == "error" || kind == "notice", "{line}");
                assert!(!title.contains([':', ',']) && !text.is_empty(), "{line}");
                let escapes = |text: &str| {
                    text.split('%').skip(1).all(|rest| {
                        ["25", "0A", "0D", "3A", "2C"].iter().any(|known| rest.starts_with(known))
                    })
                };
                assert!(escapes(title) && escapes(text), "{line}");
            }
            assert!(!lines.contains(['\r', '\u{1b}', '\u{202e}']));
            let rows: Vec<String> = summary(std::slice::from_ref(&record))
                .lines()
                .filter(|line| line.starts_with('|'))
                .map(|line| line.replace("\\|", ""))
                .collect();
            let heads = if record.checks.is_empty() { 0 } else { 2 };
            assert_eq!(rows.len(), heads + record.checks.len());
            assert!(rows.iter().all(|row| row.matches('|').count() == 5), "{rows:?}");
        }
    }

    #[test]
    fn a_summary_is_never_longer_than_what_is_shown() {
        let many: Vec<Record> = (0..2000).map(|_| record("a.py")).collect();
        let text = summary(&many);
        assert!(text.len() < 1 << 20, "{}", text.len());
        assert!(text.lines().last().is_some_and(|line| line.starts_with("And ")));
    }
}
