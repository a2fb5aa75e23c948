//! What holds of every writer, whatever stands in a record: text of programs can be any text, and a
//! file of records may have been written by anybody.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::sample::NASTY;
use super::{csv, github, gradescope, html, junit, terminal};
use crate::record::{CheckRecord, Record, SCHEMA, Status};

const STATUSES: [Status; 9] = [
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

/// Any text, and often what means something to a format.
fn text() -> impl Strategy<Value = String> {
    const SPECIAL: &[&str] = &[
        "<",
        ">",
        "&",
        "\"",
        "'",
        "]]>",
        "-->",
        "\n",
        "\r\n",
        "\r",
        "::",
        "%0A",
        "|",
        "`",
        "=1",
        "-",
        "@",
        "＝",
        ",",
        ";",
        "\u{0}",
        "\u{1b}[2J",
        "\u{9b}31m",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{2066}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{10ffff}",
        " ",
        "\t",
        NASTY,
    ];
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        proptest::sample::select(SPECIAL).prop_map(String::from),
        "[a-z0-9 ]{0,12}",
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn check() -> impl Strategy<Value = CheckRecord> {
    let words = (text(), text(), vec(text(), 0..3), of(text()), of(text()), of(text()));
    let figures = (0..STATUSES.len(), 0..=u8::MAX, of(any::<u64>()), 0..100_000_u32);
    (words, figures).prop_map(|(words, (status, points, hidden, seconds))| {
        let (id, title, evidence, did, expected, lesson) = words;
        let (status, seconds) = (STATUSES[status], f64::from(seconds) / 64.0);
        let earned = if status == Status::Pass { points } else { 0 };
        CheckRecord {
            id,
            title,
            status,
            points,
            earned,
            evidence,
            did,
            expected,
            lesson,
            hidden,
            seconds,
            ran: seconds,
        }
    })
}

fn record() -> impl Strategy<Value = Record> {
    let words = (text(), text(), of(text()));
    (words, any::<u64>(), vec(check(), 0..4)).prop_map(
        |((lab, program, not_gradable), seed, checks)| Record {
            schema: SCHEMA.into(),
            lab,
            program,
            fingerprint: String::new(),
            seed,
            hidden: vec![seed],
            not_gradable,
            isolation: None,
            checks,
            seconds: 1.5,
        },
    )
}

/// Neither a terminal nor a browser nor a reader of logs is steered by it.
fn is_harmless(text: &str) -> bool {
    let turns =
        |c| ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    !text.contains(|c: char| c.is_control() && c != '\n') && !text.contains(turns)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_made_harmless_is_so_and_stays_as_it_is(any in text()) {
        let clean = terminal::harmless(&any);
        prop_assert!(is_harmless(&clean) && !clean.contains('\n'), "{:?}", clean);
        prop_assert_eq!(terminal::harmless(&clean), clean.clone());
        if is_harmless(&any) && !any.contains('\n') {
            prop_assert_eq!(clean, any);
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written(record in record()) {
        let json = serde_json::to_string(&record).expect("JSON");
        let read: Record = serde_json::from_str(&json).expect("a record");
        prop_assert_eq!(serde_json::to_string(&read).expect("JSON"), json);
    }

    /// Files of records come from elsewhere: what is read of one that was damaged can be written.
    #[test]
    fn a_damaged_record_is_refused_or_is_one(
        record in record(), damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut json = serde_json::to_vec(&record).expect("JSON");
        for (place, byte) in damage {
            let place = place.index(json.len());
            json[place] = byte;
        }
        if let Ok(read) = serde_json::from_slice::<Record>(&json) {
            let xml = junit::text(std::slice::from_ref(&read));
            prop_assert!(roxmltree::Document::parse(&xml).is_ok(), "{}", xml);
            prop_assert!(read.earned() <= 255 * 4 && is_harmless(&csv::text(&[read]).replace('\r', "")));
        }
    }

    #[test]
    fn no_writer_is_broken_by_what_stands_in_a_record(records in vec(record(), 0..4)) {
        let table = csv::text(&records);
        prop_assert!(is_harmless(&table.replace("\r\n", "\n")), "{:?}", table);
        let mut reader = ::csv::Reader::from_reader(table.as_bytes());
        let width = reader.headers().expect("a first row").len();
        let rows: Vec<::csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
        prop_assert_eq!(rows.len(), records.len());
        for value in rows.iter().inspect(|row| assert_eq!(row.len(), width)).flatten() {
            prop_assert!(!value.trim_start().starts_with(['=', '+', '-', '@']), "{:?}", value);
        }

        let xml = junit::text(&records);
        let document = roxmltree::Document::parse(&xml);
        prop_assert!(document.is_ok() && is_harmless(&xml), "{:?}: {}", document.err(), xml);

        let page = html::text(&records);
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let document = roxmltree::Document::parse_with_options(&page, options);
        prop_assert!(document.is_ok() && is_harmless(&page), "{:?}: {}", document.err(), page);

        prop_assert!(is_harmless(&github::summary(&records)));
        for record in &records {
            let lines = github::annotations(record);
            prop_assert!(is_harmless(&lines), "{:?}", lines);
            for line in lines.lines() {
                prop_assert!(line.starts_with("::error title=") || line.starts_with("::notice title="));
            }
            let result = gradescope::text(record);
            let value: Result<serde_json::Value, _> = serde_json::from_str(&result);
            prop_assert!(value.is_ok() && is_harmless(&result), "{}", result);
        }
    }

    #[test]
    fn points_are_never_above_what_was_earned_and_a_student_sees_no_other(record in record()) {
        let (earned, points) = (record.earned(), record.points());
        prop_assert!(earned <= points);
        let passed = record.checks.iter().all(|check| check.status == Status::Pass);
        prop_assert!(!record.is_full() || passed || record.checks.iter().any(|c| c.points == 0));
        let shown = record.shown();
        prop_assert_eq!((shown.earned(), shown.points()), (earned, points));
        prop_assert!(shown.hidden.is_empty() && shown.checks.iter().all(|c| c.hidden.is_none()));
    }
}
