//! Gradescope's `results.json`: <https://gradescope-autograders.readthedocs.io/en/latest/specs/>.

use serde_json::{Value, json};

use super::terminal::harmless;
use crate::record::{Record, Status};

/// Characters of one test's output: what a student reads, not what a program wrote.
const LONGEST: usize = 2_000;

/// The result of one submission. All text is plain text.
pub fn text(record: &Record) -> String {
    let tests: Vec<Value> = record
        .checks
        .iter()
        .enumerate()
        .map(|(index, check)| {
            let words: Vec<_> = check.words().iter().map(|line| harmless(line)).collect();
            let output: String = words.join("\n").chars().take(LONGEST).collect();
            let mut test = json!({
                "number": (index + 1).to_string(),
                "name": check.title,
                "status": if check.status == Status::Pass { "passed" } else { "failed" },
                "output": output,
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
        Some(why) => why.lines().map(harmless).collect::<Vec<_>>().join("\n"),
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
