//! For a spreadsheet: a row a submission, a column a check (RFC 4180).

use crate::record::{Record, Status};

/// All records of one lab.
pub fn text(records: &[Record]) -> String {
    let mut rows = Vec::new();
    let checks = records.iter().map(|record| &record.checks).max_by_key(|checks| checks.len());
    let ids = checks.into_iter().flatten().map(|check| check.id.as_str());
    rows.push(
        ["program", "lab", "seed", "earned", "points", "problem"]
            .into_iter()
            .chain(ids)
            .map(field)
            .collect(),
    );
    for record in records {
        let problem = record.not_gradable.as_deref().unwrap_or_default();
        let mut row = vec![
            field(&record.program),
            field(&record.lab),
            record.seed.to_string(),
            record.earned().to_string(),
            record.points().to_string(),
            field(problem.lines().next().unwrap_or_default()),
        ];
        row.extend(record.checks.iter().map(|check| match check.status {
            Status::Pass if check.points > 0 => check.earned.to_string(),
            status => field(status.word()),
        }));
        rows.push(row);
    }
    rows.into_iter().map(|row: Vec<String>| row.join(",") + "\r\n").collect()
}

/// A field in quotes where it needs them. What a spreadsheet would take for a formula is not one.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_string() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_are_no_formulas() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
        assert_eq!(field("=1+1"), "'=1+1");
    }
}
