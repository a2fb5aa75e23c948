//! A result that may not be there yet: Python's `concurrent.futures.Future`, and `as_completed`.
//!
//! Not the trait of this name in std: such a future does nothing unless it is polled, whereas this
//! one's task is the business of another thread.

use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crossbeam::channel::{self, Sender};

/// The result of a task, now or later.
#[must_use]
pub(crate) struct Future<T>(Arc<Mutex<State<T>>>);

/// How far the task has come, and what belongs to it there.
enum State<T> {
    Pending(Option<Watcher>),
    Running(Option<Watcher>),
    Done(Result<T, Failure>),
    /// Done, and the result is somebody's.
    Taken,
}

/// Who waits for the end, and the number by which they know this future.
type Watcher = (Sender<usize>, usize);

/// Why a task has no result.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    /// It was cancelled before a thread had begun it.
    Cancelled,
    /// It panicked, with these words.
    Panicked(String),
}

impl<T: Send + 'static> Future<T> {
    /// Splits a task into its future, and what a thread has to call.
    pub(crate) fn new(
        task: impl FnOnce() -> T + Send + 'static,
    ) -> (Self, impl FnOnce() + Send + 'static) {
        let future = Self(Arc::new(Mutex::new(State::Pending(None))));
        let promise = Self(Arc::clone(&future.0));
        let run = move || {
            if promise.state().start() {
                // A panic must stop here: one that leaves a task makes rayon abort the process.
                // AssertUnwindSafe: what the task leaves half done goes down with it.
                let result = panic::catch_unwind(AssertUnwindSafe(task));
                promise.state().end(result.map_err(|panic| Failure::Panicked(words(&*panic))));
            }
        };
        (future, run)
    }
}

impl<T> Future<T> {
    /// Is there a result, or a failure?
    pub(crate) fn is_done(&self) -> bool {
        matches!(*self.state(), State::Done(_))
    }

    /// Waits for the result. Its error is what Python's `result()` raises and `exception()` returns.
    pub(crate) fn result(self) -> Result<T, Failure> {
        if !self.is_done() {
            let (done, wait) = channel::bounded(1);
            self.watch((done, 0));
            wait.recv().expect("a task that was submitted ends, if only by being cancelled");
        }
        self.take()
    }

    /// Waits no longer than `timeout`, and then gives the future back.
    pub(crate) fn result_timeout(self, timeout: Duration) -> Result<Result<T, Failure>, Self> {
        let (done, wait) = channel::bounded(1);
        self.watch((done, 0));
        match wait.recv_timeout(timeout) {
            Ok(_) => Ok(self.take()),
            Err(_) => Err(self),
        }
    }

    /// Calls the task off. Too late when it has started: nobody can stop a thread from outside.
    pub(crate) fn cancel(&self) -> bool {
        let mut state = self.state();
        let in_time = matches!(*state, State::Pending(_));
        if in_time {
            state.end(Err(Failure::Cancelled));
        }
        in_time
    }

    /// Has the watcher told at the end of the task, or now if that has come.
    fn watch(&self, watcher: Watcher) {
        match &mut *self.state() {
            State::Pending(place) | State::Running(place) => *place = Some(watcher),
            State::Done(_) | State::Taken => tell(watcher),
        }
    }

