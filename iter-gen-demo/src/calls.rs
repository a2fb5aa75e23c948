//! All that one can do to a coroutine, call by call, as one would at Python's prompt.
//!
//! The coroutine is the note's `grep` with a handler and a clean-up:
//!
//! ```python
//! def grep(pattern):
//!     print("start grep")
//!     try:
//!         while True:
//!             try:
//!                 line = yield
//!             except ValueError as why:
//!                 print("handled:", why)
//!                 continue
//!             if pattern in line:
//!                 print(line)
//!     finally:
//!         print("stop grep")
//! ```
//!
//! Run it: `cargo run -p iter-gen-demo -- coroutine`.

use std::fmt::Display;
use std::io::{self, Error, ErrorKind};

use crate::coroutine::Coroutine;
use crate::print_line;
use crate::protocol::Raised;

type Grep = Coroutine<io::Result<&'static str>, (), io::Result<()>>;

fn grep(pattern: &'static str) -> Grep {
    Coroutine::new(move |co| async move {
        say("start grep")?;
        let _finally = OnDrop("stop grep");
        loop {
            let received: io::Result<&str> = co.yield_(()).await;
            let line = match received {
                Err(why) if why.kind() == ErrorKind::InvalidInput => {
                    say(format_args!("handled: {why}"))?;
                    continue;
                }
                _ => received?,
            };
            if line.contains(pattern) {
                say(line)?;
            }
        }
    })
}

/// Rust's `finally`: a local variable is dropped however its block is left.
struct OnDrop(&'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ = say(self.0); // a destructor can't fail; the next line will
    }
}

/// Prints for the body, with a mark that tells its lines from the others.
fn say(line: impl Display) -> io::Result<()> {
    print_line(format!("    | {line}"))
}

/// Prints the call, makes it, and prints what came of it.
fn step(
    call: &str,
    g: &mut Grep,
    make: impl FnOnce(&mut Grep) -> Result<(), Raised<(), Error>>,
) -> io::Result<()> {
    print_line(format!("g.{call}"))?;
    print_line(match make(g) {
        Ok(()) => format!("    {:?}", g.state()),
        Err(Raised::StopIteration(_)) => "    StopIteration".to_string(),
        Err(Raised::TypeError(why)) => format!("    TypeError: {why}"),
        Err(Raised::Error(why)) => format!("    {:?}: {why}", why.kind()),
    })
}

fn next(g: &mut Grep) -> io::Result<()> {
    step("next()", g, Grep::next)
}

fn send(g: &mut Grep, line: &'static str) -> io::Result<()> {
    step(&format!("send({line:?})"), g, |g| g.send(line))
}

fn throw(g: &mut Grep, kind: ErrorKind, why: &str) -> io::Result<()> {
    step(&format!("throw({kind:?}, {why:?})"), g, |g| g.throw(Error::new(kind, why)))
}

fn close(g: &mut Grep) -> io::Result<()> {
    let close = |g: &mut Grep| {
        g.close();
        Ok(())
    };
    step("close()", g, close)
}

/// Makes the calls, on three coroutines.
pub(crate) fn show() -> io::Result<()> {
    print_line("Below each call: what the body prints, after a |, and then where it is, or what")?;
    print_line("Python would raise.\n")?;

    print_line("g = grep(\"python\")")?;
    let mut g = grep("python");
    print_line(format!("    {:?}", g.state()))?;
    send(&mut g, "too early")?;
    next(&mut g)?;
    send(&mut g, "I love u, Anya")?;
    send(&mut g, "python is simple")?;
    next(&mut g)?;
    throw(&mut g, ErrorKind::InvalidInput, "no such line")?;
    send(&mut g, "python goes on")?;
    close(&mut g)?;
    close(&mut g)?;
    send(&mut g, "too late")?;

    print_line("\nAn error that the body does not handle ends it, and comes back out:")?;
    let mut g = grep("python");
    next(&mut g)?;
    throw(&mut g, ErrorKind::Interrupted, "something wrong")?;
    next(&mut g)?;

    print_line("\nClosed before it started, the body never runs, and has nothing to clean up:")?;
    let mut g = grep("python");
    close(&mut g)?;
    next(&mut g)
}
