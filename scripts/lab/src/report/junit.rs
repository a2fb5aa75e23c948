//! `JUnit` XML, as CI systems read it: a suite a submission, a case a check.

use std::fmt::Write as _;

use super::terminal::harmless;
use crate::record::{CheckRecord, Record, Status};

/// All records. Points are properties, since the format knows none.
pub fn text(records: &[Record]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for record in records {
        let failures = record.count(&[Status::Fail]);
        let skipped = record.count(&[Status::Skipped, Status::Unverified]);
        let nothing = usize::from(record.not_gradable.is_some());
        let passed = record.count(&[Status::Pass]);
        let errors = record.checks.len() - passed - failures - skipped + nothing;
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" \
             skipped=\"{skipped}\" time=\"{:.3}\">\n    <properties>\n      <property \
             name=\"earned\" value=\"{}\"/>\n      <property name=\"points\" value=\"{}\"/>\n      \
             <property name=\"seed\" value=\"{}\"/>\n    </properties>",
            escaped(&record.program),
            record.checks.len() + nothing,
            record.seconds,
            record.earned(),
            record.points(),
            record.seed,
        );
        if let Some(why) = &record.not_gradable {
            let _ = writeln!(
                xml,
                "    <testcase classname=\"{}\" name=\"it can be graded\" time=\"0\">\n      <error \
                 message=\"{}\"/>\n    </testcase>",
                escaped(&record.lab),
                escaped(why)
            );
        }
        for check in &record.checks {
            case(&mut xml, &record.lab, check);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn case(xml: &mut String, lab: &str, check: &CheckRecord) {
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        escaped(lab),
        escaped(&check.title),
        check.seconds
    );
    let element = match check.status {
        Status::Pass => {
            xml.push_str("/>\n");
            return;
        }
        Status::Skipped | Status::Unverified => "skipped",
        Status::Fail => "failure",
        _ => "error",
    };
    let message = check.evidence.join("; ");
    let text = check.words().join("\n");
    let _ = writeln!(
        xml,
        ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>",
        escaped(&message),
        escaped(&text)
    );
}

/// Text as XML 1.0 allows it: control characters are not, not even escaped.
fn escaped(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(harmless).collect();
    let mut clean = String::new();
    for c in lines.join("\n").chars() {
        match c {
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '&' => clean.push_str("&amp;"),
            '"' => clean.push_str("&quot;"),
            '\n' => clean.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => clean.push('\u{fffd}'),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::super::sample::{NASTY, broken, record};
    use super::*;

    #[test]
    fn nothing_that_xml_forbids_comes_through() {
        let text = escaped("<a b=\"c\">&\u{0}\u{1b}[1m\u{ffff}\n");
        assert_eq!(text, "&lt;a b=&quot;c&quot;&gt;&amp;\\u{0}\\u{1b}[1m\u{fffd}");
    }

    fn children<'a>(node: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
        node.children().filter(Node::is_element).collect()
    }

    /// Elements, attributes and counts as Jenkins, GitLab and the others read them: the schema that
    /// Maven and Ant have made usual.
    #[test]
    fn a_parser_finds_a_suite_a_submission_and_counts_that_are_right() {
        let records = [record("a.py"), broken(NASTY), record(NASTY)];
        let text = text(&records);
        let document = Document::parse(&text).expect("XML");
        assert!(document.root_element().has_tag_name("testsuites"));
        let suites = children(document.root_element());
        assert_eq!(suites.len(), records.len());
        for (suite, record) in suites.into_iter().zip(&records) {
            assert!(suite.has_tag_name("testsuite"));
            let number = |name| -> usize {
                suite.attribute(name).and_then(|n| n.parse().ok()).expect("a number")
            };
            assert!(suite.attribute("time").is_some_and(|time| time.parse::<f64>().is_ok()));
            let inside = children(suite);
            let (properties, cases) = inside.split_first().expect("properties");
            assert!(properties.has_tag_name("properties"));
            for property in children(*properties) {
                assert!(property.has_tag_name("property"));
                assert!(property.attribute("name").is_some() && property.has_attribute("value"));
            }
            let mut counts = [("failure", 0), ("error", 0), ("skipped", 0)];
            for case in cases {
                assert!(case.has_tag_name("testcase") && case.has_attribute("classname"));
                assert!(case.attribute("name").is_some_and(|name| !name.is_empty()));
                assert!(case.attribute("time").is_some_and(|time| time.parse::<f64>().is_ok()));
                let inside = children(*case);
                assert!(inside.len() <= 1);
                for node in inside {
                    let name = node.tag_name().name();
                    let count = counts.iter_mut().find(|(kind, _)| *kind == name);
                    count.expect("an element that is known").1 += 1;
                    assert!(node.has_attribute("message"));
                }
            }
            assert_eq!(cases.len(), number("tests"));
            let stated = [number("failures"), number("errors"), number("skipped")];
            assert_eq!(counts.map(|(_, count)| count), stated);
            assert_eq!(cases.len(), record.checks.len().max(1));
        }
    }
}
