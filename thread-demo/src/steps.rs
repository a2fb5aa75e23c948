//! A thread's own sequence of instructions: two threads side by side, at the pace that the
//! system gives them.
//!
//! Run it: `cargo run -p thread-demo -- anatomy`, and `taskset -c 0 …` for a single processor.

use std::hint;
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::print_line;

/// The initial of a thread for each step that it has done, in the order of doing.
static STEPS: Mutex<String> = Mutex::new(String::new());

/// Works in thirty steps.
pub(crate) fn work(name: &str) {
    for _ in 0..30 {
        for turn in 0..20_000 {
            hint::black_box(turn);
        }
        // Poisoned when the other thread panicked: the list is good all the same.
        STEPS.lock().unwrap_or_else(PoisonError::into_inner).push_str(&name[..1]);
    }
}

/// Prints who did which step, once all are done.
pub(crate) fn show(names: [&str; 2]) -> io::Result<()> {
    let steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    print_line("\nIts own sequence of instructions: 30 steps each, from first to last.")?;
    for name in names {
        let mark = |step| if name.starts_with(step) { '#' } else { ' ' };
        let lane: String = steps.chars().map(mark).collect();
        print_line(format_args!("  {name:4}  {}", lane.trim_end()))?;
    }
    print_line("The system decides whose turn it is: another run, another pattern.")
}
