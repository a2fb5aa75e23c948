//! `pool-demo/src/executor.rs`: a pool from its first thread to its last.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::executor::Executor;
use crate::future::{Failure, Future};

pub(super) fn drop_waits() {
    let done = Arc::new(AtomicUsize::new(0));
    let pool = Executor::new(2).unwrap();
    for _ in 0..2 {
        let done = done.clone();
        drop(pool.submit(move || done.fetch_add(1, Ordering::Relaxed)));
    }
    drop(pool);
    assert_eq!(done.load(Ordering::Relaxed), 2);
    assert_eq!(Arc::strong_count(&done), 1, "the threads are gone, and the tasks with them");
}

pub(super) fn map_is_in_order() {
    let pool = Executor::new(2).unwrap();
    let results: Vec<_> = pool.map(|n| n * n, [2, 3]).flatten().collect();
    assert_eq!(results, [4, 9]);
}

pub(super) fn panic_fails_alone() {
    let pool = Executor::new(1).unwrap();
    let failing = pool.submit(|| resume_unwind(Box::new("no")));
    let other = pool.submit(|| 42);
    assert_eq!(other.result(), Ok(42));
    let failure: Result<(), _> = failing.result();
    assert_eq!(failure, Err(Failure::Panicked("no".into())));
}

pub(super) fn cancelled_and_dropped() {
    let ran = Arc::new(AtomicUsize::new(0));
    let pool = Executor::new(1).unwrap();
    let futures = [(); 2].map(|()| {
        let ran = ran.clone();
        pool.submit(move || ran.fetch_add(1, Ordering::Relaxed))
    });
    let cancelled = futures.iter().filter(|future| future.cancel()).count();
    drop(pool);
    assert!(futures.iter().all(Future::is_done));
    assert_eq!(ran.load(Ordering::Relaxed), 2 - cancelled);
}
