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
    use super::*;

    #[test]
    fn nothing_that_xml_forbids_comes_through() {
        let text = escaped("<a b=\"c\">&\u{0}\u{1b}[1m\u{ffff}\n");
        assert_eq!(text, "&lt;a b=&quot;c&quot;&gt;&amp;\\u{0}\\u{1b}[1m\u{fffd}");
    }
}
