//! A queue that is empty has been taken from; whether the work is done, only the workers know.
//! Each says `task_done` after an item, and `join` waits until as many are done as were put in.
//!
//! Run it: `cargo run -p queue-demo -- join`.

use std::fmt::Display;
use std::io;
use std::thread::{self, Builder};

use crate::queue::{Kind, Queue};
use crate::{failed, print_line};

pub(crate) fn show() -> io::Result<()> {
    let queue = Queue::new(Kind::Fifo, 5);
    for item in 0..3 {
        queue.put(item);
    }
    say("put three items", format_args!("unfinished: {}", queue.unfinished()))?;

    let items = [queue.get(), queue.get(), queue.get()];
    let left = queue.unfinished();
    say("get all of them", format_args!("unfinished: {left}, although the queue is empty"))?;

    thread::scope(|scope| -> io::Result<()> {
        // `scope.spawn` would panic where the system refuses.
        let worker = Builder::new().spawn_scoped(scope, || items.map(|_| queue.task_done()));
        worker.map_err(failed("start of a thread"))?;
        queue.join();
        Ok(())
    })?;
    say("task_done, join", format_args!("unfinished: {}", queue.unfinished()))?;

    let error = queue.task_done().expect_err("all is done");
    say("task_done again", format_args!("error: {error}"))
}

fn say(what: &str, words: impl Display) -> io::Result<()> {
    print_line(format_args!("{what:<17}{words}"))
}
