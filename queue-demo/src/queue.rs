//! Python's `queue.Queue`, `LifoQueue` and `PriorityQueue`: one face for the three kinds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use clap::ValueEnum;
use crossbeam::channel::{self, Receiver, Sender};

use crate::blocking::Blocking;
use crate::unfinished::{CalledTooOften, Unfinished};

/// Which of the waiting items is next.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Kind {
    /// the oldest: a queue
    Fifo,
    /// the newest: a stack
    Lifo,
    /// the smallest. Item i has priority i % 3: first 0, 3, 6, …, then 1, 4, …, then 2, 5, …
    Priority,
}

/// A queue that any number of threads put into and get from.
pub(crate) struct Queue<T> {
    buffer: Box<dyn Buffer<T>>,
    unfinished: Unfinished,
}

/// Where items wait for their turn.
pub(crate) trait Buffer<T>: Send + Sync {
    /// Waits while there is no room.
    fn put(&self, item: T);
    /// Waits while there is no item.
    fn get(&self) -> T;
}

impl<T: Ord + Send + 'static> Queue<T> {
    /// A queue with room for `capacity` items; for any number, if that is 0.
    pub(crate) fn new(kind: Kind, capacity: usize) -> Self {
        let buffer: Box<dyn Buffer<T>> = match kind {
            Kind::Fifo => Box::new(Channel::new(capacity)),
            Kind::Lifo => Box::new(Blocking::<Vec<T>>::new(capacity)),
            Kind::Priority => Box::new(Blocking::<BinaryHeap<Reverse<T>>>::new(capacity)),
        };
        Self { buffer, unfinished: Unfinished::default() }
    }
}

impl<T> Queue<T> {
    /// Waits for room, then puts an item in.
    pub(crate) fn put(&self, item: T) {
        self.unfinished.add(); // first: a worker may be done with the item before `put` returns
        self.buffer.put(item);
    }

    /// Waits for an item, then takes it out.
    pub(crate) fn get(&self) -> T {
        self.buffer.get()
    }

    /// Says that an item which was taken out has been processed.
    pub(crate) fn task_done(&self) -> Result<(), CalledTooOften> {
        self.unfinished.done()
    }

    /// Waits until `task_done` has been called for every item.
    pub(crate) fn join(&self) {
        self.unfinished.wait();
    }

    /// How many items `join` would wait for.
    pub(crate) fn unfinished(&self) -> usize {
        self.unfinished.count()
    }
}

/// Both ends of a crossbeam channel: first in, first out, and without a lock.
struct Channel<T> {
    sender: Sender<T>,
    receiver: Receiver<T>,
}

impl<T> Channel<T> {
    fn new(capacity: usize) -> Self {
        let (sender, receiver) = match capacity {
            0 => channel::unbounded(), // bounded(0) has no room at all: put waits for a get
            _ => channel::bounded(capacity),
        };
        Self { sender, receiver }
    }
}

impl<T: Send> Buffer<T> for Channel<T> {
    fn put(&self, item: T) {
        self.sender.send(item).expect("we hold a receiver");
    }

    fn get(&self) -> T {
        self.receiver.recv().expect("we hold a sender")
    }
}
