//! For a browser: one page with everything in it, for a class or a single submission.
//!
//! It refers to nothing outside itself, so it can be mailed, printed, or put on any server. Its
//! tags are those of XML as well: what is left open or not escaped is an error that a test finds.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::terminal::harmless;
use super::{Column, columns, failed, group};
use crate::record::{CheckRecord, Record, Status};

static STYLE: &str = include_str!("page.css");

/// All records, those of each lab together.
pub fn text(records: &[Record]) -> String {
    let labs = group(records);
    let names: Vec<&str> = labs.iter().map(|(lab, _)| *lab).collect();
    let title = match records {
        [one] => format!("{}: {} of {}", one.lab, one.earned(), one.points()),
        _ => format!("{}: {} submissions", names.join(", "), records.len()),
    };
    let mut body = String::new();
    for (lab, records) in labs {
        match records[..] {
            [one] => submission(&mut body, "h1", one, true),
            _ => class(&mut body, lab, &records),
        }
    }
    page("en", &title, "", &body)
}

/// A whole page around its body, with what it needs in it; `style` is for this kind of page.
pub(super) fn page(language: &str, title: &str, style: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}{style}</style>\n</head>\n<body>\n{body}</body>\n\
         </html>\n",
        escaped(title)
    )
}

/// A lab's submissions: how they did, what fails most, a table, and each with what was seen.
fn class(page: &mut String, lab: &str, records: &[&Record]) {
    let full = records.iter().filter(|record| record.is_full()).count();
    let mut earned: Vec<u32> = records.iter().map(|record| record.earned()).collect();
    earned.sort_unstable();
    let _ = write!(
        page,
        "<main>\n<h1>{}</h1>\n<p><b>{}</b> submissions, <b>{full}</b> with all points, half of them \
         with <b>{}</b> or more</p>\n",
        escaped(lab),
        records.len(),
        earned[earned.len() / 2],
    );
    conditions(page, records);
    let columns = columns(records);
    fails_most(page, records, &columns);
    table(page, lab, records, &columns);
    for (index, record) in records.iter().enumerate() {
        let _ = writeln!(page, "<section id=\"{}\">", place(lab, index));
        submission(page, "h2", record, false);
        page.push_str("</section>\n");
    }
    page.push_str("</main>\n");
}

/// Under which a grade came about.
fn conditions(page: &mut String, records: &[&Record]) {
    let seeds: BTreeSet<String> = records.iter().map(|record| record.seed.to_string()).collect();
    let isolation: BTreeSet<String> =
        records.iter().filter_map(|record| Some(record.isolation.as_ref()?.to_string())).collect();
    let seeds = seeds.into_iter().collect::<Vec<_>>().join(", ");
    let _ = writeln!(page, "<p class=\"quiet\">seed {}</p>", escaped(&seeds));
    for line in isolation {
        let _ = writeln!(page, "<p class=\"quiet\">{}</p>", escaped(&line));
    }
}

fn fails_most(page: &mut String, records: &[&Record], columns: &[Column]) {
    let fails = |column: &Column| {
        let all = records.iter().flat_map(|record| &record.checks);
        all.filter(|check| check.id == column.id && failed(check.status)).count()
    };
    let scored = columns.iter().filter(|column| column.points > 0);
    let mut most: Vec<(usize, &Column)> = scored.map(|c| (fails(c), c)).collect();
    most.retain(|(count, _)| *count > 0);
    most.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let ungraded = records.iter().filter(|record| record.not_gradable.is_some()).count();
    if most.is_empty() && ungraded == 0 {
        return;
    }
    page.push_str("<h2>What fails most</h2>\n<table class=\"bars\">\n");
    let rows = most.iter().map(|(count, column)| (*count, column.title));
    for (count, title) in rows.chain([(ungraded, "can't be graded")]).filter(|row| row.0 > 0) {
        let share = count * 100 / records.len();
        let _ = writeln!(
            page,
            "<tr><td class=\"number\">{count}</td><td><div class=\"bar\" style=\"width:{share}%\">\
             </div>{}</td></tr>",
            escaped(title)
        );
    }
    page.push_str("</table>\n");
}

