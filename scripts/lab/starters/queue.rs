// lab: queue
//! Queues.
//!
//!     queue [--kind fifo|lifo|priority] [--workers 2] [--items 50] [--capacity 5] [--delay 0]
//!
//! One producer puts the items 0, 1, 2, ... ITEMS-1 into a queue. The workers are threads with the
//! numbers from 1 to WORKERS, and work at the same time. They take the items out and print a line
//! for each, once:
//!
//!     process data: WORKER ITEM
//!
//! The queue has room for CAPACITY items (0: for any number); while it is full, the producer waits.
//! When the last item is in the queue, `queued ITEMS items` is written to stderr. Each worker ends
//! when there is nothing more to do, and the program when all of them have. Who waits, for room or
//! for an item, sleeps until it is woken, and does not ask again and again.
//!
//! With lifo and priority no worker takes an item before the queue is full or all items are in.

#![allow(unused)] // Delete this line when you begin: then the compiler names what is not used yet.

use std::time::Duration;

use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Options {
    /// Which item is next
    #[arg(long, value_enum, default_value = "fifo")]
    kind: Kind,
    /// Threads that take items out
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Items to put in
    #[arg(long, default_value_t = 50)]
    items: usize,
    /// Items that the queue has room for; 0 for any number
    #[arg(long, default_value_t = 5)]
    capacity: usize,
    /// Seconds that a worker sleeps over an item before it prints the line
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    delay: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The oldest
    Fifo,
    /// The newest
    Lifo,
    /// The one with the smallest ITEM % 3, and of these the smallest
    Priority,
}

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

fn main() {
    let options = Options::parse();
    // Your turn: crossbeam::channel has queues with and without a limit, first in, first out. For
    // the two other kinds, std has Mutex, Condvar and BinaryHeap.
}
