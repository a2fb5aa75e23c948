//! The lab's commands, as people and machines use them. One program, as most of these tests wait.

mod grade;
mod hints;
mod look;
mod new;
mod page;
mod teach;
mod walkthrough;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

const DEMOS: [&str; 9] = [
    "fork-demo",
    "mp-demo",
    "thread-demo",
    "pool-demo",
    "queue-demo",
    "socket-server",
    "socket-client",
    "epoll-demo",
    "iter-gen-demo",
];

/// The folder with all demos in it, built as the walkthrough builds them.
fn demos() -> &'static Path {
    static BUILT: OnceLock<&'static Path> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline"]);
        cargo.args(DEMOS.iter().flat_map(|demo| ["--package", demo]));
        assert!(cargo.status().expect("cargo").success());
        Path::new(env!("CARGO_BIN_EXE_lab")).parent().expect("a folder")
    })
}
