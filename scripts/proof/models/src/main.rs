//! Own synchronisation, tried in every order: each model is run once for each order in which its
//! threads can meet, and must hold in all of them. A deadlock, a thread that is never woken, and
//! anything that is never dropped are failures too.
//!
//! Run it: `scripts/proof/run models`, or `scripts/proof/run models NAME` for those with that in
//! their names.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::process::ExitCode;
use std::time::Instant;

// The modules of the demos mean the stage where they say these names.
extern crate stage as crossbeam;
extern crate stage as rayon;
extern crate stage as socket2;
extern crate stage as std;

#[path = "../../../../queue-demo/src/blocking.rs"]
mod blocking;
#[path = "../../../../pool-demo/src/executor.rs"]
#[allow(dead_code)] // to detach is to leave threads behind, which no model may
mod executor;
#[path = "../../../../pool-demo/src/future.rs"]
mod future;
#[path = "../../../../socket-server/src/listener.rs"]
#[allow(dead_code, clippy::useless_conversion)]
// where it listens, and what a socket is, is the stage's
mod listener;
#[path = "../../../lab/src/run/log.rs"]
#[allow(dead_code, unreachable_pub)] // the tracer fills in more than the models look at
mod log;
#[path = "../../../../queue-demo/src/queue.rs"]
mod queue;
#[path = "../../../../socket-server/src/threads.rs"]
mod threads;
#[path = "../../../../queue-demo/src/unfinished.rs"]
mod unfinished;

mod client;
mod models;
mod stop;

use client::Options;

/// The modules ask for it at the root of their crates.
fn failed(_: impl core::fmt::Display) -> impl FnOnce(std::io::Error) -> std::io::Error {
    |why| why
}

/// What a server tells on the way.
fn report(_: impl core::fmt::Display) {}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let models = models::ALL.iter().filter(|(name, _)| {
        wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()))
    });
    let (mut all, mut count, start) = (0, 0, Instant::now());
    println!("{:>14} {:>9}  model", "interleavings", "seconds");
    for (name, model) in models {
        let start = Instant::now();
        let tried = tried(*model);
        println!("{tried:>14} {:>9.2}  {name}", start.elapsed().as_secs_f64());
        (all, count) = (all + tried, count + 1);
    }
    println!("{all:>14} {:>9.2}  {count} models hold", start.elapsed().as_secs_f64());
    if count == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs a model in every order, without a bound on preemptions unless `LOOM_MAX_PREEMPTIONS` sets
/// one; how many there are. A failure panics.
fn tried(model: fn()) -> usize {
    static TRIED: AtomicUsize = AtomicUsize::new(0);
    TRIED.store(0, Ordering::Relaxed);
    loom::model(move || {
        TRIED.fetch_add(1, Ordering::Relaxed);
        model();
    });
    TRIED.load(Ordering::Relaxed)
}