fn table(page: &mut String, lab: &str, records: &[&Record], columns: &[Column]) {
    page.push_str(
        "<h2>Submissions</h2>\n<div class=\"wide\">\n<table class=\"grid\">\n<thead><tr>",
    );
    page.push_str("<th scope=\"col\">submission</th><th scope=\"col\">points</th>");
    for column in columns {
        let (title, id) = (escaped(column.title), escaped(column.id));
        let _ = write!(page, "<th scope=\"col\" title=\"{title}\">{id}");
        if column.points > 0 {
            let _ = write!(page, "<br/><small>{}</small>", column.points);
        }
        page.push_str("</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for (index, record) in records.iter().enumerate() {
        let _ = write!(
            page,
            "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th><td class=\"number\">{}</td>",
            place(lab, index),
            escaped(&record.program),
            record.earned()
        );
        if let Some(why) = &record.not_gradable {
            let first = escaped(why.lines().next().unwrap_or_default());
            let span = columns.len().max(1);
            let _ = write!(page, "<td class=\"bad why\" colspan=\"{span}\">{first}</td>");
        } else {
            for column in columns {
                match record.checks.iter().find(|check| check.id == column.id) {
                    Some(check) => {
                        let (kind, word) = (kind(check), check.status.word());
                        let mark = mark(check.status);
                        let _ = write!(page, "<td class=\"{kind}\" title=\"{word}\">{mark}</td>");
                    }
                    None => page.push_str("<td></td>"),
                }
            }
        }
        page.push_str("</tr>\n");
    }
    page.push_str(
        "</tbody>\n</table>\n</div>\n<p class=\"quiet\">✓ holds · ✗ fails · – skipped, since a \
         check that it needs fails · ? can't be seen on this machine</p>\n",
    );
}

/// One submission with its checks; `open` is whether what fails is shown at once.
fn submission(page: &mut String, heading: &str, record: &Record, open: bool) {
    let (name, points) = (escaped(&record.program), record.points());
    let earned = match &record.not_gradable {
        Some(_) => "can't be graded".to_string(),
        None => format!("{} of {points} points", record.earned()),
    };
    let good = if record.is_full() { "good" } else { "bad" };
    let _ =
        writeln!(page, "<{heading}>{name} <small class=\"{good}\">{earned}</small></{heading}>");
    if open {
        let (lab, seconds) = (escaped(&record.lab), record.seconds);
        let _ = writeln!(page, "<p>lab {lab}, {seconds:.1} seconds</p>");
        conditions(page, &[record]);
    }
    if let Some(why) = &record.not_gradable {
        let _ = writeln!(page, "<pre>{}</pre>", escaped(why));
    }
    for check in &record.checks {
        let shown = if open && failed(check.status) { " open=\"open\"" } else { "" };
        let (kind, mark) = (kind(check), mark(check.status));
        let points = match check.points {
            0 => "not scored".to_string(),
            points => format!("{} of {points}", check.earned),
        };
        let _ = writeln!(
            page,
            "<details{shown}><summary><span class=\"mark {kind}\">{mark}</span> {} \
             <small>{points}{}</small></summary>",
            escaped(&check.title),
            match check.status {
                Status::Pass | Status::Fail => String::new(),
                status => format!(" · {}", status.word().to_lowercase()),
            }
        );
        words(page, check);
        page.push_str("</details>\n");
    }
}

/// What was expected and seen, what it is a sign of, and the command.
fn words(page: &mut String, check: &CheckRecord) {
    page.push_str("<dl>");
    let mut line = |name: &str, text: &str, class: &str| {
        let _ = write!(page, "<dt>{name}</dt><dd{class}>{}</dd>", escaped(text));
    };
    if let Some(expected) = &check.expected {
        line("expected", expected, "");
    }
    for seen in &check.evidence {
        line("saw", seen, "");
    }
    if let (Some(lesson), Status::Fail) = (&check.lesson, check.status) {
        line("lesson", lesson, "");
    }
    if let Some(did) = &check.did {
        line("again", did, " class=\"command\"");
    }
    page.push_str("</dl>");
}

/// Where on the page a submission is.
fn place(lab: &str, index: usize) -> String {
    let letters = lab.chars().filter(char::is_ascii_alphanumeric);
    letters.chain(['-']).collect::<String>() + &(index + 1).to_string()
}

/// The class that gives it its colour.
pub(super) fn kind(check: &CheckRecord) -> &'static str {
    match check.status {
        Status::Pass => "good",
        status if failed(status) && check.points > 0 => "bad",
        _ => "open",
    }
}

