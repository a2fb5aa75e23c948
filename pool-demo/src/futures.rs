//! What a future can do, in a few lines each. Nothing here depends on speed: what is to be slow
//! waits at a gate, a channel that nothing is ever sent through, until its other end is dropped.
//!
//! Run it: `cargo run -p pool-demo -- futures`.

use std::convert::Infallible;
use std::fmt::Display;
use std::io;
use std::time::Duration;

use crossbeam::channel::{Receiver, bounded};

use crate::executor::Executor;
use crate::future::{Failure, as_completed};
use crate::print_line;

type Gate = Receiver<Infallible>;

pub(crate) fn show() -> io::Result<()> {
    let pool = Executor::new(2)?;
    waiting(&pool)?;
    order(&pool)?;
    panics(&pool)?;
    cancelling()
}

fn waiting(pool: &Executor) -> io::Result<()> {
    let (open, gate) = bounded(0);
    let future = pool.submit(|| slow_or_quick(Some(gate)));
    let before = future.is_done();
    let Err(future) = future.result_timeout(Duration::from_millis(10)) else {
        unreachable!("the gate is shut");
    };
    drop(open);
    let future = as_completed([future]).next().expect("one went in");
    let after = future.is_done();
    let result = text(future.result());
    say("is_done", format_args!("{before} while the task runs, then {after}"))?;
    say("result_timeout", "nothing within 0.01 s, so we have the future back")?;
    say("result", result)
}

fn order(pool: &Executor) -> io::Result<()> {
    let (open, gate) = bounded(0);
    let slow = pool.submit(|| slow_or_quick(Some(gate)));
    let quick = pool.submit(|| slow_or_quick(None));
    let mut completed = as_completed([slow, quick]).map(|future| text(future.result()));
    let first = completed.next();
    drop(open);
    let results: Vec<_> = first.into_iter().chain(completed).collect();
    say("as_completed", results.join(", ") + ": as they finish")?;

    let (open, gate) = bounded(0);
    let results = pool.map(slow_or_quick, [Some(gate), None]);
    drop(open);
    let results: Vec<_> = results.map(text).collect();
    say("map", results.join(", ") + ": as they were submitted")
}

fn panics(pool: &Executor) -> io::Result<()> {
    let results: Vec<_> = pool.map(|n| 12 / n, [3, 0, 4]).map(text).collect();
    say("a panic", results.join(", ") + ": it fails alone")
}

fn cancelling() -> io::Result<()> {
    let pool = Executor::new(1)?;
    let (open, gate) = bounded(0);
    let (started, start) = bounded(0);
    let running = pool.submit(move || {
        let _ = started.send(());
        slow_or_quick(Some(gate))
    });
    let _ = start.recv();
    let pending = pool.submit(|| slow_or_quick(None));
    let (too_late, in_time) = (running.cancel(), pending.cancel());
    drop(open);
    let results = [running, pending].map(|future| text(future.result()));
    say("cancel", format_args!("{too_late} for the task that runs, {in_time} for the next one"))?;
    say("", results.join(", "))
}

fn slow_or_quick(gate: Option<Gate>) -> &'static str {
    match gate {
        None => "quick",
        Some(gate) => {
            let _ = gate.recv(); // an error, once the other end is dropped
            "slow"
        }
    }
}

fn say(what: &str, words: impl Display) -> io::Result<()> {
    print_line(format_args!("{what:<16}{words}"))
}

fn text(result: Result<impl Display, Failure>) -> String {
    result.map_or_else(|failure| failure.to_string(), |result| result.to_string())
}
