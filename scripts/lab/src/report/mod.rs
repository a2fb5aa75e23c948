//! How a record is shown and exported: one file per format, all made from the record alone.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::record::{CheckRecord, Record, Status};

pub mod csv;
pub mod github;
pub mod gradescope;
pub mod html;
pub mod junit;
pub mod page;
pub mod terminal;

/// A check as the heading of a column.
pub struct Column<'a> {
    /// Its name within the lab.
    pub id: &'a str,
    /// The fact that it stands for.
    pub title: &'a str,
    /// What it can earn.
    pub points: u8,
}

/// Every check that any of the records has, in the order of the one that has most of them.
pub fn columns<'a>(records: &[&'a Record]) -> Vec<Column<'a>> {
    let mut longest_first = records.to_vec();
    longest_first.sort_by_key(|record| std::cmp::Reverse(record.checks.len()));
    let mut columns: Vec<Column> = Vec::new();
    for CheckRecord { id, title, points, .. } in longest_first.iter().flat_map(|r| &r.checks) {
        if !columns.iter().any(|column| column.id == id) {
            columns.push(Column { id, title, points: *points });
        }
    }
    columns
}

/// Whether a check counts as failed, and not as one that was not made.
pub fn failed(status: Status) -> bool {
    !matches!(status, Status::Pass | Status::Skipped | Status::Unverified)
}

/// The records of each lab, in the order in which the labs first come.
pub fn group(records: &[Record]) -> Vec<(&str, Vec<&Record>)> {
    let mut labs: Vec<(&str, Vec<&Record>)> = Vec::new();
    for record in records {
        match labs.iter_mut().find(|(lab, _)| *lab == record.lab) {
            Some((_, own)) => own.push(record),
            None => labs.push((&record.lab, vec![record])),
        }
    }
    labs
}

/// Writes a file beside its place and then renames it there: it is whole, or the old one.
///
/// # Errors
/// With the file's name.
pub fn write(file: &Path, text: &str) -> Result<()> {
    write_bytes(file, text.as_bytes())
}

/// The same for what is no text.
///
/// # Errors
/// With the file's name.
pub fn write_bytes(file: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside: OsString = file.into();
    beside.push(".new");
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, file));
    written.with_context(|| format!("write {}", file.display()))
}

#[cfg(test)]
mod laws;

#[cfg(test)]
mod sample {
    use crate::record::{CheckRecord, Record, SCHEMA, Status};

    /// What a program may print to break every format at once.
    pub const NASTY: &str = "</script><b a='\"'>&amp;]]>\u{0}\u{1b}[31m\u{85}\u{2028}\u{202e}\u{fffe}\
                             %0A,;|`*\r\n::error::x\n=cmd()";

    /// A record with a check of every status, and that text wherever text of a program can be.
    pub fn record(program: &str) -> Record {
        let statuses = [
            Status::Pass,
            Status::Fail,
            Status::Skipped,
            Status::Unverified,
            Status::Timeout,
            Status::Crashed,
            Status::OverLimit,
            Status::NotGradable,
            Status::GraderError,
        ];
        let checks = statuses.into_iter().enumerate().map(|(index, status)| CheckRecord {
            id: format!("check-{index}"),
            title: format!("fact {index} with \"<&>\", and 5%"),
            status,
            points: u8::from(index > 0) * 2,
            earned: 0,
            evidence: vec![NASTY.into(), "x".repeat(5000)],
            did: (status != Status::Pass).then(|| format!("python3 {NASTY}")),
            expected: (status == Status::Fail).then(|| NASTY.into()),
            lesson: (status != Status::Pass).then(|| "a lesson".into()),
            hidden: None,
            seconds: 0.25,
            ran: 0.2,
        });
        Record {
            schema: SCHEMA.into(),
            lab: "pool".into(),
            program: program.into(),
            fingerprint: String::new(),
            seed: u64::MAX,
            hidden: Vec::new(),
            not_gradable: None,
            isolation: None,
            checks: checks.collect(),
            seconds: 1.5,
        }
    }

    /// One that could not be examined.
    pub fn broken(program: &str) -> Record {
        Record { not_gradable: Some(NASTY.into()), checks: Vec::new(), ..record(program) }
    }
}

#[cfg(test)]
mod tests {
    use super::sample;
    use crate::run::Protection;

    /// The page about the record names every field and status, and none that there is not.
    #[test]
    fn the_record_is_documented_field_by_field() {
        let page = include_str!("../../docs/record.md");
        let mut record = sample::record("a.py");
        record.fingerprint = "0".into();
        record.hidden = vec![7];
        record.not_gradable = Some("why".into());
        record.isolation = Some(Protection { more: Some("more".into()), ..Protection::default() });
        record.checks[1].hidden = Some(7);
        let value = serde_json::to_value(&record).expect("JSON");
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
        };
        let mut names = keys(&value);
        names.extend(keys(&value["isolation"]));
        names.extend(keys(&value["checks"][1]));
        let statuses = value["checks"].as_array().into_iter().flatten();
        names.extend(statuses.filter_map(|check| check["status"].as_str().map(String::from)));
        for name in &names {
            assert!(page.contains(&format!("`{name}`")), "{name} is not documented");
        }
        let first = |row: &str| row.split('|').nth(1).unwrap_or_default().to_string();
        let rows = page.lines().filter(|line| line.starts_with("| `")).map(first);
        let documented = rows.flat_map(|cell| {
            cell.split('`').skip(1).step_by(2).map(String::from).collect::<Vec<_>>()
        });
        for name in documented {
            assert!(names.contains(&name), "{name} is documented and not there");
        }
    }
}
