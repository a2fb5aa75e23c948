//! The note's section "Queues", which the note leaves empty, filled with what the lecture shows:
//! a queue with room for five items, one producer, two workers.
//!
//! ```python
//! from queue import Queue
//! from threading import Thread
//!
//! def worker(q, n):
//!     while True:
//!         item = q.get()
//!         if item is None:
//!             break
//!         print("process data:", n, item)
//!
//! q = Queue(5)
//! th1 = Thread(target=worker, args=(q, 1))
//! th2 = Thread(target=worker, args=(q, 2))
//! th1.start(); th2.start()
//!
//! for i in range(50):
//!     q.put(i)
//!
//! q.put(None); q.put(None)
//! th1.join(); th2.join()
//! ```
//!
//! Run it: `cargo run -p queue-demo -- --delay 0.5 --items 20`, and see how far ahead of the workers
//! the producer gets.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::{Parser, Subcommand, value_parser};

mod blocking;
mod closing;
mod join;
mod kinds;
mod queue;
mod timeouts;
mod unfinished;

use queue::{Kind, Queue};

/// Queues: a producer hands items to workers, and waits while the queue is full.
///
/// Reproduces the section "Queues" of the note.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, allow_negative_numbers = true)]
#[command(after_help = "Example: queue-demo --delay 0.5 --items 20\n\
                        then:    top -H -p $(pgrep -x queue-demo)")]
struct Options {
    /// Which of the waiting items is next
    ///
    /// With lifo and priority the workers start when the queue is full, or all items are in it.
    /// So where there is room for all, each worker prints its items exactly in this order.
    #[arg(long, value_enum, default_value = "fifo")]
    kind: Kind,
    /// Threads that take items out, 1 to 256
    #[arg(long, default_value = "2", value_parser = value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Items to put in: 0, 1, … ITEMS-1; a million at most
    #[arg(long, default_value = "50", value_parser = value_parser!(u32).range(..=1_000_000))]
    items: u32,
    /// Items that the queue has room for; 0 for any number, as in Python
    #[arg(long, default_value = "5", value_parser = value_parser!(u32).range(..=1_000_000))]
    capacity: u32,
    /// Seconds that a worker takes over an item
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    delay: Duration,
    #[command(subcommand)]
    topic: Option<Topic>,
}

#[derive(Subcommand)]
enum Topic {
    /// The same items through a queue of each kind
    Kinds,
    /// Two ways to end the workers: a sentinel for each, or the end of the channel
    Closing,
    /// How a producer waits until all is processed, not just taken out
    Join,
    /// What happens instead of waiting for ever: Full and Empty
    Timeouts,
}

/// Long enough to look at it from another terminal.
const LONG: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.topic {
        None => run(&options),
        Some(Topic::Kinds) => kinds::show(),
        Some(Topic::Closing) => closing::show(),
        Some(Topic::Join) => join::show(),
        Some(Topic::Timeouts) => timeouts::show(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has gone (`| head -1`): there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Not eprintln!, which panics when stderr is closed.
            let _ = writeln!(io::stderr(), "queue-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// An item and its priority. Only a priority queue looks at the order of these pairs: by priority,
/// then by item.
type Task = (u32, u32);

/// What the producer and the workers share.
struct Work {
    queue: Queue<Option<Task>>,
    delay: Duration,
    /// stdout has failed: there is no use in going on.
    stop: AtomicBool,
}

fn run(options: &Options) -> io::Result<()> {
    let work = Arc::new(Work {
        queue: Queue::new(options.kind, options.capacity as usize),
        delay: options.delay,
        stop: AtomicBool::new(false),
    });
    let mut items = 0..options.items;

    // Where the order is the point, the queue fills up before anybody takes from it: were items
    // taken out as soon as they come, the order would be theirs in any queue.
    if options.kind != Kind::Fifo {
        let room = match options.capacity {
            0 => options.items,
            capacity => capacity,
        };
        work.put(items.by_ref().take(room as usize));
    }
    let workers = (1..=options.workers).map(|number| work.start_worker(number));
    let workers = workers.collect::<io::Result<Vec<_>>>()?;
    if options.delay.saturating_mul(options.items) >= LONG {
        hint(format_args!("top -H -p {}", process::id()));
    }
    work.put(items);
    if !work.stop.load(Ordering::Relaxed) {
        let _ = writeln!(io::stderr(), "queued {} items", options.items);
    }

    // In a stack, and in a queue of priorities, a sentinel would overtake the items: let it come
    // when they are done.
    if options.kind != Kind::Fifo {
        work.queue.join();
    }
    for _ in &workers {
        work.queue.put(None);
    }
    let ends = workers.into_iter().map(JoinHandle::join);
    let ends: Vec<_> = ends.map(|end| end.expect("a worker never panics")).collect();
    ends.into_iter().collect() // the first error, but all have ended
}

impl Work {
    fn start_worker(self: &Arc<Self>, number: u16) -> io::Result<JoinHandle<io::Result<()>>> {
        let name = format!("worker-{number}");
        let work = Arc::clone(self);
        let thread = thread::Builder::new().name(name.clone());
        let thread = thread.spawn(move || work.worker(number));
        thread.map_err(failed(format!("start of thread {name}")))
    }

    /// The producer. The priority of an item is its remainder by three.
    fn put(&self, items: impl Iterator<Item = u32>) {
        for item in items.take_while(|_| !self.stop.load(Ordering::Relaxed)) {
            self.queue.put(Some((item % 3, item)));
        }
    }

    /// Takes items until it gets its sentinel.
    fn worker(&self, number: u16) -> io::Result<()> {
        let mut printed = Ok(());
        while let Some((_, item)) = self.queue.get() {
            // When stdout has failed, items are still taken, if only to be thrown away: otherwise
            // the producer would wait for ever, in `put` or in `join`.
            if !self.stop.load(Ordering::Relaxed) {
                thread::sleep(self.delay);
                printed = print_line(format_args!("process data: {number} {item}"));
                if printed.is_err() {
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
            self.queue.task_done().expect("it is called once for each item");
        }
        printed
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
