//! `queue-demo/src/{unfinished,blocking,queue}.rs`: producers, workers, and who waits for them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{JoinHandle, spawn};

use crate::blocking::{Blocking, Store};
use crate::queue::{Buffer, Kind, Queue};
use crate::unfinished::Unfinished;

pub(super) fn join_sees_the_work() {
    let unfinished = Arc::new(Unfinished::default());
    // Relaxed: that the work is seen, only the count can bring about.
    let work = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    work.iter().for_each(|_| unfinished.add());
    let threads = work.clone().map(|own| {
        let unfinished = unfinished.clone();
        spawn(move || {
            own.store(1, Ordering::Relaxed);
            unfinished.done().unwrap();
        })
    });
    unfinished.wait();
    assert!(work.iter().all(|own| own.load(Ordering::Relaxed) == 1));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub(super) fn nobody_sleeps_on() {
    let unfinished = Arc::new(Unfinished::default());
    unfinished.add();
    let (one, two) = (unfinished.clone(), unfinished.clone());
    let threads = [spawn(move || one.wait()), spawn(move || two.done().unwrap())];
    unfinished.wait();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// More comes while some wait, and is done: whoever slept over the first end must not over the last.
pub(super) fn more_comes() {
    let unfinished = Arc::new(Unfinished::default());
    unfinished.add();
    let (one, two) = (unfinished.clone(), unfinished.clone());
    let threads = [spawn(move || one.wait()), spawn(move || two.done().unwrap())];
    unfinished.wait();
    unfinished.add();
    unfinished.done().unwrap();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub(super) fn once_too_often() {
    let unfinished = Arc::new(Unfinished::default());
    unfinished.add();
    let other = unfinished.clone();
    let other = spawn(move || other.done().is_ok());
    let done = [unfinished.done().is_ok(), other.join().unwrap()];
    assert!(done == [true, false] || done == [false, true]);
    assert!(unfinished.done().is_err());
    assert_eq!(unfinished.count(), 0);
}

/// Has room for one item, and says so when it gets a second.
#[derive(Default)]
struct One(Vec<usize>);

impl Store<usize> for One {
    fn add(&mut self, item: usize) {
        assert!(self.0.is_empty(), "put waits for room");
        self.0.push(item);
    }
    fn next(&mut self) -> Option<usize> {
        self.0.pop()
    }
    fn count(&self) -> usize {
        self.0.len()
    }
}

type Stack = Blocking<One>;

fn puts(buffer: &Arc<Stack>, items: &'static [usize]) -> JoinHandle<()> {
    let buffer = buffer.clone();
    spawn(move || items.iter().for_each(|item| buffer.put(*item)))
}

fn gets(buffer: &Arc<Stack>, count: usize) -> JoinHandle<Vec<usize>> {
    let buffer = buffer.clone();
    spawn(move || (0..count).map(|_| buffer.get()).collect())
}

fn sorted(mut items: Vec<usize>) -> Vec<usize> {
    items.sort_unstable();
    items
}

pub(super) fn two_workers() {
    let buffer = Arc::new(Stack::new(1));
    let workers = [gets(&buffer, 1), gets(&buffer, 1)];
    buffer.put(1);
    buffer.put(2);
    let items = workers.map(|worker| worker.join().unwrap()).concat();
    assert_eq!(sorted(items), [1, 2]);
}

pub(super) fn two_producers() {
    let buffer = Arc::new(Stack::new(1));
    // Two items of one: it may put the second into the room that the other has been woken for.
    let producers = [puts(&buffer, &[1, 2]), puts(&buffer, &[3])];
    let items = vec![buffer.get(), buffer.get(), buffer.get()];
    assert_eq!(sorted(items), [1, 2, 3]);
    producers.into_iter().for_each(|producer| producer.join().unwrap());
}

pub(super) fn two_and_two() {
    let buffer = Arc::new(Stack::new(1));
    let producer = puts(&buffer, &[1]);
    let workers = [gets(&buffer, 1), gets(&buffer, 1)];
    buffer.put(2);
    let items = workers.map(|worker| worker.join().unwrap()).concat();
    assert_eq!(sorted(items), [1, 2]);
    producer.join().unwrap();
}

pub(super) fn smallest_first() {
    let buffer = Arc::new(Blocking::<BinaryHeap<Reverse<usize>>>::new(2));
    buffer.put(3);
    let other = buffer.clone();
    let producer = spawn(move || {
        other.put(1);
        other.put(2);
    });
    let items = [buffer.get(), buffer.get(), buffer.get()];
    producer.join().unwrap();
    // 3 may be taken before the others come; 2, only after 1, which has come before it.
    assert_eq!(sorted(items.to_vec()), [1, 2, 3]);
    let place = |wanted| items.iter().position(|item| *item == wanted);
    assert!(place(1) < place(2), "{items:?}");
}

pub(super) fn protocol_fifo() {
    protocol(Kind::Fifo);
}

pub(super) fn protocol_lifo() {
    protocol(Kind::Lifo);
}

pub(super) fn protocol_priority() {
    protocol(Kind::Priority);
}

/// As in `main.rs`: items, a wait until they are done, and a sentinel.
fn protocol(kind: Kind) {
    let queue = Arc::new(Queue::new(kind, 1));
    let done = Arc::new(AtomicUsize::new(0));
    let (items, count) = (queue.clone(), done.clone());
    let worker = spawn(move || {
        while let Some(item) = items.get() {
            count.fetch_add(item, Ordering::Relaxed);
            items.task_done().unwrap();
        }
    });
    queue.put(Some(1));
    queue.put(Some(2));
    queue.join();
    assert_eq!(done.load(Ordering::Relaxed), 3);
    queue.put(None);
    worker.join().unwrap();
    assert_eq!(queue.unfinished(), 1, "the sentinel");
}
