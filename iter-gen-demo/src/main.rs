//! The note's sections "Iterators and generators" and "Generators and coroutines" in Rust.
//!
//! ```python
//! for i in MyIt(9):
//!     print(i)
//!
//! for i in MyRangeGen(4):
//!     print(i)
//!
//! g = grep('python')
//! next(g)
//! g.send('I love u, Anya')
//! g.send('python is simple')
//! ```
//!
//! What these three are is in `my_iter.rs`, `generator.rs` and `grep.rs`, each beside its Python;
//! what lets a function stop and go on, in `coroutine.rs`.
//!
//! Run it: `cargo run -p iter-gen-demo`, and then `cargo run -p iter-gen-demo -- difference`.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufRead, Read, Write};
use std::iter;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use generator::my_range_gen;
use grep::grep;
use my_iter::MyIt;

mod calls;
mod coroutine;
mod difference;
mod generator;
mod grep;
mod my_iter;
mod protocol;
#[cfg(test)]
mod tests;

/// Iterators, generators and coroutines: counts with the first two, searches lines with the third.
///
/// Reproduces the sections "Iterators and generators" and "Generators and coroutines" of the note.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
#[command(after_help = "Example: seq 30 | iter-gen-demo --stop 2 --top 2 --pattern 7 -\n\
                        or:      iter-gen-demo difference")]
struct Options {
    /// Where the iterator stops counting
    #[arg(long, value_name = "N", default_value_t = 9)]
    stop: u64,
    /// Where the generator stops counting
    #[arg(long, value_name = "N", default_value_t = 4)]
    top: u64,
    /// What the coroutine looks for in the lines: plain text, no regular expression
    #[arg(long, value_name = "TEXT", default_value = "python")]
    pattern: OsString,
    /// The lines sent to the coroutine; a single `-` sends those of stdin, of 1 MiB each at most
    #[arg(value_name = "LINE", default_values = ["I love u, Anya", "python is simple"])]
    lines: Vec<OsString>,
    #[command(subcommand)]
    topic: Option<Topic>,
}

#[derive(Subcommand)]
enum Topic {
    /// Iterator, generator, coroutine: what is the difference?
    Difference,
    /// Everything one can do to a coroutine: next, send, throw, close
    Coroutine,
}

/// The bytes of the longest line of stdin: a line is held until it is known whether it matches.
const LONGEST_LINE: usize = 1 << 20;

fn run(options: Options) -> io::Result<()> {
    for i in MyIt::new(options.stop) {
        print_line(i.to_string())?;
    }

    for i in my_range_gen(options.top) {
        print_line(i.to_string())?;
    }

    let mut g = grep(options.pattern.into_vec());
    g.next()?;
    if options.lines == ["-"] {
        let mut stdin = io::stdin().lock();
        for line in iter::from_fn(|| read_line(&mut stdin).transpose()) {
            g.send(line?)?;
        }
    } else {
        for line in options.lines {
            g.send(line.into_vec())?;
        }
    }
    Ok(())
}

/// The next line, without its end; `None` when there are no more.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut input = input.take(LONGEST_LINE as u64 + 1);
    if input.read_until(b'\n', &mut line).map_err(failed("stdin"))? == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_none() && line.len() > LONGEST_LINE {
        return Err(io::Error::other("stdin: a line of more than 1 MiB"));
    }
    Ok(Some(line))
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.topic {
        None => run(options),
        Some(Topic::Difference) => difference::show(),
        Some(Topic::Coroutine) => calls::show(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has gone (`| head -1`): there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Not eprintln!, which panics when stderr is closed.
            let _ = writeln!(io::stderr(), "iter-gen-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes one whole line at once: `println!` would panic when stdout is closed or full. Of
/// bytes, because a line from stdin need not be valid UTF-8.
fn print_line(line: impl AsRef<[u8]>) -> io::Result<()> {
    let line = [line.as_ref(), b"\n"].concat();
    io::stdout().write_all(&line).map_err(failed("stdout"))
}

/// Puts the call and its subject before the system's words.
fn failed(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |why| io::Error::new(why.kind(), format!("{what}: {why}"))
}
