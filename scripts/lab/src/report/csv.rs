//! For a spreadsheet: a row a submission, a column a check (RFC 4180).

use super::columns;
use super::terminal::harmless;
use crate::record::{Record, Status};

/// All records; a check that one does not have is an empty field.
pub fn text(records: &[Record]) -> String {
    let columns = columns(&records.iter().collect::<Vec<_>>());
    let names = ["program", "lab", "seed", "earned", "points", "problem"].into_iter();
    let mut rows: Vec<Vec<String>> =
        vec![names.chain(columns.iter().map(|column| column.id)).map(field).collect()];
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
        for column in &columns {
            let check = record.checks.iter().find(|check| check.id == column.id);
            row.push(check.map_or(String::new(), |check| match check.status {
                Status::Pass if check.points > 0 => check.earned.to_string(),
                status => field(status.word()),
            }));
        }
        rows.push(row);
    }
    rows.into_iter().map(|row| row.join(",") + "\r\n").collect()
}

/// A field in quotes where it needs them, on one line. What a spreadsheet would take for a formula
/// is not one: it begins with an apostrophe.
fn field(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let text = harmless(text);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', ';', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{NASTY, broken, record};
    use super::*;

    #[test]
    fn fields_are_quoted_and_are_no_formulas() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("say \"x\""), "\"say \"\"x\"\"\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "\n=1"] {
            assert!(field(formula).starts_with('\''), "{formula:?}");
        }
    }

    #[test]
    fn a_reader_finds_a_row_a_submission_and_a_column_a_check() {
        let mut other = record("=cmd()|'x'!A0");
        other.checks.remove(1); // as with --only
        let records = [record("a.py"), broken(NASTY), other];
        let text = text(&records);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let head = reader.headers().expect("a first row").clone();
        assert_eq!(head.len(), 6 + records[0].checks.len());
        let rows: Vec<csv::StringRecord> =
            reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), records.len());
        for (row, record) in rows.iter().zip(&records) {
            for (column, value) in head.iter().zip(row) {
                assert!(!value.contains(char::is_control), "{value:?}");
                assert!(!value.starts_with(['=', '+', '-', '@']), "{value:?}");
                if let Some(check) = record.checks.iter().find(|check| check.id == column) {
                    let word = check.status.word();
                    assert!(value == word || value == check.earned.to_string(), "{column} {value}");
                } else if column.starts_with("check-") {
                    assert_eq!(value, "", "{column}");
                }
            }
        }
        let points: Vec<_> = rows.iter().map(|row| row[4].to_string()).collect();
        assert_eq!(points, ["16", "0", "14"]);
    }
}
