//! `pool-demo/src/future.rs`: a future between its task and those who wait for it.

use core::time::Duration;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::spawn;

use crate::future::{Failure, Future, as_completed};

pub(super) fn result_is_waited_for() {
    let (future, run) = Future::new(|| 42);
    let thread = spawn(run);
    assert_eq!(future.result(), Ok(42));
    thread.join().unwrap();
}

pub(super) fn timeout_loses_nothing() {
    let (future, run) = Future::new(|| 42);
    let thread = spawn(run);
    let result = future.result_timeout(Duration::ZERO).unwrap_or_else(Future::result);
    assert_eq!(result, Ok(42));
    thread.join().unwrap();
}

pub(super) fn cancel_races_with_start() {
    let ran = Arc::new(AtomicUsize::new(0));
    let counter = ran.clone();
    let (future, run) = Future::new(move || counter.fetch_add(1, Ordering::Relaxed));
    let thread = spawn(run);
    let cancelled = future.cancel();
    let result = future.result();
    thread.join().unwrap();
    assert_eq!(result, if cancelled { Err(Failure::Cancelled) } else { Ok(0) });
    assert_eq!(ran.load(Ordering::Relaxed), usize::from(!cancelled));
}

pub(super) fn two_cancel() {
    let (future, run) = Future::new(|| 42);
    let future = Arc::new(future);
    let (other, worker) = (future.clone(), spawn(run));
    let other = spawn(move || other.cancel());
    let told = [future.cancel(), other.join().unwrap()];
    worker.join().unwrap();
    assert!(future.is_done());
    assert!(told != [true, true]);
}

pub(super) fn panic_is_a_result() {
    let (future, run) = Future::<()>::new(|| resume_unwind(Box::new("no")));
    let thread = spawn(run);
    assert_eq!(future.result(), Err(Failure::Panicked("no".into())));
    thread.join().unwrap();
}

pub(super) fn dropped_meanwhile() {
    let (future, run) = Future::new(|| Arc::new(42));
    let thread = spawn(run);
    let _ = future.result_timeout(Duration::ZERO); // whatever it was, it is dropped
    thread.join().unwrap();
}

pub(super) fn as_completed_yields_each_once() {
    let (first, run_first) = Future::new(|| 1);
    let (second, run_second) = Future::new(|| 2);
    let threads = [spawn(run_first), spawn(run_second)];
    let mut results: Vec<_> = as_completed([first, second]).flat_map(Future::result).collect();
    results.sort_unstable();
    assert_eq!(results, [1, 2]);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub(super) fn as_completed_of_failures() {
    let (first, run_first) = Future::<u8>::new(|| resume_unwind(Box::new("no")));
    let (second, run_second) = Future::<u8>::new(|| unreachable!("it was cancelled"));
    assert!(second.cancel());
    let threads = [spawn(run_first), spawn(run_second)];
    let results: Vec<_> = as_completed([first, second]).map(Future::result).collect();
    assert_eq!(results.len(), 2);
    assert!(results.contains(&Err(Failure::Cancelled)));
    assert!(results.contains(&Err(Failure::Panicked("no".into()))));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub(super) fn as_completed_after_a_timeout() {
    let (future, run) = Future::new(|| 42);
    let thread = spawn(run);
    if let Err(future) = future.result_timeout(Duration::ZERO) {
        let results: Vec<_> = as_completed([future]).map(Future::result).collect();
        assert_eq!(results, [Ok(42)]);
    }
    thread.join().unwrap();
}

pub(super) fn as_completed_dropped_half_way() {
    let (first, run_first) = Future::new(|| Arc::new(1));
    let (second, run_second) = Future::new(|| Arc::new(2));
    let threads = [spawn(run_first), spawn(run_second)];
    let mut completed = as_completed([first, second]);
    assert!(completed.next().is_some());
    drop(completed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