    fn take(self) -> Result<T, Failure> {
        match mem::replace(&mut *self.state(), State::Taken) {
            State::Done(result) => result,
            _ => unreachable!("it is done, and who took the result took the future with it"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}

impl<T> State<T> {
    /// Says whether the task is to be run: not when it was cancelled.
    fn start(&mut self) -> bool {
        let Self::Pending(watcher) = self else { return false };
        *self = Self::Running(watcher.take());
        true
    }

    fn end(&mut self, result: Result<T, Failure>) {
        let before = mem::replace(self, Self::Done(result));
        if let Self::Pending(Some(watcher)) | Self::Running(Some(watcher)) = before {
            tell(watcher);
        }
    }
}

fn tell((watcher, number): Watcher) {
    // An error: the watcher has given up. The channel has room, so this never blocks.
    let _ = watcher.send(number);
}

/// Yields the futures as they finish, those that are finished already first.
pub(crate) fn as_completed<T>(
    futures: impl IntoIterator<Item = Future<T>>,
) -> impl Iterator<Item = Future<T>> {
    let (finished, pending): (Vec<_>, Vec<_>) = futures.into_iter().partition(Future::is_done);
    let mut pending: Vec<_> = pending.into_iter().map(Some).collect();
    let (done, completed) = channel::unbounded();
    for (number, future) in pending.iter().flatten().enumerate() {
        future.watch((done.clone(), number));
    }
    // Each future drops its sender when it has used it, and we drop `done` here: so the channel,
    // and with it this iterator, ends with the last future.
    drop(done);
    let completed = completed.into_iter().filter_map(move |number| pending[number].take());
    finished.into_iter().chain(completed)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Cancelled => f.write_str("cancelled"),
            Failure::Panicked(words) => write!(f, "panicked: {words}"),
        }
    }
}

impl std::error::Error for Failure {}

/// What `panic!` was called with: a literal, a formatted text, or (rarely) any other value.
fn words(payload: &(dyn Any + Send)) -> String {
    let literal = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = || payload.downcast_ref::<String>().cloned();
    literal.or_else(text).unwrap_or_else(|| "no words".to_string())
}

#[cfg(test)]
mod tests {
    use super::{Failure, Future, as_completed};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_future_is_done_when_its_task_has_run() {
        let (future, run) = Future::new(|| 42);
        assert!(!future.is_done());
        run();
        assert!(future.is_done());
        assert_eq!(future.result(), Ok(42));
    }

    #[test]
    fn a_result_is_waited_for() {
        let (future, run) = Future::new(|| 42);
        let Err(future) = future.result_timeout(Duration::ZERO) else {
            panic!("nobody has run it")
        };
        let waiting = thread::spawn(|| future.result_timeout(Duration::from_secs(30)));
        run();
        assert!(matches!(waiting.join(), Ok(Ok(Ok(42)))));
    }

    #[test]
    fn a_task_that_was_cancelled_never_runs() {
        for look_first in [false, true] {
            let (ran, runs) = mpsc::channel();
            let (future, run) = Future::new(move || ran.send(()));
            assert!(future.cancel());
            assert!(!future.cancel());
            if look_first {
                assert_eq!(future.result(), Err(Failure::Cancelled));
            }
            run();
            assert!(runs.recv().is_err());
        }
    }

    #[test]
    fn cancel_is_too_late_once_the_task_has_begun() {
        let (started, start) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let (future, run) = Future::new(move || started.send(()).is_ok() && gate.recv().is_err());
        let running = thread::spawn(run);
        start.recv().unwrap();
        assert!(!future.cancel());
        drop(open);
        running.join().unwrap();
        assert!(!future.cancel());
        assert_eq!(future.result(), Ok(true));
    }

    #[test]
    fn a_panic_is_kept_in_the_future() {
        let payloads: [Box<dyn std::any::Any + Send>; 3] =
            [Box::new("a literal"), Box::new("a text".to_string()), Box::new(1)];
        let failures = payloads.map(|payload| {
            // Like panic!, but silent.
            let (future, run) = Future::new(|| std::panic::resume_unwind(payload));
            run();
            future.result().unwrap_err().to_string()
        });
        assert_eq!(failures, ["panicked: a literal", "panicked: a text", "panicked: no words"]);
    }

    #[test]
    fn as_completed_yields_in_the_order_of_completion() {
        let (futures, mut runs): (Vec<_>, Vec<_>) = (0..4).map(|n| Future::new(move || n)).unzip();
        runs.swap_remove(1)(); // before anybody looks: now 0 3 2 are left
        let mut completed = as_completed(futures).map(Future::result);
        assert_eq!(completed.next(), Some(Ok(1)));
        for run in runs.into_iter().rev() {
            run();
        }
        assert!(completed.eq([Ok(2), Ok(3), Ok(0)]));
    }

    #[test]
    fn as_completed_of_nothing_ends() {
        assert_eq!(as_completed(Vec::<Future<u8>>::new()).count(), 0);
    }
}
