//! A file for each row: who takes part in which work, and those of them that are written in Rust.

use std::fmt::Display;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::contest::{ABSENT, Row};
use crate::folder;

pub(crate) mod echo;
mod grading;
mod pool;
mod process;
mod queue;
mod start;
mod steps;
mod stream;
pub(crate) mod thread;
mod walkthrough;

/// All rows, with less work in each if it has to be quick.
pub(crate) fn all(quick: bool) -> Vec<Row> {
    let mut rows = vec![
        pool::row(quick),
        queue::row(quick),
        steps::row(quick),
        process::row(quick),
        thread::row(quick),
        stream::row(quick),
        echo::row(quick),
        start::row(quick),
    ];
    if !quick {
        rows.extend([walkthrough::row(), grading::row()]);
    }
    rows
}

/// In a process of its own: does the work of one contestant, and prints what it took.
pub(crate) fn take_part(words: &[String]) -> io::Result<()> {
    let [row, name, args @ ..] = words else {
        return Err(io::Error::other("contestant ROW NAME ARGS"));
    };
    let args: Vec<u64> = args.iter().map(|arg| arg.parse().expect("a number")).collect();
    match row.as_str() {
        "pool" => pool::take_part(name, &args),
        "queue" => queue::take_part(name, &args),
        "steps" => steps::take_part(name, &args),
        "process" => process::take_part(name, &args),
        "stream" => stream::take_part(name, &args),
        "echo" => echo::take_part(name, &args),
        "start" => start::take_part(name, &args),
        "walkthrough" => walkthrough::take_part(),
        "grading" => grading::take_part(name, &args),
        "thread" => thread::take_part(name, &args),
        _ => Err(unknown(name)),
    }
}

/// A program that is measured from outside: a demo, or the peer for this row in C, Python or Rust.
fn peer(row: &str, name: &str) -> Command {
    let mut command = match name.split_whitespace().next() {
        Some("C") => Command::new(folder("BENCH_C").join(row)),
        Some("libuv") => Command::new(folder("BENCH_C").join("uv")),
        Some("Python") => {
            let mut command = Command::new(folder("BENCH_PYTHON"));
            command.arg("-I").arg(folder("BENCH_PEERS").join(format!("{row}.py")));
            command
        }
        Some("mio" | "polling" | "smol" | "tokio,") => {
            let mut command = Command::new(std::env::current_exe().unwrap_or_default());
            command.arg("serve");
            command
        }
        _ => return Command::new(folder("BENCH_DEMOS").join(name)),
    };
    command.arg(name);
    command
}

/// Keeps this thread on one processor: the first, the second, and round again.
pub(crate) fn on_processor(number: u64) {
    let myself = Pid::from_raw(0); // of Linux, the thread
    let Ok(all) = sched_getaffinity(myself) else { return };
    let mine: Vec<_> = (0..CpuSet::count()).filter(|&cpu| all.is_set(cpu) == Ok(true)).collect();
    let mut one = CpuSet::new();
    if !mine.is_empty() && one.set(mine[size(number) % mine.len()]).is_ok() {
        let _ = sched_setaffinity(myself, &one);
    }
}

fn unknown(name: &str) -> io::Error {
    io::Error::other(format!("who is {name}?"))
}

/// Does it so many times, and prints the nanoseconds of each, and what it came to.
fn timed(times: u64, work: impl FnOnce() -> io::Result<u64>) -> io::Result<()> {
    let start = Instant::now();
    let result = work()?;
    tell(nanos(start.elapsed(), times), result);
    Ok(())
}

fn tell(took: f64, result: impl Display) {
    println!("{took}\n{result}");
}

#[allow(clippy::cast_precision_loss)] // of a clock, nothing is lost below 2 ** 53
pub(crate) fn nanos(time: Duration, times: u64) -> f64 {
    time.as_nanos() as f64 / times as f64
}

fn size(number: u64) -> usize {
    usize::try_from(number).expect("of 64 bits")
}

/// Ends a contestant whose program is not on this machine.
fn absent() -> ! {
    std::process::exit(ABSENT)
}
