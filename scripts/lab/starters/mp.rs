// lab: mp
//! Multiprocessing.
//!
//!     mp [--style function|trait] [--delay 0] [NAME]...
//!
//! Greets each NAME (without names: Mike and Jake) from a process of its own, with a line
//! `Hello NAME TIME`. The order is free. All the processes are started before the first is waited
//! for, so that all are alive at the same time. The parent waits for each of them; then nothing is
//! left: no process, and no zombie. If one fails, stderr names it and the exit status is 1.

#![allow(unused)] // Delete this line when you begin: then the compiler names what is not used yet.

use std::thread;
use std::time::{Duration, SystemTime};

use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Options {
    /// How a process is told what to do; what is printed is the same
    #[arg(long, value_enum, default_value = "function")]
    style: Style,
    /// Seconds that each process sleeps before it greets
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    delay: Duration,
    /// Whom to greet
    #[arg(value_name = "NAME", default_values = ["Mike", "Jake"])]
    names: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Style {
    /// By a function
    Function,
    /// By a value with a method `run`, which a trait asks for
    Trait,
}

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

fn f(name: &str, delay: Duration) {
    thread::sleep(delay);
    let time = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    println!("Hello {name} {:?}", time.as_secs_f64());
}

// Your turn: the trait for --style trait.

fn main() {
    let options = Options::parse();
    // Your turn: nix::unistd has fork, nix::sys::wait has what waits for a child.
}
