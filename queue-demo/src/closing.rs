//! How does a worker learn that there is no more to do? By a sentinel, as in the lecture, or by
//! the end of the channel: it is closed when nobody is left who could send.
//!
//! Run it: `cargo run -p queue-demo -- closing`.

use std::fmt::Display;
use std::io;
use std::thread::{Builder, JoinHandle};

use crossbeam::channel::unbounded;

use crate::{failed, print_line};

pub(crate) fn show() -> io::Result<()> {
    sentinel()?;
    no_sender()?;
    no_receiver()
}

fn sentinel() -> io::Result<()> {
    let (sender, receiver) = unbounded();
    for item in [Some(0), Some(1), Some(2), None] {
        sender.send(item).map_err(io::Error::other)?;
    }
    let items = receiver.clone();
    let worker = start(move || items.iter().map_while(|item| item).count())?;
    let count = worker.join().expect("it only counts");
    say("sentinel", format_args!("a worker got {count} items, then None, and ends"))?;
    let error = receiver.try_recv().expect_err("the worker took all");
    say("", format_args!("the next finds: {error}: it would wait for ever"))
}

fn no_sender() -> io::Result<()> {
    let (sender, receiver) = unbounded();
    let workers = [receiver.clone(), receiver.clone()];
    let workers = workers.map(|items| start(move || items.iter().count()));
    for item in 0..3 {
        sender.send(item).map_err(io::Error::other)?;
    }
    drop(sender);
    let mut count = 0;
    for worker in workers {
        count += worker?.join().expect("it only counts");
    }
    say(
        "last sender",
        format_args!("dropped: two workers got {count} items together, and both end"),
    )?;
    let error = receiver.recv().expect_err("the workers took all");
    say("", format_args!("the next recv says: {error}"))
}

fn no_receiver() -> io::Result<()> {
    let (sender, receiver) = unbounded();
    drop(receiver);
    let error = sender.send(0).expect_err("nobody could ever take it");
    say("last receiver", format_args!("dropped: send says: {error}"))
}

/// The system may refuse: then `thread::spawn` would panic.
fn start(count: impl FnOnce() -> usize + Send + 'static) -> io::Result<JoinHandle<usize>> {
    Builder::new().spawn(count).map_err(failed("start of a thread"))
}

fn say(what: &str, words: impl Display) -> io::Result<()> {
    print_line(format_args!("{what:<15}{words}"))
}
