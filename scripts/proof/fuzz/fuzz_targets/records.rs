//! Any file of records, as `merge` reads it: refused, or records that every writer can write.

#![no_main]
#![allow(dead_code, unused_imports)]

include!("../lab.rs");

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let file = std::env::temp_dir().join(format!("fuzz-records-{}", std::process::id()));
    std::fs::write(&file, input).expect("a file");
    let read = grade::records_of(&file);
    std::fs::remove_file(&file).expect("it is there");
    let records = match read {
        Ok(records) => records,
        Err(why) => {
            assert!(!format!("{why:#}").contains(|c: char| c.is_control() && c != '\n'));
            return;
        }
    };
    let control = |text: &str| text.contains(|c: char| c.is_control() && c != '\n');
    assert!(!control(&report::csv::text(&records).replace('\r', "")));
    assert!(!control(&report::html::text(&records)));
    assert!(!control(&report::junit::text(&records)));
    assert!(!control(&report::github::summary(&records)));
    for record in &records {
        assert!(!control(&report::gradescope::text(record)));
        assert!(!control(&report::github::annotations(record)));
        let _ = (record.is_full(), record.shown());
    }
});
