// lab: thread
//! Threads.
//!
//!     thread [--style function|trait] [--delay 0] [NAME]...
//!
//! Greets each NAME (without names: Bob) from a thread of its own, with a line `Hello,  NAME`. The
//! order is free. All the threads are started before the first is waited for, so that all are alive
//! at the same time. The program waits for each of them. There is one process, and no other.

#![allow(unused)] // Delete this line when you begin: then the compiler names what is not used yet.

use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Options {
    /// How a thread is told what to do; what is printed is the same
    #[arg(long, value_enum, default_value = "function")]
    style: Style,
    /// Seconds that each thread sleeps before it greets
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    delay: Duration,
    /// Whom to greet
    #[arg(value_name = "NAME", default_value = "Bob")]
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
    println!("Hello,  {name}");
}

// Your turn: the trait for --style trait.

fn main() {
    let options = Options::parse();
    // Your turn: std::thread has spawn; its Builder gives a thread a name that the kernel knows.
}
