//! queue-demo's queue, with a `task_done` for every item and a `join` at the end, against channels
//! that know nothing of either.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::iter;
use std::sync::{Condvar, Mutex, mpsc};
use std::thread;

use crossbeam::channel;

use super::{on_processor, size, timed, unknown};
use crate::contest::{Case, Goal, Row, python, rust};
use crate::queue::{Kind, Queue};

const OURS: [&str; 3] = ["queue-demo", "queue-demo lifo", "queue-demo priority"];
const LOCKED: [&str; 3] =
    ["Mutex and Condvar", "Mutex and Condvar, Vec", "Mutex and Condvar, heap"];

pub(crate) fn row(quick: bool) -> Row {
    let mut cases = Vec::new();
    let items = if quick { 100_000 } else { 400_000 };
    let pairs: [(&str, u64); 3] = [("1:1", 1), ("2:2", 2), ("4:4", 4)];
    for (name, threads) in pairs {
        for capacity in [5, 1024, 0] {
            if quick && threads == 2 {
                continue;
            }
            // With little room, those that sleep and wake for every item take microseconds.
            let slow = |share| if capacity == 5 { share } else { 1 };
            let room =
                if capacity == 0 { "no bound".into() } else { format!("capacity {capacity}") };
            let axis = u32::try_from(capacity).ok().filter(|&capacity| capacity > 0);
            cases.push(Case {
                name: format!("{room}, {name}"),
                point: axis.map(|capacity| (name, capacity)),
                args: vec![items, capacity, threads],
                field: vec![
                    rust(OURS[0]),
                    rust("crossbeam-channel"),
                    rust("kanal"),
                    rust("flume").share(slow(10)),
                    rust("async-channel").share(slow(10)),
                    rust("std mpsc").share(slow(10)),
                    rust(LOCKED[0]).share(slow(10)),
                    python("Python queue.Queue").share(if capacity == 5 { 40 } else { 10 }),
                ],
                goals: vec![
                    Goal::Times("crossbeam-channel", 1.0 / 1.1),
                    Goal::Above("crossbeam-channel", 40.0),
                    Goal::Times("Python queue.Queue", 50.0),
                ],
                is_sum: true,
                ..Case::default()
            });
        }
    }
    let pythons = ["Python queue.LifoQueue", "Python queue.PriorityQueue"];
    for (kind, name) in [(1, pythons[0]), (2, pythons[1])] {
        for capacity in if quick { &[1024][..] } else { &[5, 1024] } {
            cases.push(Case {
                name: format!("{}, capacity {capacity}, 2:2", &OURS[kind][11..]),
                args: vec![items / 4, *capacity, 2],
                field: vec![rust(OURS[kind]), rust(LOCKED[kind]), python(name).share(5)],
                goals: vec![Goal::Times(LOCKED[kind], 1.0), Goal::Times(name, 10.0)],
                is_sum: true,
                ..Case::default()
            });
        }
    }
    Row {
        name: "queue",
        title: "Queues: producers and as many consumers",
        unit: "ns an item",
        growth: Some("capacity"),
        cases,
    }
}

/// `args`: how many items in all, the capacity (0: no bound), and how many producers.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[items, capacity, pairs] = args else { return Err(unknown(name)) };
    let room = size(capacity);
    match name {
        "crossbeam-channel" => {
            let (put, get) = if room == 0 { channel::unbounded() } else { channel::bounded(room) };
            let get = || (put.clone(), get.clone());
            channels(items, pairs, get, |s, i| s.send(i).is_ok(), |r| r.recv().ok())
        }
        "kanal" => {
            let (put, get) = if room == 0 { kanal::unbounded() } else { kanal::bounded(room) };
            let get = || (put.clone(), get.clone());
            channels(items, pairs, get, |s, i| s.send(i).is_ok(), |r| r.recv().ok())
        }
        "flume" => {
            let (put, get) = if room == 0 { flume::unbounded() } else { flume::bounded(room) };
            let get = || (put.clone(), get.clone());
            channels(items, pairs, get, |s, i| s.send(i).is_ok(), |r| r.recv().ok())
        }
        "async-channel" => {
            let (put, get) =
                if room == 0 { async_channel::unbounded() } else { async_channel::bounded(room) };
            let get = || (put.clone(), get.clone());
            channels(
                items,
                pairs,
                get,
                |s, i| s.send_blocking(i).is_ok(),
                |r| r.recv_blocking().ok(),
            )
        }
        // It has one receiver, so several consumers have to share it.
        "std mpsc" if room == 0 => {
            let (put, get) = mpsc::channel();
            let get = Mutex::new(get);
            let ends = || (put.clone(), &get);
            channels(items, pairs, ends, |s, i| s.send(i).is_ok(), |r| shared(r))
        }
        "std mpsc" => {
            let (put, get) = mpsc::sync_channel(room);
            let get = Mutex::new(get);
            let ends = || (put.clone(), &get);
            channels(items, pairs, ends, |s, i| s.send(i).is_ok(), |r| shared(r))
        }
        _ => {
            if let Some(kind) = OURS.iter().position(|ours| *ours == name) {
                let kind = [Kind::Fifo, Kind::Lifo, Kind::Priority][kind];
                queues(items, pairs, &Queue::new(kind, room))
            } else if name == LOCKED[0] {
                queues(items, pairs, &Locked::<VecDeque<Item>>::new(room))
            } else if name == LOCKED[1] {
                queues(items, pairs, &Locked::<Vec<Item>>::new(room))
            } else if name == LOCKED[2] {
                queues(items, pairs, &Locked::<BinaryHeap<Reverse<Item>>>::new(room))
            } else {
                Err(unknown(name))
            }
        }
    }
}

fn shared(get: &Mutex<mpsc::Receiver<u64>>) -> Option<u64> {
    get.lock().ok()?.recv().ok()
}

