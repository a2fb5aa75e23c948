//! What ends a thread alone, and what ends the whole process with all its threads.
//!
//! Run it: `cargo run -p thread-demo -- limits`.

use std::env;
use std::hint;
use std::io;
use std::panic;
use std::process::Command;

use nix::sys::prctl;

use crate::{failed, print_line, spawn};

/// Lets one thread panic, and another one overflow its stack in a process of its own.
pub(crate) fn show() -> io::Result<()> {
    print_line("\nWhat a panic does: it ends its thread, and whoever joins that thread is told.")?;
    panic::set_hook(Box::new(|_| ())); // or the message would be on stderr too
    let joined = spawn("unlucky", || panic!("no luck"))?.join();
    let _ = panic::take_hook();
    let message =
        joined.map_err(|payload| payload.downcast_ref::<&str>().copied().unwrap_or_default());
    print_line(format_args!("  join() of \"unlucky\": {message:?}"))?;

    print_line("What a crash does: it ends the process, with every thread in it.")?;
    let program = env::current_exe().map_err(failed("/proc/self/exe"))?;
    let mut command = Command::new(program);
    command.arg("overflow").env_remove("RUST_MIN_STACK"); // 2 MiB, however much is asked for here
    let child = command.output().map_err(failed("overflow"))?;
    let status = child.status;
    print_line(format_args!("  a process in which one thread recursed too deep: {status}"))?;
    let message = String::from_utf8_lossy(&child.stderr);
    for line in message.lines().filter(|line| !line.is_empty()) {
        print_line(format_args!("    its stderr: {line}"))?;
    }
    Ok(())
}

/// Overflows the stack of a thread. The page below it is a guard without access, so that the
/// process ends there, rather than write into the stack of the next thread.
pub(crate) fn overflow() -> io::Result<()> {
    prctl::set_dumpable(false)?; // no core file, no crash report to the desktop
    let depth = spawn("deep", || deeper(0))?.join();
    print_line(format_args!("never printed: {depth:?}"))
}

fn deeper(depth: u64) -> u64 {
    if depth == u64::MAX {
        return depth;
    }
    hint::black_box(deeper(depth + 1)) // not a tail call, which could be made a loop
}
