// lab: pool
//! Thread pools and futures.
//!
//!     pool [--workers 10] [--tasks 10] [--exponent 2000] [--delay 0] [--ordered]
//!
//! Prints a ** exponent for each a in 0..tasks, a line each, as it completes; then, when all workers
//! are gone, `Time: <seconds>`. The tasks start in the order 0, 1, 2, ... Who waits for a result
//! sleeps until it is there, and does not ask again and again.
//!
//! - `--workers N`: how many threads do the work: never more, and all of them when there is work
//! - `--delay D`: task i first sleeps (tasks - i) * D seconds, so the last one finishes first
//! - `--ordered`: print in the order of submission instead, as map gives the results

use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use dashu_int::UBig;

#[derive(Parser)]
struct Options {
    #[arg(long, default_value_t = 10)]
    workers: usize,
    #[arg(long, default_value_t = 10)]
    tasks: u32,
    #[arg(long, default_value_t = 2000)]
    exponent: usize,
    #[arg(long, default_value_t = 0.0)]
    delay: f64,
    #[arg(long)]
    ordered: bool,
}

#[allow(dead_code)]
fn f(options: &Options, a: u32) -> UBig {
    thread::sleep(Duration::from_secs_f64(f64::from(options.tasks - a) * options.delay));
    UBig::from(a).pow(options.exponent)
}

fn main() {
    let options = Options::parse();
    let start = Instant::now();
    // Your turn: rayon has thread pools, crossbeam has channels for the results.
    let _ = (options.workers, options.ordered);
    println!("Time: {:?}", start.elapsed().as_secs_f64());
}
