// lab: fork
//! Creating processes.
//!
//!     fork [--value bar] [--child-value baz] [--forever] [--interval 5]
//!
//! A variable has the value VALUE; then the process forks, once. The child assigns `CHILD_VALUE` to
//! it. Each of the two prints the value that it has, in any order, and nothing else is printed:
//!
//!     Parent:  bar
//!     Child:  baz
//!
//! The parent waits until the child has ended. Then nothing is left: no process, and no zombie.

#![allow(unused)] // Delete this line when you begin: then the compiler names what is not used yet.

use std::time::Duration;

use clap::Parser;

#[derive(Parser)]
struct Options {
    /// The variable's value before the fork
    #[arg(long, default_value = "bar")]
    value: String,
    /// The value that the child assigns
    #[arg(long, value_name = "VALUE", default_value = "baz")]
    child_value: String,
    /// Let the child print its line again and again, until Ctrl-C
    #[arg(long)]
    forever: bool,
    /// Seconds between two of these lines
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    interval: Duration,
}

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

fn main() {
    let options = Options::parse();
    let foo = &options.value;
    // Your turn: nix::unistd has fork, nix::sys::wait has what waits for a child.
}
