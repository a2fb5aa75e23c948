//! What the demos read from /proc may have names in it that anybody chose.

#![no_main]
#![allow(dead_code)]

#[path = "../../../../fork-demo/src/proc.rs"]
mod fork;
#[path = "../../../../thread-demo/src/proc.rs"]
mod thread;

use libfuzzer_sys::fuzz_target;

/// `fork-demo/src/proc.rs` asks for it at the root of its crate.
fn failed(_: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> std::io::Error {
    |why| why
}

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let field = thread::field(&text, "State:");
    assert!(field == "?" || text.contains(field));
    assert_eq!(fork::field(text.lines(), "State:").unwrap_or("?"), field);
    let _ = fork::number(text.lines(), "VmRSS:");
    for address in [0, 0x1000, usize::MAX] {
        if let Some(size) = thread::mapping_of(address, &text) {
            assert!(size <= usize::MAX / 1024);
        }
    }
});
