//! `mp-demo exitcodes`: what Python's `Process.exitcode` would be.

use std::process::Command;

#[test]
fn exitcodes_are_those_of_python_and_a_panic_is_one_line() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_mp-demo"));
    let output = demo.arg("exitcodes").env("RUST_BACKTRACE", "full").output();
    let output = output.expect("mp-demo starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let exitcodes: Vec<_> =
        said.lines().skip(1).filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(exitcodes, ["0", "3", "1", "-10", "None", "-15", "-9"], "{said}");
    assert!(output.status.success());

    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("mp-demo: process "), "{said}");
    assert!(said.ends_with(": panicked: out of luck\n") && said.lines().count() == 1, "{said}");
}
