//! Any file of hidden seeds: seeds, or one harmless line that says why not.

#![no_main]
#![allow(dead_code, unused_imports)]

include!("../lab.rs");

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let file = std::env::temp_dir().join(format!("fuzz-seeds-{}", std::process::id()));
    std::fs::write(&file, input).expect("a file");
    let name = file.to_str().expect("UTF-8");
    match hidden::Hidden::read(name) {
        Ok(hidden::Hidden(seeds)) => {
            assert!(!seeds.is_empty());
            let again: Vec<String> = seeds.iter().map(u64::to_string).collect();
            std::fs::write(&file, again.join("\n")).expect("a file");
            assert_eq!(hidden::Hidden::read(name), Ok(hidden::Hidden(seeds)));
        }
        Err(why) => assert!(!why.contains(char::is_control), "{why:?}"),
    }
    std::fs::remove_file(&file).expect("it is there");
});
