//! The count behind `task_done` and `join`. An item costs no lock, only two atomic additions; the
//! lock is there to sleep on until nothing is left.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use crossbeam::utils::CachePadded;

const UNPOISONED: &str = "nothing panics while it holds this lock";

/// An item. The counts go up by twos, which leaves the lowest bit of `done` for something else.
const ONE: usize = 2;
const WAITED_FOR: usize = 1;

/// How many items have been put in and not yet been reported as done.
///
/// Not one number but two, each in a cache line of its own: one is written by those who put, the
/// other by those who work. A number that both wrote would go from processor to processor and back
/// for every single item.
#[derive(Default)]
pub(crate) struct Unfinished {
    put: CachePadded<AtomicUsize>,
    done: CachePadded<Done>,
    lock: Mutex<()>,
    none_left: Condvar,
}

#[derive(Default)]
struct Done {
    /// How many, and whether somebody waits: then who reports the last one has to wake them. It is
    /// one number, so that nobody can begin to wait between a report and a look whether somebody does.
    count: AtomicUsize,
    /// So many at least have been put in: `put`, when it was last looked at from here.
    known: AtomicUsize,
}

/// `task_done` without an item that it could be about: Python's `ValueError`.
#[derive(Debug)]
pub(crate) struct CalledTooOften;

impl Unfinished {
    /// One more item.
    pub(crate) fn add(&self) {
        self.put.fetch_add(ONE, Ordering::Relaxed);
    }

    /// One item less.
    pub(crate) fn done(&self) -> Result<(), CalledTooOften> {
        // AcqRel: what was done with the items happens before `wait` returns.
        let one_more = |done| self.is_less_than_put(done).then_some(done + ONE);
        let before = self.done.count.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more);
        let before = before.map_err(|_| CalledTooOften)?;
        if before & WAITED_FOR != 0 && self.count() == 0 {
            // With the lock: else this signal could fall between a waiter's look at the counts and
            // its sleep, and nobody would ever wake it. All wake up, so nobody waits any more.
            let _lock = self.lock();
            self.done.count.fetch_and(!WAITED_FOR, Ordering::Relaxed);
            self.none_left.notify_all();
        }
        Ok(())
    }

    /// Waits until no item is left.
    pub(crate) fn wait(&self) {
        let mut lock = self.lock();
        loop {
            let done = self.done.count.fetch_or(WAITED_FOR, Ordering::Acquire) & !WAITED_FOR;
            if done == self.put.load(Ordering::Relaxed) {
                return;
            }
            lock = self.none_left.wait(lock).expect(UNPOISONED);
        }
    }

    /// How many are left now.
    pub(crate) fn count(&self) -> usize {
        let done = self.done.count.load(Ordering::Acquire) & !WAITED_FOR; // first: it is never ahead
        (self.put.load(Ordering::Relaxed) - done) / ONE
    }

    /// Looks at the other cache line only when there is no other way to know.
    fn is_less_than_put(&self, done: usize) -> bool {
        if done < self.done.known.load(Ordering::Acquire) {
            return true;
        }
        let put = self.put.load(Ordering::Relaxed);
        self.done.known.store(put, Ordering::Release);
        done < put
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().expect(UNPOISONED)
    }
}

impl fmt::Display for CalledTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task_done() called too many times")
    }
}

#[cfg(test)]
mod tests {
    use super::Unfinished;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn wait_returns_when_the_last_item_is_done_and_not_before() {
        let (unfinished, last) = (Unfinished::default(), AtomicBool::new(false));
        unfinished.add();
        unfinished.add();
        unfinished.done().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(20)); // the work
                last.store(true, Ordering::Relaxed);
                unfinished.done().unwrap();
            });
            unfinished.wait();
            assert!(last.load(Ordering::Relaxed));
        });
    }

    #[test]
    fn no_waiter_sleeps_through_the_end() {
        for _ in 0..2000 {
            let unfinished = Unfinished::default();
            unfinished.add();
            thread::scope(|scope| {
                scope.spawn(|| unfinished.done().unwrap());
                unfinished.wait();
            });
        }
    }

    #[test]
    fn done_once_too_often_is_an_error_and_changes_nothing() {
        let unfinished = Unfinished::default();
        assert!(unfinished.done().is_err());
        unfinished.add();
        assert!(unfinished.done().is_ok());
        assert!(unfinished.done().is_err());
        unfinished.wait();
        assert_eq!(unfinished.count(), 0);
    }
}