/// The numbers that one of so many producers puts in.
fn part(items: u64, pairs: u64, producer: u64) -> impl Iterator<Item = u64> {
    (producer..items).step_by(size(pairs))
}

/// Producers and consumers around a channel, which ends when the last producer drops its end.
fn channels<S: Send, R: Send>(
    items: u64,
    pairs: u64,
    ends: impl Fn() -> (S, R),
    send: impl Fn(&S, u64) -> bool + Copy + Send,
    receive: impl Fn(&R) -> Option<u64> + Copy + Send,
) -> io::Result<()> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..pairs).map(|_| ends()).unzip();
    timed(items, move || {
        Ok(thread::scope(|scope| {
            for (producer, sender) in (0..).zip(senders) {
                scope.spawn(move || {
                    on_processor(producer);
                    assert!(part(items, pairs, producer).all(|item| send(&sender, item)));
                });
            }
            // A channel whose original ends are still there does not end: each takes its share.
            let share = |consumer| size(items / pairs + u64::from(consumer < items % pairs));
            let consume = |(consumer, receiver): (u64, R)| {
                let count = share(consumer);
                scope.spawn(move || {
                    on_processor(consumer + 1);
                    iter::from_fn(|| receive(&receiver)).take(count).sum::<u64>()
                })
            };
            let consumers: Vec<_> = (0..).zip(receivers).map(consume).collect();
            consumers.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        }))
    })
}

type Item = Option<u64>;

/// A queue in Python's manner.
trait Joinable: Sync {
    fn put(&self, item: Item);
    fn get(&self) -> Item;
    fn task_done(&self);
    fn join(&self);
}

impl Joinable for Queue<Item> {
    fn put(&self, item: Item) {
        Queue::put(self, item);
    }
    fn get(&self) -> Item {
        Queue::get(self)
    }
    fn task_done(&self) {
        Queue::task_done(self).expect("once for each item");
    }
    fn join(&self) {
        Queue::join(self);
    }
}

/// Producers and consumers; `join`, then a sentinel for each consumer.
fn queues(items: u64, pairs: u64, queue: &impl Joinable) -> io::Result<()> {
    timed(items, || {
        Ok(thread::scope(|scope| {
            let consume = |consumer| {
                scope.spawn(move || {
                    on_processor(consumer + 1);
                    let mut sum = 0;
                    while let Some(item) = queue.get() {
                        sum += item;
                        queue.task_done();
                    }
                    sum
                })
            };
            let consumers: Vec<_> = (0..pairs).map(consume).collect();
            let produce = |producer| {
                scope.spawn(move || {
                    on_processor(producer);
                    part(items, pairs, producer).for_each(|item| queue.put(Some(item)));
                })
            };
            let producers: Vec<_> = (0..pairs).map(produce).collect();
            for thread in producers {
                thread.join().expect("no panic");
            }
            queue.join();
            (0..pairs).for_each(|_| queue.put(None));
            consumers.into_iter().map(|thread| thread.join().expect("no panic")).sum::<u64>()
        }))
    })
}

/// What Python's `queue.Queue` is: one lock, three conditions, a count.
struct Locked<S> {
    inner: Mutex<(S, usize)>,
    room: usize,
    not_full: Condvar,
    not_empty: Condvar,
    all_done: Condvar,
}

trait Store: Default + Send {
    fn add(&mut self, item: Item);
    fn next(&mut self) -> Option<Item>;
    fn count(&self) -> usize;
}

macro_rules! store {
    ($($store:ty: $add:expr, $next:expr;)*) => {$(
        impl Store for $store {
            fn add(&mut self, item: Item) {
                let add: fn(&mut Self, Item) = $add;
                add(self, item);
            }
            fn next(&mut self) -> Option<Item> {
                let next: fn(&mut Self) -> Option<Item> = $next;
                next(self)
            }
            fn count(&self) -> usize {
                self.len()
            }
        }
    )*};
}
store! {
    VecDeque<Item>: Self::push_back, Self::pop_front;
    Vec<Item>: Self::push, Self::pop;
    BinaryHeap<Reverse<Item>>: |heap, item| heap.push(Reverse(item)),
        |heap| heap.pop().map(|Reverse(item)| item);
}

impl<S: Store> Locked<S> {
    fn new(room: usize) -> Self {
        let [not_full, not_empty, all_done] = [(); 3].map(|()| Condvar::new());
        let room = if room == 0 { usize::MAX } else { room };
        Self { inner: Mutex::default(), room, not_full, not_empty, all_done }
    }
}

const WHOLE: &str = "nothing panics while it holds this lock";

impl<S: Store> Joinable for Locked<S> {
    fn put(&self, item: Item) {
        let mut inner = self.inner.lock().expect(WHOLE);
        while inner.0.count() >= self.room {
            inner = self.not_full.wait(inner).expect(WHOLE);
        }
        inner.0.add(item);
        inner.1 += 1;
        drop(inner); // or who is woken would find it locked
        self.not_empty.notify_one();
    }

    fn get(&self) -> Item {
        let mut inner = self.inner.lock().expect(WHOLE);
        loop {
            if let Some(item) = inner.0.next() {
                drop(inner);
                self.not_full.notify_one();
                return item;
            }
            inner = self.not_empty.wait(inner).expect(WHOLE);
        }
    }

    fn task_done(&self) {
        let mut inner = self.inner.lock().expect(WHOLE);
        inner.1 -= 1;
        if inner.1 == 0 {
            self.all_done.notify_all();
        }
    }

    fn join(&self) {
        let mut inner = self.inner.lock().expect(WHOLE);
        while inner.1 > 0 {
            inner = self.all_done.wait(inner).expect(WHOLE);
        }
    }
}
