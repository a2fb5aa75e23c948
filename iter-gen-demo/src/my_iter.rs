//! The note's `MyIt`: an iterator written as a type, whose fields say how far it has come.
//!
//! ```python
//! class MyIt:
//!     def __init__(self, stop) -> None:
//!         self.stop = stop
//!         self.curr = 0
//!
//!     def __iter__(self):
//!         return self
//!
//!     def __next__(self):
//!         if self.curr >= self.stop:
//!             raise StopIteration
//!         curr = self.curr
//!         self.curr += 1
//!         return curr
//! ```

/// The numbers from 0 up to `stop`.
#[derive(Debug)]
pub(crate) struct MyIt {
    pub(crate) stop: u64,
    pub(crate) curr: u64,
}

impl MyIt {
    pub(crate) fn new(stop: u64) -> MyIt {
        MyIt { stop, curr: 0 }
    }
}

/// `__next__`. The other half, `__iter__`, comes with it: every `Iterator` is its own
/// `IntoIterator`, which is what a `for` loop asks for.
impl Iterator for MyIt {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.curr >= self.stop {
            return None; // StopIteration: a value here, not an exception
        }
        let curr = self.curr;
        self.curr += 1;
        Some(curr)
    }
}
