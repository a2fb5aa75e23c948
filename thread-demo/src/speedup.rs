//! Whether threads make work faster: the same work for the processor in series and in parallel.
//!
//! In Python they do not, and the lecture counts down in two threads to show it:
//!
//! ```python
//! def count(n):
//!     while n > 0:
//!         n -= 1
//!
//! count(100_000_000); count(100_000_000)  # and then the same in two threads
//! ```
//!
//! Run it: `cargo run -p thread-demo -- limits`.

use std::hint::black_box;
use std::io;
use std::thread;
use std::time::Instant;

use crate::{failed, print_line, spawn};

const TURNS: u64 = 10_000_000;

fn count(mut n: u64) {
    while n > 0 {
        n = black_box(n - 1); // or the compiler would see that nothing comes of it
    }
}

/// Counts down twice, one after the other and then in two threads.
pub(crate) fn show() -> io::Result<()> {
    let processors = thread::available_parallelism().map_err(failed("available_parallelism"))?;
    print_line(format_args!("Counting down from {TURNS} twice, {processors} processors:"))?;
    let series = best_of_three(|| {
        count(TURNS);
        count(TURNS);
        Ok(())
    })?;
    let parallel = best_of_three(|| {
        let other = spawn("other", || count(TURNS))?;
        count(TURNS);
        other.join().expect("count does not panic");
        Ok(())
    })?;

    let times = series / parallel;
    print_line(format_args!("  one after the other  {series:.3} s"))?;
    print_line(format_args!("  in two threads       {parallel:.3} s, {times:.1} times as fast"))?;
    print_line("In Python, two threads take as long as one after the other, or longer: they")?;
    print_line("share a lock, the GIL, and only its holder runs Python code. They do overlap")?;
    print_line("while they wait, for a file or the network: whoever waits lets go of it.")
}

/// The time that it takes when other programs disturb it least.
fn best_of_three(work: impl Fn() -> io::Result<()>) -> io::Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}
