//! The note's section "Creating processes" in Rust.
//!
//! ```python
//! import os, time
//!
//! foo = "bar"
//!
//! pid = os.fork()
//! if pid == 0:
//!     # Child process
//!     while True:
//!         foo = "baz"
//!         print("Child: ", foo)
//!         time.sleep(5)
//! else:
//!     # Parent process
//!     print("Parent: ", foo)
//!     os.wait()
//! ```
//!
//! Run it: `cargo run -p fork-demo`. The note's endless loop is in `-- --forever`; while that runs,
//! in another terminal, `ps -o pid,ppid,stat,args -C fork-demo`.

#![allow(clippy::disallowed_names)] // `foo` is the note's own name

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use clap::{Parser, Subcommand};
use nix::sys::signal::{Signal, kill};
use nix::unistd::ForkResult;

mod anatomy;
mod child;
mod files;
mod memory;
mod proc;

/// Creating processes: one `fork` makes two processes, each with a variable of its own.
///
/// Reproduces the sections "Process" and "Creating processes" of the note.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(after_help = "Example: fork-demo --forever --interval 1\n\
                        then:    ps -o pid,ppid,stat,args -C fork-demo")]
struct Options {
    /// The variable's value before the fork, which the parent keeps
    #[arg(long, default_value = "bar")]
    value: String,
    /// The value that the child gives it
    #[arg(long, value_name = "VALUE", default_value = "baz")]
    child_value: String,
    /// Let the child print its line again and again, as in the note: Ctrl-C ends both
    #[arg(long)]
    forever: bool,
    /// Seconds between the child's lines, with --forever
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    interval: Duration,
    #[command(subcommand)]
    topic: Option<Topic>,
}

#[derive(Subcommand)]
enum Topic {
    /// The five things that a process is: PID, memory, stack, open files, I/O
    Anatomy {
        /// Which process; without it, fork-demo itself
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        pid: Option<u32>,
    },
    /// What fork copies of the memory, and when
    Memory {
        /// Size of the memory that is there to be copied, in MiB
        #[arg(long, default_value = "256", value_parser = clap::value_parser!(u32).range(1..))]
        mib: u32,
    },
    /// What parent and child share of an open file, and what they don't
    Files,
}

fn main() -> ExitCode {
    let options = Options::parse();
    ExitCode::from(status(match options.topic {
        None => fork(&options),
        Some(Topic::Anatomy { pid }) => anatomy::show(pid),
        Some(Topic::Memory { mib }) => memory::show(mib),
        Some(Topic::Files) => files::show(),
    }))
}

fn fork(options: &Options) -> io::Result<()> {
    let mut foo = &options.value;
    match child::fork()? {
        ForkResult::Child => child::finish(loop {
            foo = &options.child_value;
            let printed = print_line(format_args!("Child:  {foo}"));
            if printed.is_err() || !options.forever {
                break printed;
            }
            thread::sleep(options.interval);
        }),
        ForkResult::Parent { child } => {
            let printed = print_line(format_args!("Parent:  {foo}"));
            if options.forever {
                let parent = process::id();
                hint(format_args!("ps -o pid,ppid,stat,comm -p {parent},{child}"));
                hint(format_args!("strace -f -p {parent} -p {child}"));
            }
            if printed.is_err() && options.forever {
                // Nothing else would end it, and a parent that can't go on must not wait for ever.
                let _ = kill(child, Signal::SIGKILL);
            }
            let waited = child::wait(child);
            printed.and(waited)
        }
    }
}

/// The exit status that a process ends with, once it has said what went wrong.
fn status(done: io::Result<()>) -> u8 {
    match done {
        Ok(()) => 0,
        // Whoever read our output has gone (`| head -1`): there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            // Not eprintln!, which panics when stderr is closed.
            let _ = writeln!(io::stderr(), "fork-demo: {error}");
            1
        }
    }
}

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

/// Writes one whole line at once: `println!` would panic when stdout is closed or full.
fn print_line(line: impl Display) -> io::Result<()> {
    let line = format!("{line}\n");
    io::stdout().write_all(line.as_bytes()).map_err(failed("stdout"))
}

/// Tells a person at a terminal what to type meanwhile in another one.
fn hint(command: impl Display) {
    if io::stderr().is_terminal() {
        let _ = io::stderr().write_all(format!("meanwhile: {command}\n").as_bytes());
    }
}

/// Puts the call and its subject before the system's words.
fn failed(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |why| io::Error::new(why.kind(), format!("{what}: {why}"))
}