/// What says it without colour.
pub(super) fn mark(status: Status) -> &'static str {
    match status {
        Status::Pass => "✓",
        Status::Fail => "✗",
        Status::Skipped => "–",
        Status::Unverified => "?",
        status => status.word(),
    }
}

/// Text in which nothing is a tag, a reference, the end of an attribute, or a control character.
pub(super) fn escaped(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(harmless).collect();
    let mut clean = String::new();
    for c in lines.join("\n").chars() {
        match c {
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '&' => clean.push_str("&amp;"),
            '"' => clean.push_str("&quot;"),
            '\'' => clean.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => clean.push('\u{fffd}'),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node, ParsingOptions};

    use super::super::sample::{NASTY, broken, record};
    use super::*;

    /// A browser forgives what is not well-formed, this parser does not.
    fn parsed(page: &str) -> Document<'_> {
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        Document::parse_with_options(page, options).expect("well-formed")
    }

    fn of<'a>(document: &'a Document, tag: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
        document.descendants().filter(move |node| node.has_tag_name(tag))
    }

    fn words(node: Node) -> String {
        node.descendants().filter_map(|inner| inner.text().filter(|_| inner.is_text())).collect()
    }

    #[test]
    fn a_class_has_a_row_a_submission_and_a_column_a_check_and_every_row_leads_to_its_checks() {
        let records = [record("a b.py"), broken(NASTY), record("c.py")];
        let page = text(&records);
        let document = parsed(&page);
        let grid = of(&document, "table").find(|t| t.attribute("class") == Some("grid"));
        let rows = grid.expect("a table").descendants().filter(|n| n.has_tag_name("tr")).count();
        assert_eq!(rows, 1 + records.len());
        let columns = of(&document, "th").filter(|n| n.attribute("scope") == Some("col")).count();
        assert_eq!(columns, 2 + records[0].checks.len());
        let places: Vec<_> = of(&document, "section").filter_map(|n| n.attribute("id")).collect();
        for link in of(&document, "a").filter_map(|n| n.attribute("href")) {
            assert!(places.contains(&link.trim_start_matches('#')), "{link}");
        }
        assert_eq!(places.len(), records.len());
        assert_eq!(of(&document, "details").count(), 2 * records[0].checks.len());
    }

    #[test]
    fn text_of_a_program_is_text_and_nothing_comes_from_elsewhere() {
        for records in [vec![record(NASTY)], vec![record(NASTY), broken(NASTY)]] {
            let page = text(&records);
            let document = parsed(&page);
            let shown: Vec<_> = of(&document, "dd").map(words).collect();
            let first =
                NASTY.lines().next().map(harmless).expect("a line").replace('\u{fffe}', "\u{fffd}");
            assert!(shown.iter().any(|line| line.starts_with(&first)), "{first}\n{shown:?}");
            for tag in ["script", "b", "link", "img", "iframe"] {
                let ours = of(&document, tag).all(|n| words(n).chars().all(|c| c.is_ascii_digit()));
                assert!(ours, "{tag}");
            }
            for node in document.descendants() {
                for attribute in node.attributes() {
                    assert!(!attribute.name().starts_with("on") && attribute.name() != "src");
                    assert!(attribute.name() != "href" || attribute.value().starts_with('#'));
                }
            }
            for outside in ["url(", "@import", "http:", "https:"] {
                assert!(!page.contains(outside), "{outside}");
            }
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!page.contains(control) && !page.contains('\u{202e}'));
        }
    }
}
