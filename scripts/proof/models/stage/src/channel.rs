//! `crossbeam::channel`, as a lock and two conditions. What it promises is what crossbeam's
//! documentation promises; that crossbeam keeps it is for crossbeam's own tests.

use std::collections::VecDeque;
use std::time::Duration;

use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
use loom::thread;

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    capacity: usize,
    senders: usize,
    receivers: usize,
}

/// The end that one puts into.
pub struct Sender<T>(Arc<Shared<T>>);

/// The end that one takes from.
pub struct Receiver<T>(Arc<Shared<T>>);

/// There is nobody at the other end.
#[derive(Debug)]
pub struct Disconnected;

/// Why nothing came in time.
#[derive(Debug)]
pub enum RecvTimeoutError {
    /// The time was up.
    Timeout,
    /// There is nobody at the other end.
    Disconnected,
}

/// A channel with room for so many items.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a channel without room is not modelled");
    let state = State { items: VecDeque::new(), capacity, senders: 1, receivers: 1 };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
    (Sender(shared.clone()), Receiver(shared))
}

/// A channel with room for any number of items.
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    bounded(usize::MAX)
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("no model panics while it holds this lock")
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.changed.wait(state).expect("no model panics while it holds this lock")
    }
}

impl<T> Sender<T> {
    /// Waits for room.
    pub fn send(&self, item: T) -> Result<(), Disconnected> {
        let mut state = self.0.lock();
        while state.receivers > 0 && state.items.len() >= state.capacity {
            state = self.0.wait(state);
        }
        if state.receivers == 0 {
            return Err(Disconnected);
        }
        state.items.push_back(item);
        self.0.changed.notify_all();
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// Waits for an item.
    pub fn recv(&self) -> Result<T, Disconnected> {
        self.take(|| false).map_err(|_| Disconnected)
    }

    /// Waits for an item, or until the time is up, which here may be at any moment: a clock of the
    /// model says when, and the checker tries all of them.
    pub fn recv_timeout(&self, _: Duration) -> Result<T, RecvTimeoutError>
    where
        T: Send + 'static,
    {
        let up = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (shared, told) = (self.0.clone(), up.clone());
        let clock = thread::spawn(move || {
            let _state = shared.lock();
            told.store(true, std::sync::atomic::Ordering::Relaxed);
            shared.changed.notify_all();
        });
        let taken = self.take(|| up.load(std::sync::atomic::Ordering::Relaxed));
        clock.join().expect("a clock does not panic");
        taken
    }

    fn take(&self, up: impl Fn() -> bool) -> Result<T, RecvTimeoutError> {
        let mut state = self.0.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                self.0.changed.notify_all();
                return Ok(item);
            }
            if state.senders == 0 {
                return Err(RecvTimeoutError::Disconnected);
            }
            if up() {
                return Err(RecvTimeoutError::Timeout);
            }
            state = self.0.wait(state);
        }
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}

/// The items as they come, until nobody is left who could send.
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(self.0.clone())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.lock().receivers += 1;
        Self(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        if state.senders == 0 {
            self.0.changed.notify_all();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.receivers -= 1;
        if state.receivers == 0 {
            let items = std::mem::take(&mut state.items);
            self.0.changed.notify_all();
            drop(state); // an item may hold an end of this very channel
            drop(items);
        }
    }
}
