//! The note's section "Threads" in Rust: a thread per name, made in two ways.
//!
//! ```python
//! from threading import Thread
//!
//! def f(name):
//!     print("Hello, ", name)
//!
//! th = Thread(target=f, args=("Bob",))
//! th.start()
//! th.join()
//! ```
//!
//! Run it: `cargo run -p thread-demo -- --delay 30 Ann Bob`, and meanwhile, in another terminal,
//! `ps -L -p $(pidof thread-demo) -o pid,tid,stat,comm`.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::{self, ExitCode};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use run::{PrintThread, Run};

mod anatomy;
mod capacity;
mod cost;
mod failure;
mod proc;
mod run;
mod speedup;
mod steps;

/// Threads: says hello from a thread per name, all of them at the same time.
///
/// Reproduces the section "Threads" of the note.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
#[command(after_help = "Example: thread-demo --delay 30 Ann Bob\n\
                        then:    ps -L -p $(pidof thread-demo) -o pid,tid,stat,comm")]
struct Options {
    /// Whom to greet, one thread each
    #[arg(value_name = "NAME", default_value = "Bob")]
    names: Vec<String>,
    /// How a thread is told what to do
    #[arg(long, value_enum, default_value = "function")]
    style: Style,
    /// Seconds that each thread sleeps before it greets
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    delay: Duration,
    #[command(subcommand)]
    topic: Option<Topic>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Style {
    /// By a function and its arguments, as Thread(target=f, args=(name,))
    Function,
    /// By a value with a method `run`: the note's "by inheritance"
    Trait,
}

#[derive(Subcommand)]
enum Topic {
    /// What threads share, and what each has of its own
    Anatomy,
    /// Whether threads make work faster, how many there may be, and what ends them
    Limits,
    /// Overflows the stack of a thread; `limits` runs it
    #[command(hide = true)]
    Overflow,
}

/// What a thread does, in either style. In Python, the target.
fn f(name: &str, delay: Duration) -> io::Result<()> {
    thread::sleep(delay);
    print_line(format_args!("Hello,  {name}")) // two spaces: its own, and one of Python's print
}

fn greet(options: &Options) -> io::Result<()> {
    let mut threads = Vec::new();
    let mut done = Ok(());
    // All start before the first is joined: otherwise each would wait for the one before it.
    for name in &options.names {
        match start(options.style, name.clone(), options.delay) {
            Ok(thread) => threads.push(thread),
            Err(refused) => {
                done = Err(refused);
                break;
            }
        }
    }
    if options.delay >= LONG {
        hint(format_args!("ps -L -o pid,tid,stat,comm -p {}", process::id()));
    }
    // All are joined, whatever happened: a thread that still runs would end with main.
    for thread in threads {
        let greeted = thread.join().expect("f returns its errors and does not panic");
        done = done.and(greeted); // the first error stays
    }
    done
}

fn start(style: Style, name: String, delay: Duration) -> io::Result<JoinHandle<io::Result<()>>> {
    match style {
        Style::Function => spawn(&name.clone(), move || f(&name, delay)),
        Style::Trait => PrintThread { name, delay }.start(),
    }
}

/// Starts a thread. The system may refuse: then `thread::spawn` would panic.
fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // The kernel keeps 15 bytes of the name, proc_pid_comm(5). A NUL, at which `name` panics,
    // can't be in an argument.
    let thread = thread::Builder::new().name(name.to_string()).spawn(body);
    thread.map_err(failed(format_args!("start thread {name:?}")))
}

/// Long enough to look at it from another terminal.
const LONG: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.topic {
        None => greet(&options),
        Some(Topic::Anatomy) => anatomy::show(),
        Some(Topic::Limits) => speedup::show()
            .and_then(|()| capacity::show())
            .and_then(|()| cost::show())
            .and_then(|()| failure::show()),
        Some(Topic::Overflow) => failure::overflow(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has gone (`| head -1`): there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Not eprintln!, which panics when stderr is closed.
            let _ = writeln!(io::stderr(), "thread-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes one whole line at once: `println!` would panic when stdout is closed or full.
fn print_line(line: impl Display) -> io::Result<()> {
    let line = format!("{line}\n");
    io::stdout().write_all(line.as_bytes()).map_err(failed("stdout"))
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

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}
