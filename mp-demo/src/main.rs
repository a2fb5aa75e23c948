//! The note's section "Multiprocessing" in Rust: a process per name, told what to run in two ways.
//!
//! ```python
//! from multiprocessing import Process
//! import time
//!
//! def f(name):
//!     print("Hello", name, time.time())
//!
//! p = Process(target=f, args=("Mike",))
//! j = Process(target=f, args=("Jake",))
//!
//! p.start()
//! j.start()
//!
//! p.join()
//! j.join()
//! ```
//!
//! Run it: `cargo run -p mp-demo -- --delay 10 Mike Jake`, and meanwhile, in another terminal,
//! `ps -o pid,ppid,stat,args -C mp-demo`.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::panic;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use clap::{Parser, Subcommand, ValueEnum};
use nix::unistd::getpid;

mod child;
mod exitcodes;
mod process;
mod spawned;

use process::{Method, Process, Run};
use spawned::SpawnedChild;

/// Multiprocessing: says hello from a process per name, all of them alive at once.
///
/// Reproduces the section "Multiprocessing" of the note.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(after_help = "Example: mp-demo --delay 10 Mike Jake\n\
                        then:    ps -o pid,ppid,stat,args -C mp-demo")]
struct Options {
    /// Whom to greet, one process each. After `--` a name may be that of a command, or begin with -
    #[arg(value_name = "NAME", default_values = ["Mike", "Jake"])]
    names: Vec<OsString>,
    /// How a process is told what to run: by a function, or by a value with a `run` method
    #[arg(long, value_enum, default_value = "function")]
    style: Style,
    /// How a process is made: as a copy of this one, or by starting this program anew
    #[arg(long, value_enum, default_value = "fork")]
    start_method: StartMethod,
    /// Seconds that each process sleeps before it greets
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    delay: Duration,
    #[command(subcommand)]
    topic: Option<Topic>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Style {
    /// Process(target=f, args=(name,))
    Function,
    /// the note's "by inheritance": a subclass of Process that overrides run
    Trait,
}

#[derive(Clone, Copy, ValueEnum)]
enum StartMethod {
    /// Python's default on Linux until 3.13
    Fork,
    /// its default on Windows and macOS
    Spawn,
}

#[derive(Subcommand)]
enum Topic {
    /// How a process ended, as its parent learns it
    Exitcodes,
    #[command(hide = true)]
    SpawnedChild(SpawnedChild),
}

/// Long enough to look at it from another terminal.
const LONG: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    panic::set_hook(Box::new(|panic| {
        let why = panic.payload_as_str().unwrap_or("a value that is no text");
        say(format_args!("process {}: panicked: {}", getpid(), why.replace('\n', " ")));
    }));
    let options = Options::parse();
    ExitCode::from(match options.topic {
        None => status(greet(&options)),
        Some(Topic::Exitcodes) => status(exitcodes::show()),
        Some(Topic::SpawnedChild(child)) => child.run(),
    })
}

fn greet(options: &Options) -> io::Result<()> {
    let mut processes = Vec::new();
    for name in &options.names {
        let method = match options.start_method {
            StartMethod::Fork => Method::Fork,
            StartMethod::Spawn => Method::Spawn(SpawnedChild::command_line(options, name)),
        };
        // If this one can't be started, those that were are ended: `Drop for Started`.
        processes.push(process(options.style, name.clone(), options.delay).start(method)?);
    }
    if options.delay >= LONG {
        let children = processes.iter().map(|process| process.pid().to_string());
        let family: Vec<_> = iter::once(std::process::id().to_string()).chain(children).collect();
        hint(format_args!("ps -o pid,ppid,stat,comm -p {}", family.join(",")));
    }
    let mut done = Ok(());
    for (process, name) in processes.iter_mut().zip(&options.names) {
        let exitcode = process.join()?;
        if exitcode != 0 {
            let (pid, name) = (process.pid(), name.to_string_lossy());
            let why = format!("process {pid} {name:?}: exitcode {exitcode}");
            done = done.and(Err(io::Error::other(why)));
        }
    }
    done
}

/// What a child is to run; one that was spawned makes this anew.
fn process(style: Style, name: OsString, delay: Duration) -> Process {
    match style {
        Style::Function => Process::new(f, (name, delay)),
        Style::Trait => Greeting { name, delay }.process(),
    }
}

fn f((name, delay): (OsString, Duration)) -> io::Result<()> {
    thread::sleep(delay);
    let time = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    // As Python prints a float: the shortest digits that stand for it, and never without a point.
    let time = format!(" {:?}", time.as_secs_f64());
    print_line(&[b"Hello ", name.as_bytes(), time.as_bytes()].concat())
}

struct Greeting {
    name: OsString,
    delay: Duration,
}

impl Run for Greeting {
    fn run(self) -> io::Result<()> {
        f((self.name, self.delay))
    }
}

/// The exit status that a process ends with, once it has said what went wrong.
fn status(done: io::Result<()>) -> u8 {
    match done {
        Ok(()) => 0,
        // Whoever read our output has gone (`| head -1`): there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            say(error);
            1
        }
    }
}

/// Writes a line to stderr; not with eprintln!, which panics when stderr is closed.
fn say(line: impl Display) {
    let _ = io::stderr().write_all(format!("mp-demo: {line}\n").as_bytes());
}

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

/// Writes one whole line at once: `println!` would panic when stdout is closed or full.
fn print_line(line: &[u8]) -> io::Result<()> {
    io::stdout().write_all(&[line, b"\n"].concat()).map_err(failed("stdout"))
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
