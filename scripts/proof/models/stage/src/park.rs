//! `park` and `unpark` of `std::thread`. Not loom's: there `unpark` also wakes a thread that waits
//! for something else, such as the end of another one.

use loom::sync::{Arc, Condvar, Mutex};

/// `std::thread::Thread`.
#[derive(Clone, Default)]
pub struct Thread(Arc<Token>);

#[derive(Default)]
struct Token {
    is_there: Mutex<bool>,
    changed: Condvar,
}

loom::thread_local! {
    static OWN: Thread = Thread::default();
}

/// The thread that asks.
pub fn current() -> Thread {
    OWN.with(Thread::clone)
}

/// Waits for the thread's token, and takes it.
pub fn park() {
    let Thread(token) = current();
    let mut is_there = token.is_there.lock().expect(UNPOISONED);
    while !*is_there {
        is_there = token.changed.wait(is_there).expect(UNPOISONED);
    }
    *is_there = false;
}

impl Thread {
    /// Gives it its token.
    pub fn unpark(&self) {
        *self.0.is_there.lock().expect(UNPOISONED) = true;
        self.0.changed.notify_one();
    }
}

const UNPOISONED: &str = "nothing panics while it holds this lock";
