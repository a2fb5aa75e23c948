//! The lab's commands, as people and machines use them. One program, as most of these tests wait.

mod grade;
mod hints;
mod look;
mod new;
mod page;
mod teach;
mod walkthrough;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use nix::sys::signal::{SigHandler, Signal, signal};

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

/// Lets a program end at SIGINT: what a script starts with `&` ignores it, and so does all that is started
/// by that, these tests included.
#[allow(unsafe_code)]
fn hears_sigint(command: &mut Command) -> &mut Command {
    let hears = || {
        // SAFETY: no handler is set, but the kernel's own way.
        unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }?;
        Ok(())
    };
    // SAFETY: it makes one system call.
    unsafe { command.pre_exec(hears) }
}

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
