//! The note's "by inheritance". In Python, a subclass of `Thread` that overrides `run`:
//!
//! ```python
//! class PrintThread(Thread):
//!     def __init__(self, name):
//!         super().__init__(name=name)
//!
//!     def run(self):
//!         print("Hello, ", self.name)
//!
//! th = PrintThread("Bob")
//! th.start()
//! th.join()
//! ```
//!
//! Rust has no inheritance. A trait asks for `run` and gives `start` in return.
//!
//! Run it: `cargo run -p thread-demo -- --style trait`.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::{f, spawn};

/// Something that can run in a thread of its own.
pub(crate) trait Run: Sized + Send + 'static {
    /// The thread's name, as `top -H` shows it.
    fn name(&self) -> String;

    /// What the thread does. Calling it makes no thread: it runs in the caller's.
    fn run(self) -> io::Result<()>;

    /// Makes a thread that calls `run`. It takes `self`, so that a second start, a `RuntimeError`
    /// in Python, does not compile.
    fn start(self) -> io::Result<JoinHandle<io::Result<()>>> {
        spawn(&self.name(), || self.run())
    }
}

/// Greets someone.
pub(crate) struct PrintThread {
    pub(crate) name: String,
    pub(crate) delay: Duration,
}

impl Run for PrintThread {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn run(self) -> io::Result<()> {
        f(&self.name, self.delay)
    }
}
