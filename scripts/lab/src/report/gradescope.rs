//! Gradescope's `results.json`: <https://gradescope-autograders.readthedocs.io/en/latest/specs/>.

use serde_json::{Value, json};

use super::terminal::harmless;
use crate::record::{Record, Status};

/// Characters of one test's output: what a student reads, not what a program wrote.
const LONGEST: usize = 2_000;

/// The beginning of a text, and that there was more.
fn cut(text: &str) -> String {
    const MORE: &str = "\n(and more)";
    if text.chars().count() <= LONGEST {
        return text.into();
    }
    text.chars().take(LONGEST - MORE.len()).chain(MORE.chars()).collect()
}

/// The result of one submission. All text is plain text.
pub fn text(record: &Record) -> String {
    let tests: Vec<Value> = record
        .checks
        .iter()
        .enumerate()
        .map(|(index, check)| {
            let words: Vec<_> = check.words().iter().map(|line| harmless(line)).collect();
            let mut test = json!({
                "number": (index + 1).to_string(),
                "name": harmless(&check.title),
                "status": if check.status == Status::Pass { "passed" } else { "failed" },
                "output": cut(&words.join("\n")),
                "output_format": "text",
                "name_format": "text",
                "visibility": "visible",
            });
            if check.points > 0 {
                test["score"] = check.earned.into();
                test["max_score"] = check.points.into();
            }
            test
        })
        .collect();
    let said = match &record.not_gradable {
        Some(why) => cut(&why.lines().map(harmless).collect::<Vec<_>>().join("\n")),
        None if record.count(&[Status::GraderError]) > 0 => {
            "The grader failed, not this submission: these points are no grade.".into()
        }
        None => format!("the same inputs again: --seed {}", record.seed),
    };
    let result = json!({
        "score": record.earned(),
        "execution_time": record.seconds.ceil(),
        "output": said,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    });
    format!("{result:#}\n")
}

#[cfg(test)]
mod tests {
    use super::super::sample::{NASTY, broken, record};
    use super::*;

    /// A kind of value, as the specification has them.
    fn is(value: &Value, kind: &str) -> bool {
        match kind {
            "number" => value.as_f64().is_some_and(|number| number.is_finite() && number >= 0.0),
            "string" => value.as_str().is_some_and(|text| {
                text.chars().all(|c| c == '\n' || !c.is_control()) && text.len() < 10_000
            }),
            "status" => value == "passed" || value == "failed",
            "visibility" => ["hidden", "after_due_date", "after_published", "visible"]
                .iter()
                .any(|known| value == known),
            "format" => {
                ["text", "html", "simple_format", "md", "ansi"].iter().any(|known| value == known)
            }
            "tests" => value.is_array(),
            _ => false,
        }
    }

    /// Every field is one of the specification's, and of its type.
    fn valid(value: &Value, fields: &[(&str, &str)]) {
        for (name, value) in value.as_object().expect("an object") {
            let kind = fields.iter().find(|(known, _)| known == name);
            let (_, kind) = kind.unwrap_or_else(|| panic!("no such field: {name}"));
            assert!(is(value, kind), "{name}: {value} is no {kind}");
        }
    }

    #[test]
    fn the_result_is_as_the_specification_says() {
        let top = [
            ("score", "number"),
            ("execution_time", "number"),
            ("output", "string"),
            ("output_format", "format"),
            ("visibility", "visibility"),
            ("stdout_visibility", "visibility"),
            ("tests", "tests"),
        ];
        let test = [
            ("score", "number"),
            ("max_score", "number"),
            ("status", "status"),
            ("name", "string"),
            ("name_format", "format"),
            ("number", "string"),
            ("output", "string"),
            ("output_format", "format"),
            ("visibility", "visibility"),
        ];
        for record in [record("a.py"), broken(NASTY)] {
            let written = text(&record);
            assert!(written.len() < 500_000 && !written.contains('\r'));
            let result: Value = serde_json::from_str(&written).expect("JSON");
            valid(&result, &top);
            // Without one there would have to be a score in every test.
            assert_eq!(result["score"], record.earned());
            let tests = result["tests"].as_array().expect("tests");
            assert_eq!(tests.len(), record.checks.len());
            for (one, check) in tests.iter().zip(&record.checks) {
                valid(one, &test);
                assert_eq!(one["status"] == "passed", check.status == Status::Pass);
                assert_eq!(one.get("max_score").is_some(), check.points > 0);
                // One that were hidden would hide the total, too.
                assert_eq!(one["visibility"], "visible");
            }
            // Only for teachers.
            assert_eq!(result["stdout_visibility"], "hidden");
        }
    }
}
