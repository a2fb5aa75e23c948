//! How a process ended, as its parent learns it: Python's `Process.exitcode`.
//!
//! Run it: `cargo run -p mp-demo -- exitcodes`.

use std::fmt::Display;
use std::io;
use std::process;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, raise};

use crate::print_line;
use crate::process::{Method, Process};

type Target = fn(()) -> io::Result<()>;

/// Starts a process for each way to end, and says what came of it.
pub(crate) fn show() -> io::Result<()> {
    let start = |target: Target| Process::new(target, ()).start(Method::Fork);

    row("the process", "exitcode")?;
    let returns: Target = |()| Ok(());
    row("returns", start(returns)?.join()?)?;
    let exits: Target = |()| process::exit(3);
    row("exits with 3", start(exits)?.join()?)?;
    let panics: Target = |()| panic!("out of luck");
    row("panics", start(panics)?.join()?)?;
    let signals: Target = |()| raise(Signal::SIGUSR1).map_err(io::Error::from);
    row("gets a SIGUSR1", start(signals)?.join()?)?;

    let sleeps: Target = |()| {
        thread::sleep(Duration::from_mins(1));
        Ok(())
    };
    let mut sleeper = start(sleeps)?;
    let exitcode = sleeper.exitcode()?;
    row("still runs", exitcode.map_or("None".to_string(), |exitcode| exitcode.to_string()))?;
    sleeper.terminate()?;
    row("is ended by terminate()", sleeper.join()?)?;
    let mut sleeper = start(sleeps)?;
    sleeper.kill()?;
    row("is ended by kill()", sleeper.join()?)
}

fn row(process: &str, exitcode: impl Display) -> io::Result<()> {
    print_line(format!("{process:<24}{exitcode:>8}").as_bytes())
}
