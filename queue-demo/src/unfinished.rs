//! The count behind `task_done` and `join`. An item costs no lock, only an atomic addition and
//! subtraction; the lock is there to sleep on until the count is zero.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

const UNPOISONED: &str = "nothing panics while it holds this lock";

/// How many items have been put in and not yet been reported as done.
#[derive(Default)]
pub(crate) struct Unfinished {
    count: AtomicUsize,
    lock: Mutex<()>,
    none_left: Condvar,
}

/// `task_done` without an item that it could be about: Python's `ValueError`.
#[derive(Debug)]
pub(crate) struct CalledTooOften;

impl Unfinished {
    /// One more item.
    pub(crate) fn add(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// One item less.
    pub(crate) fn done(&self) -> Result<(), CalledTooOften> {
        // AcqRel: what was done with the items happens before `wait` returns.
        let less = |count: usize| count.checked_sub(1);
        let count = &self.count;
        let before = count.fetch_update(Ordering::AcqRel, Ordering::Relaxed, less);
        if before.map_err(|_| CalledTooOften)? == 1 {
            // With the lock: else this signal could fall between a waiter's look at the count and
            // its sleep, and nobody would ever wake it.
            let _lock = self.lock();
            self.none_left.notify_all();
        }
        Ok(())
    }

    /// Waits until no item is left.
    pub(crate) fn wait(&self) {
        let mut lock = self.lock();
        while self.count.load(Ordering::Acquire) > 0 {
            lock = self.none_left.wait(lock).expect(UNPOISONED);
        }
    }

    /// How many are left now.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
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
