//! The note's section "Thread pools and futures" in Rust: ten workers, ten powers, each printed as
//! soon as it is there.
//!
//! ```python
//! from concurrent.futures import ThreadPoolExecutor, as_completed
//! import time
//!
//! def timer(func):
//!     def wrapper():
//!         start = time.time()
//!         func()
//!         print('Time:', time.time() - start)
//!     return wrapper
//!
//! def f(a):
//!     return a ** 2000
//!
//! @timer
//! def pool():
//!     with ThreadPoolExecutor(max_workers=10) as pool:
//!         result = [pool.submit(f, i) for i in range(10)]
//!         for future in as_completed(result):
//!             print(future.result())
//!
//! pool()
//! ```
//!
//! Run it: `cargo run -p pool-demo -- --delay 2 --exponent 3`, and meanwhile, in another terminal,
//! `top -H -p $(pgrep -x pool-demo)`.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::{self, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, value_parser};
use dashu_int::UBig;

mod executor;
mod future;
mod futures;

use executor::Executor;
use future::as_completed;

/// Thread pools and futures: prints 0 ** EXPONENT, 1 ** EXPONENT, … as a pool of threads works
/// them out.
///
/// Reproduces the section "Thread pools and futures" of the note.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, allow_negative_numbers = true)]
#[command(after_help = "Example: pool-demo --delay 2 --exponent 3\n\
                        then:    top -H -p $(pgrep -x pool-demo)\n\n\
                        TASKS times EXPONENT may be 50000000 at most: were stdout to be stopped, \
                        all the results would have to be kept.")]
struct Options {
    /// Threads in the pool, 1 to 256; all of them start at once
    #[arg(long, default_value = "10", value_parser = value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Powers to work out: those of 0, 1, … TASKS-1; 100000 at most
    #[arg(long, default_value = "10", value_parser = value_parser!(u32).range(..=100_000))]
    tasks: u32,
    /// The power to raise to
    #[arg(long, default_value = "2000", value_parser = value_parser!(u32).range(..=50_000_000))]
    exponent: u32,
    /// Task number a first sleeps (TASKS - a) times this many seconds: the last one is done first
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    delay: Duration,
    /// Print in the order of submission (Python's `map`), not as the tasks complete
    #[arg(long)]
    ordered: bool,
    #[command(subcommand)]
    topic: Option<Topic>,
}

#[derive(Subcommand)]
enum Topic {
    /// What a future can do: result, time-out, cancel, panic; the order of `as_completed` and map
    Futures,
}

/// Long enough to look at it from another terminal.
const LONG: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let options = Options::parse();
    if u64::from(options.tasks) * u64::from(options.exponent) > 50_000_000 {
        let why = "TASKS times EXPONENT is above 50000000";
        Options::command().error(ErrorKind::ValueValidation, why).exit();
    }
    let done = match options.topic {
        None => timer(|| pool(&options)),
        Some(Topic::Futures) => futures::show(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has gone (`| head -1`): there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Not eprintln!, which panics when stderr is closed.
            let _ = writeln!(io::stderr(), "pool-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the note's decorator adds to a function.
fn timer(func: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let start = Instant::now();
    func()?;
    print_line(format_args!("Time: {}", python_float(start.elapsed().as_secs_f64())))
}

fn pool(options: &Options) -> io::Result<()> {
    let pool = Executor::new(options.workers.into())?;
    if options.delay >= LONG {
        hint(format_args!("top -H -p {}", process::id()));
    }
    let printed = print_powers(&pool, options);
    if printed.is_err() {
        // Nobody will see the other results: don't wait for them.
        pool.detach();
    }
    printed
} // Here the pool is dropped: it waits for its threads, as the end of Python's `with` does.

fn print_powers(pool: &Executor, options: &Options) -> io::Result<()> {
    let &Options { tasks, exponent, delay, .. } = options;
    let task = move |a| {
        thread::sleep(delay.saturating_mul(tasks - a));
        power(a, exponent)
    };
    if options.ordered {
        for result in pool.map(task, 0..tasks) {
            print_line(result.map_err(io::Error::other)?)?;
        }
    } else {
        let futures: Vec<_> = (0..tasks).map(|a| pool.submit(move || task(a))).collect();
        for future in as_completed(futures) {
            print_line(future.result().map_err(io::Error::other)?)?;
        }
    }
    Ok(())
}

/// `str(a ** exponent)`. Finding the decimal digits is nine tenths of the work, so it belongs to
/// the task, not to the one thread that prints.
fn power(a: u32, exponent: u32) -> String {
    UBig::from(a).pow(exponent as usize).to_string()
}

/// `repr(x)` of a Python float: Rust writes the same shortest digits, but `9.5e-5` for `9.5e-05`.
fn python_float(x: f64) -> String {
    let text = format!("{x:?}");
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text,
    }
}

/// Tells a person at a terminal what to type meanwhile in another one.
fn hint(command: impl Display) {
    if io::stderr().is_terminal() {
        let _ = io::stderr().write_all(format!("meanwhile: {command}\n").as_bytes());
    }
}

/// Puts the call and its subject before the system's words.
fn failed(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |why| io::Error::new(why.kind(), format!("{what}: {why}"))
}

/// Writes one whole line at once: `println!` would panic when stdout is closed or full.
fn print_line(line: impl Display) -> io::Result<()> {
    let line = format!("{line}\n");
    io::stdout().write_all(line.as_bytes()).map_err(failed("stdout"))
}

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::{power, python_float};

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let written = [0.005_438_5, 1.0, 0.0001, 0.000_095, 1e-10].map(python_float);
        assert_eq!(written, ["0.0054385", "1.0", "0.0001", "9.5e-05", "1e-10"]);
    }

    #[test]
    fn powers_are_exact_and_nought_to_the_nought_is_one() {
        assert_eq!(power(0, 0), "1");
        assert_eq!(power(0, 2000), "0");
        assert_eq!(power(7, 50), "1798465042647412146620280340569649349251249"); // above 2 ** 128
    }
}
