//! The queue that everybody writes once: a lock and two conditions, around a collection that
//! decides which item is next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, MutexGuard};

use crate::queue::Buffer;

const UNPOISONED: &str = "nothing panics while it holds this lock";

/// A bounded buffer.
pub(crate) struct Blocking<S> {
    store: Mutex<S>,
    capacity: usize,
    // Two, so that one signal to one thread is enough: with a single condition it might wake
    // another producer where a worker is needed.
    not_full: Condvar,
    not_empty: Condvar,
}

/// A collection that gives its items back in an order of its own.
pub(crate) trait Store<T> {
    fn add(&mut self, item: T);
    fn next(&mut self) -> Option<T>;
    fn count(&self) -> usize;
}

impl<S: Default> Blocking<S> {
    /// Room for `capacity` items; for any number, if that is 0.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            store: Mutex::default(),
            capacity: if capacity == 0 { usize::MAX } else { capacity },
            not_full: Condvar::new(),
            not_empty: Condvar::new(),
        }
    }
}

impl<T, S: Store<T> + Send> Buffer<T> for Blocking<S> {
    fn put(&self, item: T) {
        let mut store = self.lock();
        // `while`, not `if`: by the time that a woken thread has the lock, another may have been
        // quicker, and the system may wake it for no reason at all.
        while store.count() == self.capacity {
            store = self.not_full.wait(store).expect(UNPOISONED);
        }
        store.add(item);
        // First: whoever is woken wants the lock, and would go to sleep again, to wait for that.
        drop(store);
        self.not_empty.notify_one();
    }

    fn get(&self) -> T {
        let mut store = self.lock();
        loop {
            if let Some(item) = store.next() {
                drop(store);
                self.not_full.notify_one();
                return item;
            }
            store = self.not_empty.wait(store).expect(UNPOISONED);
        }
    }
}

impl<S> Blocking<S> {
    fn lock(&self) -> MutexGuard<'_, S> {
        self.store.lock().expect(UNPOISONED)
    }
}

/// A stack: the newest item is next.
impl<T> Store<T> for Vec<T> {
    fn add(&mut self, item: T) {
        self.push(item);
    }
    fn next(&mut self) -> Option<T> {
        self.pop()
    }
    fn count(&self) -> usize {
        self.len()
    }
}

/// A heap gives its greatest item first: turned round, the smallest.
impl<T: Ord> Store<T> for BinaryHeap<Reverse<T>> {
    fn add(&mut self, item: T) {
        self.push(Reverse(item));
    }
    fn next(&mut self) -> Option<T> {
        self.pop().map(|Reverse(item)| item)
    }
    fn count(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocking, Store};
    use crate::queue::Buffer;
    use std::sync::Mutex;
    use std::thread;

    #[test]
    fn the_newest_or_the_smallest_comes_first() {
        let (stack, heap) = (Blocking::<Vec<_>>::new(0), Blocking::<super::BinaryHeap<_>>::new(0));
        for item in [3, 1, 2, 3] {
            stack.put(item);
            heap.put(item);
        }
        assert_eq!([3, 2, 1, 3], [(); 4].map(|()| stack.get()));
        assert_eq!([1, 2, 3, 3], [(); 4].map(|()| heap.get()));
    }

    #[test]
    fn many_threads_lose_nothing_and_never_put_in_more_than_there_is_room_for() {
        let buffer = Blocking::<Vec<usize>>::new(3);
        let taken = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for producer in 0..4 {
                let buffer = &buffer;
                scope.spawn(move || (0..500).for_each(|n| buffer.put(4 * n + producer)));
                scope.spawn(|| {
                    for _ in 0..500 {
                        assert!(buffer.lock().count() <= 3);
                        let item = buffer.get();
                        taken.lock().unwrap().push(item);
                    }
                });
            }
        });
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..2000));
    }
}
