// lab: iter-gen
//! Iterators, generators and coroutines.
//!
//!     iter-gen [--stop 9] [--top 4] [--pattern python] [LINE]...
//!
//! Prints, a line each and in this order:
//!
//! - the numbers from 0 up to STOP, without it, which an iterator gives
//! - the numbers from 0 up to TOP, without it, which a generator gives
//! - `start grep`, from a coroutine when it begins, before it is sent anything
//! - those of the LINEs that have PATTERN in them, from the coroutine, which is sent one line after
//!   the other
//!
//! PATTERN is plain text. Without lines, the note's two are sent. A single `-` sends the lines of
//! stdin: each is read when the one before has been through the coroutine. However many numbers and
//! lines there are, the memory does not grow.

#![allow(unused)] // Delete this line when you begin: then the compiler names what is not used yet.

use clap::Parser;

#[derive(Parser)]
struct Options {
    /// Where the iterator stops
    #[arg(long, value_name = "N", default_value_t = 9)]
    stop: u64,
    /// Where the generator stops
    #[arg(long, value_name = "N", default_value_t = 4)]
    top: u64,
    /// What the coroutine looks for
    #[arg(long, value_name = "TEXT", default_value = "python")]
    pattern: String,
    /// What the coroutine is sent; `-` sends the lines of stdin
    #[arg(value_name = "LINE", default_values = ["I love u, Anya", "python is simple"])]
    lines: Vec<String>,
}

// Your turn: an iterator is a struct with std::iter::Iterator.

// Your turn: a generator. std::iter::from_fn comes near to one; an async block really stops in the
// middle, when it is polled by hand with a std::task::Waker::noop.

// Your turn: a coroutine has a method send. Its body is of the same kind as the generator's.

fn main() {
    let options = Options::parse();
    // Your turn: use the three.
}
